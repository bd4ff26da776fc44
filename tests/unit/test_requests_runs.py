"""Requests by annotation for a run, and for its end."""

from typing import Any

import pytest

from scheduledjob_operator.models import PendingReason, PendingRun, ScheduledJobStatus, Trigger
from scheduledjob_operator.requests import Overrides
from tests.unit.asking import CANARY, active, asked, ended, pending, said, status
from tests.unit.moments import after_noon, text

# Run


def test_a_run_is_put_down_as_pending() -> None:
    answers = asked({"run": {"requestedBy": "alice", "slot": "2026-11-22T11:00:00.5Z"}}, now=after_noon(30.9))
    (outcome,) = answers.new
    assert answers.pending == [
        PendingRun(
            id=f"sync-m{outcome.id}",
            job_name=f"sync-m{outcome.id}",
            slot=after_noon(-3600),
            trigger=Trigger.MANUAL,
            requested_by="alice",
            request=outcome.id,
            reason=PendingReason.QUEUED,
            due_time=after_noon(30),
            since=after_noon(30),
        )
    ]
    assert outcome.message == f"it is run sync-m{outcome.id}"
    assert answers.overrides == {}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"args": {"batch": 1}}, Overrides(args={"batch": 1})),
        ({"args": {}}, Overrides(args={})),
        ({"env": {"MODE": "full"}}, Overrides(env={"MODE": "full"})),
        ({"env": {}}, None),
        ("now", None),
    ],
    ids=["arguments", "no arguments at all", "variables", "no variables", "bare"],
)
def test_what_a_run_has_of_its_own_is_told_apart_from_the_status(
    value: Any, expected: Overrides | None
) -> None:
    answers = asked({"run": value})
    (run,) = answers.pending
    assert answers.overrides == ({run.id: expected} if expected else {})


def test_arguments_are_only_for_a_handler() -> None:
    answers = asked({"run": {"args": {"x": CANARY}}}, command=["true"])
    assert said(answers) == (
        "Refused: args are for a handler, and this ScheduledJob runs a command: leave them out"
    )
    assert said(asked({"run": {"env": {"X": "1"}}}, command=["true"])).startswith("Accepted")


@pytest.mark.parametrize(("seconds", "outcome"), [(-7, "Accepted"), (0, "Accepted"), (1, "Refused")])
def test_the_slot_of_a_run_is_any_time_that_has_passed(seconds: int, outcome: str) -> None:
    answers = asked({"run": {"slot": text(after_noon(seconds))}})
    assert answers.new[0].outcome == outcome
    assert ("slot is in the future" in said(answers)) == (outcome == "Refused")


ACTIVE = (
    "a run is active and concurrencyPolicy is Forbid: ask again when it has ended, or with ifActive: Queue"
)
WAITING = "a run is waiting to start and concurrencyPolicy is Forbid: ask again when it has run"


@pytest.mark.parametrize(
    ("policy", "value", "before", "refused"),
    [
        ("Forbid", "now", status(active=[active()]), ACTIVE),
        ("Forbid", {"ifActive": "Refuse"}, status(active=[active()]), ACTIVE),
        ("Forbid", {"ifActive": "Queue"}, status(active=[active()]), None),
        ("Forbid", "now", status(pending=[pending()]), WAITING),
        ("Forbid", "now", status(pending=[pending(reason=PendingReason.BACKOFF)]), None),
        ("Forbid", "now", status(), None),
        ("Allow", "now", status(active=[active()], pending=[pending()]), None),
        ("Replace", "now", status(active=[active()], pending=[pending()]), None),
    ],
)
def test_a_run_beside_others(
    policy: str, value: Any, before: ScheduledJobStatus, refused: str | None
) -> None:
    answers = asked({"run": value}, before=before, concurrencyPolicy=policy)
    assert len(answers.pending) == (0 if refused else 1)
    assert said(answers).startswith(f"Refused: {refused}" if refused else "Accepted")


def test_of_two_requests_at_once_under_forbid_the_first_is_granted() -> None:
    answers = asked({"run.b": "x", "run.a": "x"})
    assert [(answer.annotation, answer.outcome) for answer in answers.new] == [
        ("run.a", "Accepted"),
        ("run.b", "Refused"),
    ]


# Cancel


@pytest.mark.parametrize("value", ["sync-1", "sync-9"], ids=["active", "pending"])
def test_a_run_is_cancelled(value: str) -> None:
    before = status(active=[active()], pending=[pending()])
    answers = asked({"cancel": value, "cancel.b": {"run": value, "requestedBy": "alice"}}, before=before)
    assert [answer.outcome for answer in answers.new] == ["Accepted", "Accepted"]
    assert answers.cancel == {value: "alice"}
    assert asked({"cancel": value}, before=before).cancel == {value: ""}


@pytest.mark.parametrize(
    ("before", "sentence"),
    [
        (status(), "no run x is active or pending: no run is"),
        (
            status(active=[active("a")], pending=[pending("b")]),
            "no run x is active or pending: there are a, b",
        ),
        (status(recent_runs=[ended("x")]), "run x has ended already: Succeeded"),
    ],
    ids=["none at all", "others", "ended"],
)
def test_what_is_said_when_there_is_no_such_run(before: ScheduledJobStatus, sentence: str) -> None:
    answers = asked({"cancel": "x"}, before=before)
    assert (said(answers), answers.cancel) == (f"Refused: {sentence}", {})


def test_a_queued_run_that_is_cancelled_stands_in_nobodys_way() -> None:
    answers = asked({"cancel": "sync-9", "run": "x"}, before=status(pending=[pending()]))
    assert [answer.outcome for answer in answers.new] == ["Accepted", "Accepted"]
