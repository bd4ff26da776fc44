"""Jobs that were made before the CronJob was taken over."""

import pytest

from tests.unit import bodies
from tests.unit.adopting.foreign import EVERY_MINUTE, job_of, old_job, world_with
from tests.unit.bodies import Body
from tests.unit.moments import NOON, after_noon, text


def test_a_job_of_before_that_runs_counts_and_is_not_cut() -> None:
    world = world_with({**EVERY_MINUTE, "pendingTimeout": "30s"}, schedule="* * * * *", punctual=True)
    old_job(world, job_of(0), slot=NOON)
    world.settle()
    assert world.active() == [job_of(0)]
    world.go_to(200)
    assert "activeDeadlineSeconds" not in world.job(job_of(0))["spec"]
    assert world.created() == []
    world.finish(job_of(0))
    world.go_to(205)
    assert world.runs()[:1] == [(job_of(0), "Succeeded")]
    assert {entry[:2] for entry in world.unstarted()} == {("Skipped", "OverlapForbidden")}


@pytest.mark.parametrize(
    "timing",
    [
        {"every": "90s"},
        {"schedule": "*/30 * * * * *"},
        {"schedule": "* * * * *", "concurrencyPolicy": "Queue"},
    ],
    ids=["interval", "seconds", "queue"],
)
def test_a_job_of_before_keeps_what_the_operator_fires_waiting(timing: Body) -> None:
    world = world_with({**timing, "handler": "sync"}, schedule="* * * * *")
    old_job(world, job_of(0), slot=NOON)
    world.go_to(95)
    assert world.created() == []
    assert world.active() == [job_of(0)]
    world.finish(job_of(0))
    world.go_to(185)
    assert len(world.created()) == 1


def test_jobs_of_before_that_have_ended_are_no_runs() -> None:
    world = world_with()
    old_job(world, job_of(-300), slot=after_noon(-300), status=bodies.complete(after_noon(-300), NOON))
    old_job(world, "of-another", ownerReferences=bodies.owner("CronJob", name="other", uid="another"))
    world.go_to(70)
    assert (world.runs(), world.active()) == ([], [])
    assert world.job("of-another")["metadata"]["labels"] == {}


@pytest.mark.parametrize("ended", [False, True], ids=["running", "ended"])
def test_a_job_that_kubernetes_makes_by_its_older_picture_is_the_run_of_its_slot(ended: bool) -> None:
    spec = {**EVERY_MINUTE, "catchUp": {"policy": "All"}}
    world = world_with(spec, schedule="* * * * *", punctual=True)
    world.go_to(55)
    assert world.ready == ("True", "Reconciled")
    status = bodies.complete(after_noon(60), after_noon(60)) if ended else None
    old_job(world, job_of(60), slot=after_noon(60), created=after_noon(60), status=status)
    world.go_to(100)
    assert world.created() == []
    assert world.runs() == ([(job_of(60), "Succeeded")] if ended else [])
    assert world.active() == ([] if ended else [job_of(60)])
    assert world.status["unstarted"] == []


def test_a_job_that_kubernetes_names_as_active_is_seen_at_once() -> None:
    world = world_with(EVERY_MINUTE, schedule="* * * * *")
    world.go_to(55)
    old_job(world, job_of(60), slot=after_noon(60), created=after_noon(60))
    status = {"lastScheduleTime": text(after_noon(60)), "active": [{"name": job_of(60)}]}
    world.cluster.put("CronJob", {**world.cron_job, "status": status})
    world.go_to(65)
    assert world.active() == [job_of(60)]


@pytest.mark.parametrize("restarted", [False, True], ids=["", "and restarted"])
def test_all_jobs_are_listed_once_when_it_is_taken_over_and_once_at_the_end(restarted: bool) -> None:
    world = world_with(EVERY_MINUTE, schedule="* * * * *", punctual=True)
    world.go_to(40)
    if restarted:
        world.restart()
    world.go_to(300)
    asked = [request.verb for request in world.cluster.requests if request.kind == "Job"]
    assert asked.count("list") == (3 if restarted else 2)
    assert asked.count("get") == 0


def test_a_failed_job_of_before_is_not_tried_again_by_the_new_rules() -> None:
    world = world_with({"schedule": "@daily", "handler": "sync", "retry": {"limit": 3, "backoff": {}}})
    old_job(world, job_of(0), slot=NOON)
    world.settle()
    world.cluster.put("Job", {**world.job(job_of(0)), "status": bodies.failed(NOON, after_noon(40))})
    world.go_to(3600)
    assert world.runs() == [(job_of(0), "Failed")]
    assert world.created() == []


def test_a_job_of_before_that_exceeds_its_own_deadline_has_timed_out() -> None:
    world = world_with()
    old_job(world, job_of(0), slot=NOON)
    world.settle()
    status = bodies.failed(NOON, after_noon(40), reason="DeadlineExceeded", message="too long")
    world.cluster.put("Job", {**world.job(job_of(0)), "status": status})
    world.go_to(60)
    assert world.runs() == [(job_of(0), "TimedOut")]


def test_a_job_of_before_is_cancelled_as_any_other() -> None:
    world = world_with()
    old_job(world, job_of(0), slot=NOON)
    world.settle()
    world.annotate_job(job_of(0), cancel="ada")
    world.settle()
    assert world.obey_deadlines() == [job_of(0)]
    world.settle()
    assert world.runs() == [(job_of(0), "Cancelled")]
