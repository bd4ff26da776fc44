"""Slots that came while the operator was away, and Jobs whose creation was not answered."""

from typing import Any

import pytest

from tests.unit.fake_cluster import LOST, OVERLOADED, UNREACHABLE
from tests.unit.firing.own_slots import away, job_of, run, world_with


def test_the_latest_slot_of_an_absence_is_started_late_and_the_others_are_missed() -> None:
    world = world_with()
    away(world, until=400)
    assert world.created() == [job_of(360)]
    world.finish(job_of(360))
    world.settle()
    assert world.unstarted() == [("Missed", "NothingStartedIt", 3)]


def test_under_catch_up_all_none_is_missed_and_none_is_doubled() -> None:
    world = world_with(every="1s", concurrencyPolicy="Allow", catchUp={"policy": "All", "limit": 100})
    world.go_to(35)
    away(world, until=50.5)
    for second in range(51, 61):
        world.go_to(second)
    assert sorted(world.created()) == [job_of(second) for second in range(31, 61)]
    assert len(set(world.created())) == len(world.created())
    assert world.unstarted() == []


def test_a_slot_that_was_started_and_whose_answer_was_lost_is_not_started_again() -> None:
    world = world_with()
    world.go_to(89)
    world.cluster.outcomes.append(LOST)
    world.go_to(95)
    world.finish(job_of(90))
    world.settle()
    assert world.runs() == [(job_of(90), "Succeeded")]
    assert [body for body in world.job_names() if body == job_of(90)] == [job_of(90)]


@pytest.mark.parametrize("trouble", [UNREACHABLE, OVERLOADED])
def test_a_slot_that_nobody_answered_is_tried_again(trouble: Any) -> None:
    world = world_with()
    world.go_to(89)
    world.cluster.outcomes.append(trouble)
    run(world, 90)
    assert world.unstarted() == []
