"""How a handler says when it runs, and what is told to who says it wrong."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

import pytest

from job_runner import ConfigurationError, cron, daily_at, every_minutes, every_seconds, job_handler
from job_runner.registry import REGISTRY

HERE = re.escape(__file__)

pytestmark = pytest.mark.usefixtures("empty_registry")


def schedules_of(name: str) -> list[dict[str, str]]:
    return [schedule.fields() for schedule in REGISTRY.get(name).schedules]


SCHEDULES = {
    "minutes": (every_minutes(5), {"every": "5m"}),
    "seconds": (every_seconds(90), {"every": "90s"}),
    "an hour of the day": (daily_at(0), {"schedule": "0 0 * * *"}),
    "a time of day": (daily_at(23, 59), {"schedule": "59 23 * * *"}),
    "a time of day somewhere": (
        daily_at(3, 30, time_zone="Europe/Berlin"),
        {"schedule": "30 3 * * *", "timeZone": "Europe/Berlin"},
    ),
    "a cron expression": (cron("H 8 * * mon-fri"), {"schedule": "H 8 * * mon-fri"}),
    "a cron expression somewhere": (
        cron("@daily", time_zone="Asia/Tokyo"),
        {"schedule": "@daily", "timeZone": "Asia/Tokyo"},
    ),
}


@pytest.mark.parametrize(("decorator", "fields"), SCHEDULES.values(), ids=SCHEDULES)
def test_a_schedule_is_noted_in_the_words_of_a_manifest(
    decorator: Callable[[Any], Any], fields: dict[str, str]
) -> None:
    def it() -> int:
        return 7

    assert decorator(job_handler("it")(it)) is it
    assert schedules_of("it") == [fields]


def test_a_handler_without_a_schedule_has_none() -> None:
    job_handler("it")(lambda: None)
    assert schedules_of("it") == []


def test_an_async_handler_has_several_schedules_from_top_to_bottom() -> None:
    @every_minutes(5)
    @daily_at(3)
    @cron("0 8 * * *")
    @job_handler("it")
    async def it(batch: int = 100) -> None: ...

    assert schedules_of("it") == [{"every": "5m"}, {"schedule": "0 3 * * *"}, {"schedule": "0 8 * * *"}]


def test_a_schedule_belongs_to_the_name_below_it() -> None:
    @every_minutes(5)
    @job_handler("two")
    @every_minutes(1)
    @job_handler("one")
    def it() -> None: ...

    assert schedules_of("one") == [{"every": "1m"}]
    assert schedules_of("two") == [{"every": "5m"}]


def test_a_handler_that_is_loaded_again_has_its_schedule_once() -> None:
    for _ in range(2):

        @every_minutes(5)
        @job_handler("it")
        def it() -> None: ...

    assert schedules_of("it") == [{"every": "5m"}]


def test_a_schedule_below_the_registration_says_where_it_belongs() -> None:
    with pytest.raises(
        ConfigurationError,
        match=rf"^{HERE}:\d+: @every_minutes\(5\) is on a function that is no handler: "
        r'write it right above @job_handler\("a-name"\)$',
    ):

        @job_handler("it")
        @every_minutes(5)
        def it() -> None: ...

    assert "it" not in REGISTRY


def test_a_schedule_above_another_decorator_is_refused_as_that_one_made_a_new_function() -> None:
    def twice(function: Callable[[], None]) -> Callable[[], None]:
        @wraps(function)
        def both() -> None:
            function()
            function()

        return both

    with pytest.raises(ConfigurationError, match=r'@cron\("@daily"\) is on a function that is no handler'):

        @cron("@daily")
        @twice
        @job_handler("it")
        def it() -> None: ...


WHOLE = "takes a whole number from 1: write for instance @every_"
TIME = "daily_at takes an hour from 0 to 23 and a minute from 0 to 59: write for instance @daily_at(3, 30)"
LINE = 'cron takes an expression in one line: write for instance @cron("0 3 * * *")'
ZONE = 'time_zone takes the name of one: write for instance "Europe/Berlin"'
REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "no minutes": (lambda: every_minutes(0), f"every_minutes {WHOLE}minutes(5)"),
    "half a minute": (lambda: every_minutes(0.5), f"every_minutes {WHOLE}minutes(5)"),  # type: ignore[arg-type]
    "minutes as text": (lambda: every_minutes("5"), f"every_minutes {WHOLE}minutes(5)"),  # type: ignore[arg-type]
    "true minutes": (lambda: every_minutes(True), f"every_minutes {WHOLE}minutes(5)"),
    "minutes without a number": (
        lambda: every_minutes(lambda: None),  # type: ignore[arg-type]
        f"every_minutes {WHOLE}minutes(5)",
    ),
    "fewer than no seconds": (lambda: every_seconds(-1), f"every_seconds {WHOLE}seconds(90)"),
    "hour 24": (lambda: daily_at(24), TIME),
    "hour -1": (lambda: daily_at(-1), TIME),
    "minute 60": (lambda: daily_at(3, 60), TIME),
    "an hour as text": (lambda: daily_at("3:30"), TIME),  # type: ignore[arg-type]
    "an empty expression": (lambda: cron(""), LINE),
    "a blank expression": (lambda: cron("  "), LINE),
    "two lines": (lambda: cron("0 3 * * *\n0 4 * * *"), LINE),
    "no text": (lambda: cron(5), LINE),  # type: ignore[arg-type]
    "an empty time zone": (lambda: cron("@daily", time_zone=""), ZONE),
    "a time zone that is no name": (lambda: daily_at(3, time_zone=1), ZONE),  # type: ignore[arg-type]
}


@pytest.mark.parametrize(("write", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_schedule_is_refused_with_what_to_write_instead(
    write: Callable[[], Any], sentence: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"^{re.escape(sentence)}$"):
        write()
