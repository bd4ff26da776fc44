"""What people ask for by annotations, from the annotation to the Jobs and the answer."""

import json
from typing import Any

import pytest

from scheduledjob_operator.cluster import ApiError
from scheduledjob_operator.job_names import slot_job
from tests.unit.bodies import NAME, NAMESPACE, Body, cron_job
from tests.unit.fake_cluster import LOST, UNREACHABLE
from tests.unit.moments import after_noon, text
from tests.unit.world import World

CANARY = "hunter2-canary"
OVERRIDES = {"args": {"token": CANARY}, "env": {"MODE": CANARY}}
RUN = slot_job(NAME, after_noon(300))


def world_with(**fields: Any) -> World:
    """One in sync, every five minutes, at 12:00:30."""
    world = World()
    world.create({"schedule": "*/5 * * * *", "handler": "sync", **fields})
    world.settle()
    return world


def ask(world: World, **requests: Any) -> None:
    """Requests by annotations; what is no text is written as JSON."""
    values = {
        name: value if value is None or isinstance(value, str) else json.dumps(value)
        for name, value in requests.items()
    }
    world.annotate(**values)
    world.settle()


def answers(world: World) -> list[tuple[str, str]]:
    return [(entry["annotation"], entry["outcome"]) for entry in world.status["requests"]]


def variables(world: World, name: str) -> dict[str, str]:
    """Values of the variables of a Job's container."""
    (container,) = world.job(name)["spec"]["template"]["spec"]["containers"]
    return {entry["name"]: entry["value"] for entry in container["env"] if "value" in entry}


def dead_letter(world: World, *, exit_code: int = 1) -> str:
    """The run of the first slot fails for good; its id."""
    world.go_to(300)
    name = world.start_slot(300)
    world.go_to(310)
    world.finish(name, exit_code)
    world.settle()
    return name


# Run


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


def test_a_run_has_what_it_was_given_and_the_next_slot_does_not() -> None:
    world = world_with(args={"token": "usual"}, env=[{"name": "MODE", "value": "usual"}])
    ask(world, run={"id": "1", **OVERRIDES})
    (name,) = world.created()
    found = variables(world, name)
    assert json.loads(found["SCHEDULEDJOB_ARGS"]) == {"token": CANARY}
    assert found["MODE"] == CANARY
    template = world.cron_job["spec"]["jobTemplate"]
    assert CANARY not in json.dumps(template)


def test_every_attempt_of_a_run_has_what_it_was_given() -> None:
    world = world_with(retry={"limit": 2, "backoff": {"initial": "30s"}})
    ask(world, run={"id": "1", **OVERRIDES})
    (name,) = world.created()
    world.finish(name, 1)
    world.go_to(70)
    assert world.created() == [name, f"{name}-r2"]
    assert variables(world, f"{name}-r2")["MODE"] == CANARY


def test_a_retry_of_a_dead_letter_has_what_the_run_was_given() -> None:
    world = world_with(retry={"limit": 1, "backoff": {"initial": "1s"}})
    ask(world, run={"id": "1", **OVERRIDES})
    (name,) = world.created()
    world.finish(name, 65)
    world.settle()
    (letter,) = world.status["deadLetters"]
    assert letter["overridden"] is True
    ask(world, retry="all")
    assert variables(world, world.created()[-1])["MODE"] == CANARY


def test_what_a_run_was_given_is_forgotten_when_nothing_can_ask_for_it_again() -> None:
    world = world_with()
    ask(world, run={"id": "1", **OVERRIDES})
    assert CANARY in json.dumps(world.cron_job["metadata"]["annotations"])
    world.finish(world.created()[0])
    world.settle()
    assert CANARY not in json.dumps(world.cron_job)


@pytest.mark.parametrize("exit_code", [0, 1, 65])
def test_what_a_run_was_given_stands_in_no_status_and_no_event(exit_code: int) -> None:
    world = world_with(retry={"limit": 1, "backoff": {"initial": "1s"}})
    ask(world, run={"id": "1", **OVERRIDES})
    for _ in range(2):
        assert CANARY not in json.dumps(world.status)
        world.finish(world.created()[-1], exit_code)
        world.wait(1)
    told = [write.body for write in world.cluster.writes if write.verb in ("status", "event")]
    assert told
    assert CANARY not in json.dumps(told)


def test_it_does_not_stand_in_the_reason_of_a_refusal_either() -> None:
    world = world_with(pendingTimeout="1m")
    refusal = ApiError(status=422, reason="Invalid", message=f'env: Invalid value: "{CANARY}": no')
    world.cluster.rule = lambda request: refusal if request.verb == "create" else None
    ask(world, run={"id": "1", **OVERRIDES})
    world.go_to(120)
    (run,) = world.status["recentRuns"]
    assert (run["result"], run["message"]) == ("Failed", 'env: Invalid value: "[redacted]": no')


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


