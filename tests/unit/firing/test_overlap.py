"""What comes of a slot of ours that comes while a run is active."""

import pytest

from scheduledjob_operator.firing import Move, move
from scheduledjob_operator.models import ConcurrencyPolicy
from tests.unit.bodies import NAMESPACE
from tests.unit.firing.own_slots import job_of, world_with
from tests.unit.moments import after_noon, text

ALLOW, FORBID, REPLACE, QUEUE = ConcurrencyPolicy
START, LEAVE, ASK = Move


@pytest.mark.parametrize(
    ("policy", "active", "waiting", "by_operator", "step"),
    [
        (ALLOW, True, False, True, START),
        (FORBID, False, False, True, START),
        (FORBID, True, False, True, LEAVE),
        (REPLACE, False, False, True, START),
        (REPLACE, True, False, True, ASK),
        (REPLACE, True, False, False, LEAVE),
        (QUEUE, False, False, True, START),
        (QUEUE, True, False, True, ASK),
        (QUEUE, False, True, True, ASK),
    ],
    ids=[
        "side by side",
        "nothing is active",
        "the end of the active run decides",
        "nothing to replace",
        "the active run is to be ended first",
        "Kubernetes replaces what it fires",
        "nothing to wait for",
        "behind the active run",
        "behind what waits",
    ],
)
def test_the_policy_says_what_to_do_about_a_slot(
    policy: ConcurrencyPolicy, active: bool, waiting: bool, by_operator: bool, step: Move
) -> None:
    assert move(policy, active=active, waiting=waiting, by_operator=by_operator) is step


def test_under_forbid_the_latest_slot_that_came_meanwhile_starts_when_the_run_ends() -> None:
    world = world_with(every="10s")
    world.go_to(40)
    world.go_to(75)
    world.finish(job_of(40))
    world.settle()
    assert world.created() == [job_of(40), job_of(70)]
    world.go_to(79)
    world.finish(job_of(70))
    world.settle()
    assert world.unstarted() == [("Skipped", "OverlapForbidden", 2)]


def test_under_forbid_a_slot_is_skipped_when_its_deadline_is_over() -> None:
    world = world_with(every="7m", startingDeadline="20s", startsAt=text(after_noon(100)))
    world.go_to(100)
    world.go_to(560)
    world.finish(job_of(100))
    world.settle()
    assert world.created() == [job_of(100)]
    assert world.unstarted() == [("Skipped", "OverlapForbidden", 1)]


def test_under_allow_runs_are_active_side_by_side() -> None:
    world = world_with(every="10s", concurrencyPolicy="Allow")
    world.go_to(65)
    assert world.active() == [job_of(seconds) for seconds in (40, 50, 60)]


def test_under_replace_the_active_run_is_ended_first() -> None:
    world = world_with(concurrencyPolicy="Replace")
    world.go_to(90)
    world.run_pod(job_of(90))
    world.go_to(180)
    assert world.job(job_of(90))["spec"]["activeDeadlineSeconds"] == 1
    assert world.created() == [job_of(90)], "not before that one has ended"
    world.go_to(183)
    world.obey_deadlines()
    world.settle()
    assert world.created() == [job_of(90), job_of(180)]
    (ended,) = world.status["recentRuns"]
    assert (ended["result"], ended["reason"]) == ("Cancelled", "Replaced")


def test_under_queue_a_slot_waits_for_the_active_run_to_end() -> None:
    world = world_with(concurrencyPolicy="Queue")
    world.go_to(90)
    world.go_to(180)
    assert world.pending() == [(job_of(180), "Queued", text(after_noon(180)))]
    world.go_to(1000)
    world.finish(job_of(90))
    world.settle()
    assert world.created() == [job_of(90), job_of(180)], "however late"
    assert world.unstarted() == [("Skipped", "QueueFull", 9)]


def test_a_queue_is_as_deep_as_the_spec_says_and_keeps_the_order() -> None:
    world = world_with(every="60s", concurrencyPolicy="Queue", queueDepth=2)
    world.go_to(245)
    assert [entry[0] for entry in world.pending()] == [job_of(120), job_of(180)]
    for number, seconds in enumerate((60, 120, 180)):
        world.go_to(250 + number * 5)
        world.finish(job_of(seconds))
        world.settle()
    assert world.created()[:3] == [job_of(60), job_of(120), job_of(180)]
    assert world.unstarted() == [("Skipped", "QueueFull", 1)]


def test_a_run_is_counted_once_though_its_job_outlives_its_entry() -> None:
    """Of short intervals more Jobs are kept than the ledger lists runs."""
    world = world_with(every="2s", concurrencyPolicy="Allow", history={"runs": 1, "succeededJobs": 1})
    for second in range(32, 52, 2):
        world.go_to(second)
        world.finish(job_of(second))
        world.settle()
    for second in range(32, 50, 2):
        world.cluster.delete("Job", NAMESPACE, job_of(second))
        world.settle()
        world.settle()
    assert world.status["counts"]["succeeded"] == 10
    assert world.runs() == [(job_of(50), "Succeeded")]


def test_a_queued_run_survives_a_restart() -> None:
    world = world_with(concurrencyPolicy="Queue")
    world.go_to(185)
    world.restart()
    world.settle()
    world.finish(job_of(90))
    world.settle()
    world.finish(job_of(180))
    world.settle()
    assert world.runs() == [(job_of(90), "Succeeded"), (job_of(180), "Succeeded")]
