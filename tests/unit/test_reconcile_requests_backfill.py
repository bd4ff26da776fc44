"""Slots of the past that are asked for."""

from tests.unit.moments import after_noon, text
from tests.unit.requested import ask, world_with


def test_a_backfill_runs_its_slots_one_after_the_other_oldest_first() -> None:
    world = world_with(schedule="0 * * * *")
    ask(world, backfill={"from": text(after_noon(-3600 * 3)), "to": text(after_noon(-3600))})
    slots = [text(after_noon(-3600 * hours)) for hours in (3, 2, 1)]
    assert [run["slot"] for run in (*world.status["active"], *world.status["pending"])] == slots
    for count in (1, 2, 3):
        assert len(world.created()) == count
        world.finish(world.created()[-1])
        world.wait(1)
    runs = list(reversed(world.status["recentRuns"]))
    assert [run["slot"] for run in runs] == slots
    assert {run["trigger"] for run in runs} == {"Backfill"}
    annotations = [world.job(name)["metadata"]["annotations"] for name in world.created()]
    assert [given["scheduledjob.dev/slot"] for given in annotations] == slots
    assert world.status["counts"]["missed"] == 0, "they are accounted for already"


def test_a_backfill_runs_as_many_at_once_as_it_may() -> None:
    world = world_with(schedule="0 * * * *", concurrencyPolicy="Allow")
    span = {"from": text(after_noon(-3600 * 5)), "to": text(after_noon(-3600)), "parallelism": 2}
    ask(world, backfill=span)
    assert (len(world.active()), len(world.pending())) == (2, 3)
    world.finish(world.created()[0])
    world.wait(1)
    assert (len(world.active()), len(world.pending())) == (2, 2)


def test_a_backfill_makes_way_for_the_schedule() -> None:
    world = world_with()
    ask(world, backfill={"from": text(after_noon(-900)), "to": text(after_noon(-300))})
    world.go_to(298)
    world.finish(world.created()[0])
    world.go_to(299.5)
    assert len(world.created()) == 1, "a slot is about to come"
    world.go_to(300)
    own = world.start_slot(300)
    world.go_to(320)
    assert world.active() == [own]
    world.finish(own)
    world.settle()
    assert len(world.created()) == 2
