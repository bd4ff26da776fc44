"""What the API server refuses for good becomes Ready=False, in its own words and without a value of ours."""

from typing import Any

import pytest

from scheduledjob_operator.cluster import ApiError
from tests.unit.fake_cluster import QUOTA, Request, refused
from tests.unit.world import SPEC, World, verbs

FORBIDDEN = refused(
    403, 'cronjobs.batch is forbidden: User "operator" cannot patch resource "cronjobs"', "Forbidden"
)
INVALID = refused(
    422, 'CronJob.batch "portfolio-sync" is invalid: spec.x: Invalid value: "y": must be z', "Invalid"
)
TYPED = refused(
    500, "failed to create typed patch object (shop/portfolio-sync; batch/v1, Kind=CronJob): .spec: no"
)


def only_applies(error: ApiError) -> Any:
    def rule(request: Request) -> ApiError | None:
        return error if request.verb == "apply" else None

    return rule


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (QUOTA, "QuotaExceeded"),
        (FORBIDDEN, "Forbidden"),
        (INVALID, "ApplyFailed"),
        (TYPED, "ApplyFailed"),
        (refused(400, "bad"), "ApplyFailed"),
        (refused(413, "too large"), "ApplyFailed"),
    ],
    ids=["quota", "forbidden", "invalid", "not typed", "bad request", "too large"],
)
def test_a_refusal_is_a_status_in_the_api_servers_words(error: ApiError, reason: str) -> None:
    world = World()
    world.cluster.rule = only_applies(error)
    world.create()
    assert verbs(world.settle()) == ["status", "event"]
    assert world.ready == ("False", reason)
    assert world.message == error.message
    assert world.errors == []
    assert world.status["scheduler"] == "None"


def test_what_was_refused_is_tried_again_every_minute_and_told_once() -> None:
    world = World()
    world.cluster.rule = only_applies(QUOTA)
    world.create()
    world.settle()
    for _ in range(3):
        assert world.wait(59) == []
        before = len(world.cluster.requests)
        assert world.wait(1) == []
        assert "apply" in [request.verb for request in world.cluster.requests[before:]]
    world.cluster.rule = lambda _: None
    assert verbs(world.wait(60)) == ["apply", "status", "event"]
    assert world.ready == ("True", "Reconciled")


def test_a_refused_change_leaves_the_last_good_cron_job_and_what_it_will_do() -> None:
    world = World()
    world.create()
    world.settle()
    before = world.cron_job
    world.cluster.rule = only_applies(INVALID)
    world.change(schedule="0 3 * * *")
    world.settle()
    assert world.cron_job["spec"] == before["spec"]
    assert world.ready == ("False", "ApplyFailed")
    assert world.status["resolvedSchedule"] == "*/5 * * * *"
    assert world.status["nextRunTimes"][0] == "2026-11-22T12:05:00Z"


def test_a_refused_cron_job_of_one_that_has_run_keeps_its_ledger() -> None:
    world = World()
    world.create()
    world.settle()
    world.cluster.rule = only_applies(FORBIDDEN)
    world.change(timeout="5m")
    world.settle()
    assert world.status["counts"]["succeeded"] == 0
    assert world.status["cronJobName"] == "portfolio-sync"


# Values


SECRET = 'hunter2"\\'
CANARIES = {
    "a value in env": {"env": [{"name": "PASSWORD", "value": SECRET}]},
    "an argument": {"args": {"password": SECRET}},
    "a command": {"handler": None, "command": ["login", SECRET]},
    "a value of the template": {
        "podTemplate": {"spec": {"containers": [{"name": "job", "env": [{"name": "A", "value": SECRET}]}]}}
    },
    "a sidecar's argument": {"podTemplate": {"spec": {"containers": [{"name": "proxy", "args": [SECRET]}]}}},
    "an annotation": {"podTemplate": {"metadata": {"annotations": {"token": SECRET}}}},
}


def values_in(body: Any) -> list[str]:
    """All texts in which the secret is."""
    if isinstance(body, dict):
        return [found for value in body.values() for found in values_in(value)]
    if isinstance(body, list):
        return [found for value in body for found in values_in(value)]
    return [body] if isinstance(body, str) and "hunter2" in body else []


@pytest.mark.parametrize("spec", CANARIES.values(), ids=CANARIES)
@pytest.mark.parametrize("quoted", [False, True], ids=["plain", "quoted"])
def test_no_value_of_ours_is_in_the_message(spec: dict[str, Any], quoted: bool) -> None:
    """The API server repeats what it refuses, as it is or as Go quotes it."""

    def rule(request: Request) -> ApiError | None:
        if request.verb != "apply":
            return None
        texts = values_in(request.body)
        assert texts
        shown = [text.replace("\\", "\\\\").replace('"', '\\"') if quoted else text for text in texts]
        return refused(422, f'spec.x: Invalid value: "{"; ".join(shown)}": must be something else')

    world = World()
    world.create({key: value for key, value in {**SPEC, **spec}.items() if value is not None})
    world.cluster.rule = rule
    world.settle()
    assert world.ready == ("False", "ApplyFailed")
    assert "hunter2" not in world.message
    assert world.message.startswith("spec.x: Invalid value: ")
    assert world.message.endswith(": must be something else")
    assert "hunter2" not in repr(world.status)
    assert "hunter2" not in repr(world.cluster.events())


def test_short_values_do_not_tear_holes_into_the_sentence() -> None:
    world = World()
    world.create({**SPEC, "env": [{"name": "A", "value": "must"}, {"name": "B", "value": ""}]})
    world.cluster.rule = only_applies(INVALID)
    world.settle()
    assert world.message == INVALID.message


@pytest.mark.parametrize(
    "template",
    [
        {"spec": {"initContainers": [{"name": "a", "env": "x"}]}},
        {"spec": {"initContainers": [{"name": "a", "env": [5]}]}},
        {"spec": {"initContainers": ["a"]}},
        {"spec": {"containers": "job"}},
        {"spec": {"containers": [{"name": "a", "command": 5, "args": {}}]}},
        {"spec": None},
        {"metadata": None},
    ],
    ids=str,
)
def test_a_template_of_any_shape_can_be_refused(template: Any) -> None:
    world = World()
    world.create({**SPEC, "podTemplate": template})
    world.cluster.rule = only_applies(TYPED)
    world.settle()
    assert world.ready == ("False", "ApplyFailed")
