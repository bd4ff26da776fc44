"""A single slot, and none at all: once, and on demand."""

from tests.unit.firing.own_slots import away, job_of, run, world_with
from tests.unit.moments import after_noon, text
from tests.unit.world import World


def test_a_single_slot_is_started_once_and_then_it_is_completed() -> None:
    world = world_with(at=text(after_noon(120)))
    assert world.status["nextRunTimes"] == [text(after_noon(120))]
    run(world, 120)
    world.go_to(5000)
    world.restart()
    world.settle()
    assert world.created() == [job_of(120)]
    completed = world.condition("Completed")
    assert (completed["status"], completed["reason"]) == ("True", "Succeeded")
    assert (world.status["scheduler"], world.status["nextRunTimes"]) == ("None", [])


def test_a_single_slot_that_nothing_started_is_completed_too() -> None:
    world = world_with(at=text(after_noon(120)), startingDeadline="10s")
    away(world, until=400)
    assert world.created() == []
    assert world.condition("Completed")["reason"] == "Missed"
    assert world.unstarted() == [("Missed", "StartingDeadline", 1)]


def test_a_single_slot_of_the_past_is_refused() -> None:
    world = world_with(at=text(after_noon(-7200)))
    assert world.ready == ("False", "InvalidSchedule")
    assert world.message == (
        "at is 2026-11-22T10:00:00Z, which was past already at 2026-11-22T11:00:00Z: write a time to come, "
        "or a catchUp with policy Latest and a window of more than 1h"
    )
    assert not world.has_cron_job


def test_a_single_slot_of_the_past_runs_when_it_may_be_caught_up() -> None:
    world = world_with(at=text(after_noon(-1800)), catchUp={"policy": "Latest", "window": "1h"})
    assert world.created() == [job_of(-1800)]
    world.finish(job_of(-1800))
    world.settle()
    (ended,) = world.status["recentRuns"]
    assert (ended["trigger"], ended["slot"]) == ("CatchUp", text(after_noon(-1800)))
    assert world.condition("Completed")["reason"] == "Succeeded"


def test_a_single_slot_that_came_before_the_operator_is_started_late() -> None:
    world = world_with(at=text(after_noon(-60)))
    assert world.created() == [job_of(-60)]


def test_a_single_slot_that_came_too_long_before_the_operator_is_missed() -> None:
    world = world_with(at=text(after_noon(-1800)))
    assert world.created() == []
    assert world.condition("Completed")["reason"] == "Missed"


def test_another_single_slot_may_follow_but_not_in_the_past() -> None:
    world = world_with(at=text(after_noon(120)))
    run(world, 120)
    world.change(at=text(after_noon(60)))
    world.settle()
    assert world.ready == ("False", "InvalidSchedule")
    world.change(at=text(after_noon(300)))
    world.settle()
    assert world.ready == ("True", "Reconciled")
    assert not world.condition("Completed")
    run(world, 300)
    assert world.created() == [job_of(120), job_of(300)]


def test_on_demand_runs_when_it_is_asked_to_and_only_then() -> None:
    world = World()
    world.create({"handler": "sync"})
    world.settle()
    world.go_to(4000)
    assert world.created() == []
    assert (world.status["scheduler"], world.status.get("resolvedSchedule")) == ("None", None)
    world.annotate(run="now")
    world.settle()
    (name,) = world.created()
    world.finish(name)
    world.settle()
    assert world.runs() == [(name, "Succeeded")]
