"""When a run is not tried again, or not yet."""

from typing import Any

import pytest

from scheduledjob_operator.job_names import slot_job
from tests.unit.bodies import NAME, NAMESPACE
from tests.unit.moments import after_noon, text
from tests.unit.retried import RETRY, RUN, SECOND, failed_once, world_with


@pytest.mark.parametrize(
    ("fields", "exit_code"),
    [
        ({}, 65),
        ({"retry": {**RETRY, "neverOnExitCodes": [3]}}, 3),
        ({"retry": {**RETRY, "limit": 0}}, 1),
        ({"retry": {"limit": 2}}, 1),
    ],
    ids=["an exit code of sysexits.h", "an exit code of its own", "no retries", "retries by Kubernetes"],
)
def test_a_failure_that_ends_the_run_is_not_tried_again(fields: dict[str, Any], exit_code: int) -> None:
    world = failed_once(exit_code=exit_code, **fields)
    assert world.runs() == [(RUN, "Failed")]
    world.go_to(599)
    assert (world.pending(), world.created()) == ([], [])


def test_a_success_is_not_tried_again() -> None:
    assert failed_once(exit_code=0).pending() == []


def test_a_job_that_somebody_deleted_is_not_tried_again() -> None:
    world = world_with(retry=RETRY)
    world.go_to(300)
    world.start_slot(300)
    world.settle()
    world.cluster.delete("Job", NAMESPACE, RUN)
    world.settle()
    assert (world.runs(), world.pending()) == ([(RUN, "Cancelled")], [])


def test_a_run_that_is_called_off_between_two_attempts_ends() -> None:
    world = failed_once()
    world.annotate(cancel=RUN)
    world.settle()
    assert (world.runs(), world.pending()) == ([(RUN, "Cancelled")], [])
    world.go_to(500)
    assert world.created() == []


def test_retries_that_are_taken_from_the_spec_do_not_keep_a_waiting_run_from_its_attempt() -> None:
    world = failed_once()
    world.change(retry={"limit": 2})
    world.settle()
    world.go_to(350)
    assert world.created() == [SECOND]


def test_an_attempt_is_dropped_when_the_run_of_a_later_slot_has_begun() -> None:
    world = failed_once(retry={"limit": 2, "backoff": {"initial": "10m"}})
    world.go_to(600)
    later = world.start_slot(600)
    world.settle()
    assert world.runs() == [(RUN, "Failed")]
    assert world.status["lastRun"]["reason"] == "Superseded"
    assert world.status["lastRun"]["endTime"] == text(after_noon(310))
    assert (world.active(), world.pending()) == ([later], [])
    world.go_to(620)
    world.finish(later)
    world.go_to(899)
    assert world.created() == []
    assert world.status.get("deadLetters") == []


def test_an_attempt_that_is_kept_waits_for_the_run_of_the_later_slot() -> None:
    world = failed_once(retry={"limit": 2, "backoff": {"initial": "10m"}, "keepAcrossSlots": True})
    world.go_to(600)
    world.start_slot(600)
    world.go_to(620)
    world.finish(slot_job(NAME, after_noon(600)))
    world.go_to(900)
    last = world.start_slot(900)
    world.go_to(930)
    assert world.created() == [], "one is active"
    world.finish(last)
    world.settle()
    assert world.created() == [SECOND]
    assert (world.active(), world.pending()) == ([RUN], [])


def test_nothing_starts_right_before_a_slot_that_kubernetes_will_start() -> None:
    world = failed_once(retry={"limit": 2, "backoff": {"initial": "288s"}})  # due two seconds before a slot
    world.go_to(599)
    assert world.created() == []
    assert world.pending() == [(RUN, "Backoff", text(after_noon(598)))]
