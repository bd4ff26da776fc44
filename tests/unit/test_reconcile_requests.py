"""A run that is asked for by an annotation, from the annotation to the Job and the answer."""

from tests.unit.bodies import NAMESPACE
from tests.unit.requested import CANARY, OVERRIDES, answers, ask, world_with


def test_a_run_that_is_asked_for_starts_at_once_and_is_answered() -> None:
    world = world_with()
    ask(world, run={"id": "1", "requestedBy": "alice"})
    (name,) = world.created()
    assert world.active() == [name]
    assert answers(world) == [("run", "Accepted")]
    (run,) = world.status["active"]
    assert (run["trigger"], run["requestedBy"]) == ("Manual", "alice")
    assert run["request"] == world.status["requests"][0]["id"]
    assert world.cluster.events() == [("RequestAccepted", f"run: it is run {name}")]
    world.finish(name)
    world.settle()
    assert world.runs() == [(name, "Succeeded")]


def test_it_costs_three_writes_and_its_entry_in_the_cron_job() -> None:
    world = world_with()
    world.annotate(run="now")
    writes = [write.verb for write in world.settle() if write.verb != "event"]
    assert writes == ["status", "create", "status", "tell"]


def test_a_request_is_carried_out_once_for_as_long_as_it_stands_there() -> None:
    world = world_with()
    ask(world, run="now")
    (name,) = world.created()
    world.finish(name)
    world.settle()
    world.change(timeout="5m")
    world.settle()
    world.restart()
    world.settle()
    world.cluster.delete("Job", NAMESPACE, name)
    world.settle()
    assert world.created() == [name]
    ask(world, run="again")
    assert len(world.created()) == 2, "another value is another request"


def test_the_answer_goes_with_the_annotation() -> None:
    world = world_with()
    ask(world, run="now")
    ask(world, run=None)
    assert world.status["requests"] == []


def test_the_scheduled_job_itself_is_never_written() -> None:
    world = world_with()
    before = world.scheduled_job["metadata"]
    ask(world, run={"id": "1", **OVERRIDES})
    after = world.scheduled_job["metadata"]
    assert {key: value for key, value in after.items() if key != "resourceVersion"} == {
        **{key: value for key, value in before.items() if key != "resourceVersion"},
        "annotations": after["annotations"],
    }
    assert set(after["annotations"]) == {"scheduledjob.dev/run"}


def test_a_refused_request_does_nothing_but_say_why() -> None:
    world = world_with()
    ask(world, run={"id": "1", "env": {"SCHEDULEDJOB_NAME": CANARY}})
    assert (world.created(), world.pending()) == ([], [])
    assert answers(world) == [("run", "Refused")]
    ((reason, note),) = world.cluster.events()
    assert reason == "RequestRefused"
    assert "SCHEDULEDJOB_NAME" in note
    assert CANARY not in note


def test_requests_wait_until_the_spec_can_be_read() -> None:
    world = world_with()
    world.change(schedule="61 * * * *")
    ask(world, run="now")
    assert world.status["requests"] == []
    world.change(schedule="*/5 * * * *")
    world.settle()
    assert len(world.created()) == 1


def test_what_is_asked_for_runs_though_the_schedule_is_disabled() -> None:
    world = world_with(enabled=False)
    ask(world, run="now")
    assert len(world.created()) == 1
