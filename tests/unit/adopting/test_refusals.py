"""A take-over that the API server would refuse leaves everything as it was."""

import copy
from datetime import timedelta
from typing import Any

import pytest

from scheduledjob_operator.cluster import ApiError
from tests.unit.adopting.foreign import (
    EVERY_MINUTE,
    TEMPLATE,
    foreign,
    job_of,
    old_job,
    spec_from_scratch,
    world_with,
)
from tests.unit.bodies import Body
from tests.unit.fake_cluster import QUOTA, Request, refused
from tests.unit.moments import NOON, text
from tests.unit.world import KEY, World, verbs

DENIED = refused(403, "admission webhook denied the request: privileged")
INVALID = refused(422, "spec.jobTemplate.spec.template.spec.volumes[0].name: Required value", "Invalid")
MALFORMED = refused(500, "failed to create typed patch object: .spec.foo: field not declared in schema")


def refuses(error: ApiError, *verbs: str, dry: bool | None = None) -> Any:
    """A rule: requests of these verbs are refused; of the dry runs only or all but these, if it is said."""
    return lambda request: error if request.verb in verbs and dry in (None, request.dry) else None


@pytest.mark.parametrize("error", [DENIED, INVALID], ids=["policy", "invalid"])
@pytest.mark.parametrize(
    "spec", [EVERY_MINUTE, {"every": "90s", "handler": "sync"}], ids=["cron", "interval"]
)
def test_what_would_be_refused_leaves_everything_as_it_was(error: ApiError, spec: Body) -> None:
    world = world_with(spec, schedule="0 0 * * *")
    old_job(world, job_of(0), slot=NOON)
    before = world.cron_job, world.job(job_of(0))
    world.cluster.rule = refuses(error, "apply", "rehearse")
    writes = world.go_to(330)
    assert (world.cron_job, world.job(job_of(0))) == before
    assert {write.kind for write in writes} == {"ScheduledJob", "Event"}
    assert (world.ready[0], world.active()) == ("False", [])
    asked = [request for request in world.cluster.requests if request.dry]
    assert len(asked) <= 2 * 6, "once a minute"


def test_a_template_that_is_none_leaves_everything_as_it_was() -> None:
    world = world_with()
    before = world.cron_job
    world.cluster.rule = refuses(MALFORMED, "apply")
    world.go_to(200)
    assert world.cron_job == before
    assert world.ready == ("False", "ApplyFailed")


def test_that_both_templates_in_one_are_refused_means_nothing() -> None:
    world = world_with()
    world.cluster.rule = refuses(DENIED, "apply", dry=True)
    world.settle()
    assert world.ready == ("True", "Reconciled")
    assert world.cron_job["spec"] == spec_from_scratch()


@pytest.mark.parametrize("step", [0, 0.15, 0.4], ids=str)
def test_what_a_dry_run_does_not_show_is_tried_once_a_minute(step: float) -> None:
    world = world_with()
    old_job(world, job_of(0), slot=NOON)
    before = world.cron_job["spec"], world.cron_job["status"], world.job(job_of(0))
    rule = refuses(DENIED, "apply", dry=False)

    def slow(request: Request) -> ApiError | None:
        world.now += timedelta(seconds=step)
        answer: ApiError | None = rule(request)
        return answer

    world.cluster.rule = slow
    writes = world.go_to(270)
    assert (world.cron_job["spec"], world.cron_job["status"], world.job(job_of(0))) == before
    assert len(verbs(writes)) <= 2 * 5 + 2
    world.cluster.rule = lambda _: None
    world.wait(60)
    assert world.ready == ("True", "Reconciled")
    assert world.status["unstarted"] == []


def test_a_refused_cron_job_is_not_treated_as_ours() -> None:
    world = world_with()
    world.cluster.rule = refuses(QUOTA, "apply", "rehearse")
    world.settle()
    assert world.ready == ("False", "QuotaExceeded")
    assert "cronJobName" not in world.status
    assert world.cron_job["spec"]["jobTemplate"] == TEMPLATE
    world.cluster.rule = lambda _: None
    world.wait(60)
    assert world.ready == ("True", "Reconciled")


@pytest.mark.parametrize("verb", ["reclaim", "apply"])
def test_nothing_is_said_of_a_take_over_that_was_refused_when_another_cron_job_is_ours(verb: str) -> None:
    world = world_with()
    world.cluster.rule = refuses(DENIED, verb, dry=False)
    world.settle()
    assert world.ready == ("False", "Forbidden")
    world.cluster.rule = lambda _: None
    world.cluster.delete("CronJob", *KEY)
    world.settle()
    assert world.ready == ("True", "Reconciled")
    world.go_to(330)
    assert "CronJobAdopted" not in [reason for reason, _ in world.cluster.events()]


def test_one_that_is_being_deleted_is_left_alone_and_made_anew_when_it_is_gone() -> None:
    world = World()
    body = foreign()
    body["metadata"] |= {"deletionTimestamp": text(NOON), "finalizers": ["foregroundDeletion"]}
    world.cluster.put("CronJob", body)
    world.create()
    assert set(verbs(world.settle())) == {"status", "event"}
    assert world.ready == ("False", "NameConflict")
    assert "is being deleted. When it is gone, the one of this ScheduledJob is made" in world.message
    world.cluster.delete("CronJob", *KEY)
    world.settle()
    assert world.ready == ("True", "Reconciled")


def test_where_nobody_is_known_to_own_its_fields_there_are_never_two_templates_in_one() -> None:
    world = world_with()
    body = copy.deepcopy(world.cron_job)
    del body["metadata"]["managedFields"]
    world.cluster.put("CronJob", body)
    world.go_to(70)
    assert world.cron_job["spec"] == spec_from_scratch()
    seen = [change.after for change in world.cluster.changes if change.kind == "CronJob" and change.after]
    pods = [body["spec"]["jobTemplate"]["spec"]["template"]["spec"] for body in seen]
    assert {len(pod["containers"]) for pod in pods} == {1}
