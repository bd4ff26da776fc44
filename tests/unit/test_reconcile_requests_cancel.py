"""Runs that are to be cancelled, and what does not follow on them."""

from tests.unit.requested import answers, ask, world_with


def test_an_active_run_that_is_cancelled_ends_with_the_name_of_who_asked() -> None:
    world = world_with()
    world.go_to(300)
    name = world.start_slot(300)
    world.run_pod(name)
    world.settle()
    ask(world, cancel={"run": name, "requestedBy": "carol"})
    assert world.job(name)["spec"]["activeDeadlineSeconds"] == 1
    assert answers(world) == [("cancel", "Accepted")]
    world.go_to(302)
    world.obey_deadlines()
    world.settle()
    assert world.runs() == [(name, "Cancelled")]
    assert world.status["lastRun"]["message"] == "cancelled by carol"
    assert world.status["consecutiveFailures"] == 0


def test_a_run_that_waits_is_cancelled_without_a_job() -> None:
    world = world_with()
    world.go_to(300)
    active = world.start_slot(300)
    ask(world, **{"run.1": {"id": "1", "ifActive": "Queue"}})
    ((waiting, _, _),) = world.pending()
    ask(world, cancel={"run": waiting, "requestedBy": "carol"})
    assert world.runs() == [(waiting, "Cancelled")]
    world.go_to(330)
    world.finish(active)
    world.go_to(590)
    assert world.created() == []


def test_a_retry_with_back_off_does_not_follow_on_a_cancelled_run() -> None:
    world = world_with(retry={"limit": 2, "backoff": {"initial": "30s"}})
    world.go_to(300)
    name = world.start_slot(300)
    world.run_pod(name)
    ask(world, cancel=name)
    world.obey_deadlines()
    world.go_to(500)
    assert world.runs() == [(name, "Cancelled")]
    assert world.created() == []
