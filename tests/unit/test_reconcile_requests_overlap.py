"""A run that is asked for while another one is active."""

from tests.unit.moments import after_noon, text
from tests.unit.requested import answers, ask, world_with


def test_where_two_may_not_be_active_a_run_is_refused_or_queued() -> None:
    world = world_with()
    world.go_to(300)
    active = world.start_slot(300)
    world.settle()
    ask(world, run="now")
    assert answers(world) == [("run", "Refused")]
    ask(world, **{"run.queued": {"id": "1", "ifActive": "Queue"}})
    assert answers(world) == [("run", "Refused"), ("run.queued", "Accepted")]
    assert [(reason, due) for _, reason, due in world.pending()] == [("Queued", text(after_noon(300)))]
    assert world.created() == []
    world.go_to(320)
    world.finish(active)
    world.settle()
    assert world.active() == world.created()
    assert len(world.created()) == 1


def test_kubernetes_is_told_of_it_so_that_the_next_slot_finds_it_active() -> None:
    world = world_with()
    ask(world, run="now")
    assert world.told_active() == world.created()


def test_where_two_may_be_active_it_starts_beside_the_other() -> None:
    world = world_with(concurrencyPolicy="Allow")
    world.go_to(300)
    active = world.start_slot(300)
    world.settle()
    ask(world, run="now")
    assert world.active() == [active, *world.created()]


def test_where_the_newest_replaces_the_active_one_that_one_ends_first() -> None:
    world = world_with(concurrencyPolicy="Replace")
    world.go_to(300)
    active = world.start_slot(300)
    world.run_pod(active)
    world.go_to(320)
    ask(world, run="now")
    assert world.created() == []
    assert world.job(active)["spec"]["activeDeadlineSeconds"] == 1
    world.go_to(321)
    assert world.obey_deadlines() == [active]
    world.settle()
    assert world.runs() == [(active, "Cancelled")]
    assert world.status["lastRun"]["reason"] == "Replaced"
    assert world.active() == world.created()


def test_a_restart_while_it_waits_for_the_replaced_one_to_end_loses_nothing() -> None:
    world = world_with(concurrencyPolicy="Replace")
    ask(world, run="first")
    [first] = world.created()
    ask(world, run="second")
    world.restart()
    world.settle()
    assert (world.active(), world.runs()) == ([first], [])
    world.wait(1)
    assert world.obey_deadlines() == [first]
    world.settle()
    assert world.runs() == [(first, "Cancelled")]
    assert len(world.active()) == 1
