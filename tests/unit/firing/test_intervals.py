"""Every slot of an interval or of seconds is started when it comes, within its bounds."""

from datetime import timedelta
from typing import Any

import pytest

from tests.unit.firing.own_slots import job_of, run, world_with
from tests.unit.moments import after_noon, text
from tests.unit.world import World, verbs


def test_every_slot_of_an_interval_is_started_when_it_comes() -> None:
    world = world_with()
    assert world.cron_job["spec"]["suspend"], "it is the template only"
    assert (world.status["scheduler"], world.status["resolvedSchedule"]) == ("Operator", "@every 90s")
    for seconds in (90, 180, 270):
        run(world, seconds)
    assert world.created() == [job_of(seconds) for seconds in (90, 180, 270)]
    assert world.runs() == [(job_of(seconds), "Succeeded") for seconds in (90, 180, 270)]
    assert world.status["lastScheduleTime"] == text(after_noon(270))
    assert world.unstarted() == []


def test_a_run_costs_its_job_and_one_status() -> None:
    world = World(start_patience=timedelta(seconds=3))
    world.create({"every": "90s", "handler": "sync"})
    world.settle()
    writes = world.go_to(90)
    assert verbs(writes) == ["create"]
    world.go_to(92)
    world.finish(job_of(90))
    assert verbs(world.settle()) == ["status"]


def test_it_knows_which_slot_it_is() -> None:
    world = world_with(schedule="*/20 * * * * *")
    world.go_to(40)
    annotations = world.job(job_of(40))["spec"]["template"]["metadata"]["annotations"]
    assert annotations["scheduledjob.dev/slot"] == text(after_noon(40))
    assert annotations["scheduledjob.dev/trigger"] == "Schedule"


def test_a_slot_that_comes_during_a_look_is_started_after_it() -> None:
    world = world_with()
    world.go_to(89)
    world.change(timeout="2m")

    def take_time(_request: Any) -> None:
        world.now = max(world.now, after_noon(90.5))

    world.cluster.rule = take_time
    world.settle()
    assert world.created() == [job_of(90)]


def test_a_restart_shifts_nothing() -> None:
    world = world_with()
    world.go_to(75)
    world.restart()
    run(world, 90)
    world.restart()
    run(world, 180)
    assert world.unstarted() == []


def test_the_first_slot_counts_from_starts_at() -> None:
    world = world_with(startsAt=text(after_noon(100)))
    for seconds in (100, 190):
        run(world, seconds)
    assert world.created() == [job_of(100), job_of(190)]


@pytest.mark.parametrize("gap", [1, 30], ids=["every second", "every half minute"])
def test_nothing_is_started_after_ends_at(gap: int) -> None:
    world = world_with(every=f"{gap}s", endsAt=text(after_noon(60)), concurrencyPolicy="Allow")
    world.go_to(120)
    assert world.created()[-1] == job_of(60), "a slot at endsAt still runs"
    assert (world.status["nextRunTimes"], world.status["scheduler"]) == ([], "None")
    world.go_to(800)
    assert world.status["suspended"] == "OutOfBounds"
    assert {reason for _, reason, _ in world.unstarted()} <= {"OutOfBounds"}


def test_a_look_that_comes_late_neither_starts_nor_misses_what_is_out_of_bounds() -> None:
    bounds: dict[str, Any] = {"startsAt": text(after_noon(100)), "endsAt": text(after_noon(104))}
    world = world_with(every="1s", concurrencyPolicy="Allow", **bounds)
    world.go_to(98)
    for seconds in (100, 101, 102, 103, 104, 110):
        world.now = after_noon(seconds + 0.9)  # nothing is looked at in between
        world.settle()
    assert world.created() == [job_of(seconds) for seconds in range(100, 105)]
    assert {entry["reason"] for entry in world.status["unstarted"]} <= {"OutOfBounds"}