def test_a_run_that_is_asked_for_while_there_is_no_cron_job_has_what_it_was_given() -> None:
    world = world_with(args={"token": "usual"})
    world.cluster.delete("CronJob", NAMESPACE, NAME)
    world.now = after_noon(700)  # slots have passed
    world.annotate(run=json.dumps({"id": "1", **OVERRIDES}))
    world.restart()
    world.settle()
    (name,) = world.created()
    assert variables(world, name)["MODE"] == CANARY


def test_a_run_that_is_asked_for_while_the_name_is_taken_has_what_it_was_given() -> None:
    world = World()
    world.cluster.put("CronJob", cron_job(labels={}, ownerReferences=[]))
    world.create({"schedule": "*/5 * * * *", "handler": "sync"})
    ask(world, run={"id": "1", **OVERRIDES})
    assert world.ready == ("False", "NameConflict")
    world.cluster.delete("CronJob", NAMESPACE, NAME)
    world.settle()
    world.go_to(200)
    (name,) = world.created()
    assert variables(world, name)["MODE"] == CANARY


def test_a_run_whose_own_arguments_are_lost_does_not_run_with_the_usual_ones() -> None:
    world = world_with(args={"token": "usual"})
    world.go_to(300)
    active = world.start_slot(300)
    world.run_pod(active)
    ask(world, run={"id": "1", "ifActive": "Queue", **OVERRIDES})
    world.cluster.delete("CronJob", NAMESPACE, NAME)
    world.settle()
    world.wait(10)
    for name in world.created():
        assert variables(world, name)["MODE"] == CANARY
    assert world.has_cron_job


# While another run is active


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


# Backfill


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


# Dead letters


def test_a_retry_that_succeeds_takes_its_dead_letter_away() -> None:
    world = world_with(retry={"limit": 1, "backoff": {"initial": "1s"}})
    letter = dead_letter(world, exit_code=65)
    assert [entry["id"] for entry in world.status["deadLetters"]] == [letter]
    ask(world, retry={"run": letter, "requestedBy": "bob"})
    (name,) = world.created()
    annotations = world.job(name)["metadata"]["annotations"]
    assert annotations["scheduledjob.dev/retry-of"] == letter
    assert annotations["scheduledjob.dev/slot"] == text(after_noon(300))
    world.go_to(330)
    world.finish(name)
    world.settle()
    assert world.status["deadLetters"] == []
    assert world.runs() == [(letter, "Failed"), (name, "Succeeded")]


def test_a_retry_that_fails_leaves_its_dead_letter_with_one_attempt_more() -> None:
    world = world_with(retry={"limit": 1, "backoff": {"initial": "1s"}})
    letter = dead_letter(world, exit_code=65)
    ask(world, retry="all")
    world.finish(world.created()[-1], 65)
    world.settle()
    (entry,) = world.status["deadLetters"]
    assert (entry["id"], entry["run"], entry["attempts"]) == (letter, world.created()[-1], 2)
    told = [reason for reason, _ in world.cluster.events()]
    assert told.count("DeadLetter") == 1, "it is the same letter"


def test_a_cleared_dead_letter_is_forgotten_without_a_run() -> None:
    world = world_with(retry={"limit": 1, "backoff": {"initial": "1s"}})
    letter = dead_letter(world, exit_code=65)
    ask(world, clear=letter)
    assert (world.status["deadLetters"], world.created()) == ([], [])
    assert world.status["deadLettersDropped"] == 0
    world.restart()
    assert world.settle() == []


# Cancel


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


# While the schedule is disabled


def test_what_is_asked_for_runs_though_the_schedule_is_disabled() -> None:
    world = world_with(enabled=False)
    ask(world, run="now")
    assert len(world.created()) == 1


# What goes wrong on the way


def story(world: World) -> list[Body]:
    world.annotate(run=json.dumps({"id": "1", **OVERRIDES}))
    world.settle()
    for _ in range(3):
        world.wait(1)
    return [{"name": name, "mode": variables(world, name).get("MODE")} for name in world.job_names()]


REFERENCE = world_with()
BEFORE = len(REFERENCE.cluster.requests)
JOBS = [{**job, "mode": CANARY} for job in story(REFERENCE)]
STEPS = len(REFERENCE.cluster.requests) - BEFORE


@pytest.mark.parametrize("outcome", [LOST, UNREACHABLE], ids=["after", "before"])
@pytest.mark.parametrize("step", range(STEPS))
@pytest.mark.parametrize("dies", [False, True], ids=["", "and died of it"])
def test_a_request_whose_way_broke_off_anywhere_makes_one_run_with_what_it_was_given(
    step: int, outcome: Any, dies: bool
) -> None:
    world = world_with()
    world.cluster.outcomes.extend([None] * step + [outcome])
    world.dies_of_errors = dies
    assert story(world) == JOBS
    assert answers(world) == [("run", "Accepted")]
    assert world.active() == [job["name"] for job in JOBS]
