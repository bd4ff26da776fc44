"""startsAt and endsAt: the first and the last slot that run, to the second."""

from typing import Any

import pytest

from tests.unit.moments import after_noon, text
from tests.unit.world import World


def world_with(**fields: Any) -> World:
    """One in sync, every five minutes, at 12:00:30."""
    world = World()
    world.create({"schedule": "*/5 * * * *", "handler": "sync", **fields})
    world.settle()
    return world


def fires(world: World) -> bool:
    return not world.cron_job["spec"]["suspend"]


def fires_at(world: World, seconds: float) -> bool:
    """Whether Kubernetes' controller finds the CronJob in force so many seconds after noon."""
    world.go_to(seconds)
    return fires(world)


def run(world: World, seconds: float) -> None:
    """Kubernetes starts a slot on time, and its run succeeds."""
    world.go_to(seconds)
    assert fires(world)
    name = world.start_slot(seconds)
    world.go_to(seconds + 10)
    world.finish(name)
    world.settle()


# startsAt


def test_no_slot_runs_before_its_time_and_the_one_at_that_very_time_does() -> None:
    world = world_with(startsAt=text(after_noon(900)))
    assert not fires_at(world, 300)
    assert not fires_at(world, 600)
    assert fires_at(world, 900)


def test_until_then_it_is_held_back_and_says_so() -> None:
    world = world_with(startsAt=text(after_noon(900)))
    assert world.status["suspended"] == "OutOfBounds"
    assert world.status["nextRunTimes"] == []
    assert world.message == f"the CronJob is suspended, because startsAt is {text(after_noon(900))}"
    assert world.condition("Paused") == {}, "nobody has paused it"
    assert world.cluster.events() == []


def test_the_slots_before_are_skipped_and_the_first_one_is_a_run() -> None:
    world = world_with(startsAt=text(after_noon(900)))
    run(world, 900)
    assert world.unstarted() == [("Skipped", "OutOfBounds", 2)]
    assert world.status["counts"] == {**world.status["counts"], "skipped": 2, "missed": 0, "succeeded": 1}


def test_the_slot_right_before_is_not_started_late() -> None:
    world = world_with(startsAt=text(after_noon(301)))
    while not fires(world):
        world.go_to((world.now - after_noon(0)).total_seconds() + 1)
    assert after_noon(300) < world.now < after_noon(600)
    assert world.cron_job["status"]["lastScheduleTime"] == text(after_noon(300)), "it counts as done"


def test_a_start_that_is_moved_back_holds_it_again() -> None:
    world = world_with(startsAt=text(after_noon(300)))
    run(world, 300)
    world.change(startsAt=text(after_noon(3000)))
    world.settle()
    assert not fires(world)
    assert fires_at(world, 3000)


def test_an_operator_that_comes_late_lets_the_first_slot_run_within_its_deadline() -> None:
    world = world_with(startsAt=text(after_noon(900)))
    world.now = after_noon(960)
    world.restart()
    world.settle()
    assert fires(world)
    last = world.cron_job["status"].get("lastScheduleTime")
    assert last == text(after_noon(600)), "Kubernetes goes on after the last slot that is not to run"
    world.start_slot(900)
    world.go_to(970)
    assert len(world.active()) == 1
    assert world.unstarted() == [("Skipped", "OutOfBounds", 2)]
    assert world.status["counts"]["skipped"] == 2


def test_slots_within_the_bounds_that_nothing_could_start_are_missed_not_out_of_bounds() -> None:
    world = world_with(startsAt=text(after_noon(900)))
    world.now = after_noon(3600)
    world.restart()
    world.settle()
    world.go_to(3700)
    assert world.unstarted()[0] == ("Skipped", "OutOfBounds", 2)
    assert world.status["counts"]["skipped"] == 2
    assert world.status["counts"]["missed"] > 0


# endsAt


def test_the_slot_at_its_end_runs_and_no_later_one() -> None:
    world = world_with(endsAt=text(after_noon(600)))
    assert fires_at(world, 300)
    assert fires_at(world, 600)
    assert not fires_at(world, 900)
    assert not fires_at(world, 100_000)


def test_after_its_end_it_says_so() -> None:
    world = world_with(endsAt=text(after_noon(600)))
    run(world, 300)
    run(world, 600)
    world.go_to(900)
    assert world.status["suspended"] == "OutOfBounds"
    assert world.status["nextRunTimes"] == []
    assert world.message == f"the CronJob is suspended, because endsAt was {text(after_noon(600))}"
    assert [result for _, result in world.runs()] == ["Succeeded"] * 2
    assert world.status["counts"]["missed"] == 0


def test_a_last_slot_that_starts_late_is_a_run() -> None:
    world = world_with(endsAt=text(after_noon(600)))
    run(world, 300)
    world.go_to(700)
    world.start_slot(600)
    world.go_to(800)
    assert len(world.active()) == 1
    assert world.unstarted() == []


def test_a_last_slot_that_nothing_started_is_missed() -> None:
    world = world_with(endsAt=text(after_noon(600)))
    run(world, 300)
    world.go_to(900)
    assert world.unstarted() == [("Missed", "NothingStartedIt", 1)]


def test_it_does_not_look_again_for_ever() -> None:
    world = world_with(endsAt=text(after_noon(600)))
    world.go_to(1000)
    before = len(world.cluster.requests)
    world.go_to(1_000_000)
    assert len(world.cluster.requests) == before
    assert world.due == {}


@pytest.mark.parametrize("end", [text(after_noon(100_000)), None], ids=["moved", "taken away"])
def test_an_end_that_goes_lets_the_schedule_go_on_from_there(end: str | None) -> None:
    world = world_with(endsAt=text(after_noon(600)))
    run(world, 300)
    run(world, 600)
    world.go_to(2000)
    world.change(endsAt=end)
    world.settle()
    assert fires(world)
    assert world.cron_job["status"]["lastScheduleTime"] == text(after_noon(1800)), (
        "and starts none of the past"
    )
    run(world, 2100)
    assert world.unstarted() == [("Skipped", "OutOfBounds", 4)]


def test_what_is_asked_for_runs_outside_the_bounds_too() -> None:
    world = world_with(startsAt=text(after_noon(9000)))
    world.annotate(run="now")
    world.settle()
    assert len(world.active()) == 1


def test_bounds_that_hold_nothing_make_no_cron_job_fire() -> None:
    world = world_with(startsAt=text(after_noon(301)), endsAt=text(after_noon(599)))
    for seconds in (300, 600, 900):
        assert not fires_at(world, seconds)
