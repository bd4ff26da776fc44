"""What holds the slots back, and that none of the past follows when it no longer does."""

from typing import Any

import pytest

from tests.unit.firing.own_slots import job_of, run, world_with


def test_a_disabled_one_starts_nothing_and_enabling_it_no_slot_of_the_past() -> None:
    world = world_with()
    world.change(enabled=False)
    world.settle()
    world.go_to(400)
    world.change(enabled=True)
    world.settle()
    run(world, 450)
    assert world.created() == [job_of(450)]
    assert world.unstarted() == [("Skipped", "Disabled", 4)]


@pytest.mark.parametrize("timing", [{"every": "90s"}, {"schedule": "* * * * *"}])
def test_it_is_suspended_where_it_does_not_belong(timing: dict[str, Any]) -> None:
    world = world_with(environment="staging", environments=["production", "canary"], **timing)
    world.go_to(200)
    assert world.created() == []
    assert world.cron_job["spec"]["suspend"]
    assert world.status["suspended"] == "OtherEnvironment"
    assert "it is for production and canary, and this operator is installed for environment staging" in (
        world.message
    )


def test_it_runs_where_it_belongs() -> None:
    world = world_with(environment="production", environments=["production"])
    run(world, 90)


def test_a_spec_that_cannot_be_read_leaves_the_last_good_one_in_force() -> None:
    world = world_with()
    world.change(timeZone="Mars/Olympus", schedule="0 0 1 1 *", every=None)
    world.settle()
    assert world.ready == ("False", "InvalidSchedule")
    run(world, 90)
    assert world.created() == [job_of(90)]


def test_a_change_of_the_interval_starts_no_slot_of_the_past() -> None:
    world = world_with()
    run(world, 90)
    world.go_to(170)
    world.change(every="40s")
    world.settle()
    assert world.created() == [job_of(90)]
    run(world, 200)
    assert world.created() == [job_of(90), job_of(200)]
