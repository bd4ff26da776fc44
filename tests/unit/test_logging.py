"""What is logged, in which form, and what never is: bodies of objects, and with them what is in their env."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from scheduledjob_operator.__main__ import configure_logging
from scheduledjob_operator.cluster import ApiError
from scheduledjob_operator.settings import Settings
from tests.unit.api_server import json_answer, serving
from tests.unit.bodies import Body, cron_job
from tests.unit.fake_cluster import refused
from tests.unit.world import SPEC, World

SECRET = "hunter2-in-an-env"
KOPF = ["kopf", "kopf.objects", "kopf._core.reactor.queueing", "kopf._cogs.clients.watching"]


@pytest.fixture(autouse=True)
def _loggers_as_they_were() -> Iterator[None]:
    loggers = [logging.getLogger(), *map(logging.getLogger, KOPF)]
    before = [(logger, logger.level, list(logger.handlers)) for logger in loggers]
    yield
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers


def configured(**given: Any) -> io.StringIO:
    """Where the log lines go."""
    configure_logging(Settings.model_validate(given))
    (handler,) = logging.getLogger().handlers
    assert isinstance(handler, logging.StreamHandler)
    stream = io.StringIO()
    handler.setStream(stream)
    return stream


def test_a_line_is_a_json_object() -> None:
    stream = configured()
    logging.getLogger("scheduledjob_operator.x").warning("%s could not be reconciled", "shop/a")
    line = json.loads(stream.getvalue())
    assert line.keys() == {"time", "level", "logger", "message"}
    assert (line["level"], line["logger"]) == ("WARNING", "scheduledjob_operator.x")
    assert line["message"] == "shop/a could not be reconciled"


def test_an_exception_stays_on_its_line() -> None:
    stream = configured()
    try:
        int("boom")
    except ValueError:
        logging.getLogger("x").exception("failed")
    (line,) = stream.getvalue().splitlines()
    assert "ValueError: invalid literal" in json.loads(line)["exc_info"]


def test_a_line_may_be_text() -> None:
    stream = configured(log_format="text")
    logging.getLogger("x").info("hello")
    assert stream.getvalue().endswith("INFO    x: hello\n")


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR"])
def test_the_level_is_the_least_that_is_logged(level: str) -> None:
    stream = configured(log_level=level, log_format="text")
    for each in ("DEBUG", "INFO", "WARNING", "ERROR"):
        logging.getLogger("scheduledjob_operator").log(getattr(logging, each), each)
    order = ["DEBUG", "INFO", "WARNING", "ERROR"]
    assert [line.rsplit(" ", maxsplit=1)[-1] for line in stream.getvalue().splitlines()] == order[
        order.index(level) :
    ]


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR"])
@pytest.mark.parametrize("name", KOPF)
def test_kopf_never_logs_at_debug(level: str, name: str) -> None:
    """There it logs whole objects."""
    stream = configured(log_level=level)
    logger = logging.getLogger(name)
    assert not logger.isEnabledFor(logging.DEBUG)
    logger.debug("body: %s", SECRET)
    assert stream.getvalue() == ""


def test_kopf_logs_no_object_at_info() -> None:
    stream = configured(log_level="DEBUG")
    logging.getLogger("kopf.objects").info(SECRET)
    assert SECRET not in stream.getvalue()


def test_requests_and_answers_are_not_logged() -> None:
    stream = configured(log_level="DEBUG")
    body = cron_job(spec={"jobTemplate": {"env": SECRET}})

    async def main() -> None:
        answers = [json_answer(body), json_answer({"message": "no"}, status=500), json_answer(body)]
        async with serving(*answers) as (_, cluster):
            await cluster.apply_cron_job(body, force=True)
            with pytest.raises(ApiError):
                await cluster.apply_cron_job(body, force=True)
            await cluster.get("CronJob", namespace="shop", name="a")

    asyncio.run(main())
    assert SECRET not in stream.getvalue()


def test_no_value_of_a_spec_is_logged_whatever_becomes_of_it() -> None:
    stream = configured(log_level="DEBUG", log_format="text")
    spec: Body = {
        **SPEC,
        "env": [{"name": "A", "value": SECRET}],
        "args": {"a": SECRET},
        "podTemplate": {"metadata": {"annotations": {"a": SECRET}}},
    }
    for error in (None, refused(422, f'Invalid value: "{SECRET}"'), refused(500, "x"), refused(0, "x")):
        world = World()
        world.cluster.outcomes.extend([None, error])
        world.create(spec)
        world.settle()
        world.change(timeout="forever")
        world.settle()
        world.cluster.delete("ScheduledJob", "shop", "portfolio-sync")
        world.settle()
        assert SECRET not in repr(world.cluster.events())
    assert SECRET not in stream.getvalue()
