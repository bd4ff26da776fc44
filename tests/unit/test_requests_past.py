"""Requests by annotation for what has passed: backfills and dead letters."""

from typing import Any

import pytest

from scheduledjob_operator.models import PendingReason, Trigger
from scheduledjob_operator.requests import MOST_PENDING
from tests.unit.asking import active, asked, letter, pending, said, status
from tests.unit.moments import NOON, after_noon, text

# Backfill


def test_a_backfill_is_a_run_for_each_slot_with_both_ends() -> None:
    value = {
        "from": text(after_noon(-600)),
        "to": text(NOON),
        "parallelism": 2,
        "requestedBy": "alice",
    }
    answers = asked({"backfill": value})
    (outcome,) = answers.new
    assert [run.slot for run in answers.pending] == [after_noon(-600), after_noon(-300), NOON]
    assert [run.id for run in answers.pending] == [
        f"sync-{minutes}-b{outcome.id[:6]}" for minutes in (29922470, 29922475, 29922480)
    ]
    for run in answers.pending:
        assert (run.trigger, run.reason, run.parallelism) == (Trigger.BACKFILL, PendingReason.QUEUED, 2)
        assert (run.request, run.requested_by, run.due_time) == (outcome.id, "alice", NOON)
    assert outcome.message == "3 slots from 2026-11-22T11:50:00Z to 2026-11-22T12:00:00Z will run"


@pytest.mark.parametrize(
    ("start", "end", "sentence"),
    [
        (-60, -120, "from is after to: write the earlier time as from"),
        (-60, 1, "to is in the future: a backfill is for slots that have passed"),
        (-299, -1, "the schedule has no slot from 2026-11-22T11:55:01Z to 2026-11-22T11:59:59Z"),
        (-30_000, 0, "a backfill has at most 100 slots, this range has 101: ask for a shorter range"),
        (-2_999_700, 0, "a backfill has at most 100 slots, this range has 10,000: ask for a shorter range"),
        (
            -(10**9),
            0,
            "a backfill has at most 100 slots, this range has more than 105,408: ask for a shorter",
        ),
    ],
    ids=["backwards", "in the future", "no slot", "one too many", "ten thousand", "decades"],
)
def test_which_ranges_are_refused(start: int, end: int, sentence: str) -> None:
    answers = asked({"backfill": {"from": text(after_noon(start)), "to": text(after_noon(end))}})
    assert said(answers).startswith(f"Refused: {sentence}")
    assert answers.pending == []


def test_a_hundred_slots_are_not_too_many_and_a_fraction_of_a_second_counts() -> None:
    def slots(start: str) -> int:
        return len(asked({"backfill": {"from": start, "to": text(NOON)}}).pending)

    assert slots(text(after_noon(-29_700))) == 100
    assert slots("2026-11-22T11:55:00Z") == 2
    assert slots("2026-11-22T11:55:00.001Z") == 1


def test_a_rare_slot_too_many_is_said_so() -> None:
    value = {"from": "1970-01-01T00:00:00Z", "to": text(NOON)}
    answers = asked({"backfill": value}, schedule="0 0 1 * *")
    assert "this range has more than 100: " in said(answers)


def test_no_more_runs_wait_than_the_status_holds() -> None:
    full = [pending(f"w{number}", reason=PendingReason.BACKOFF) for number in range(MOST_PENDING - 1)]
    before = status(pending=full, dead_letters=[letter("a"), letter("b")])
    range_of_two = {"from": text(after_noon(-300)), "to": text(NOON)}
    for request in ({"backfill": range_of_two}, {"retry": "all"}):
        answers = asked(request, before=before)
        assert said(answers) == (
            "Refused: at most 150 runs may be pending, 149 are and this asks for 2 more: "
            "ask for fewer, or later"
        )
        assert answers.pending == []
    assert len(asked({"run": "x"}, before=before).pending) == 1
    both = asked({"run.a": "x", "run.b": "x"}, before=before, concurrencyPolicy="Allow")
    assert [answer.outcome for answer in both.new] == ["Accepted", "Refused"]


# Dead letters


@pytest.mark.parametrize("value", ["sync-2", {"run": "sync-2", "id": "x"}])
def test_a_dead_letter_is_tried_again(value: Any) -> None:
    answers = asked({"retry": value}, before=status(dead_letters=[letter("sync-3"), letter("sync-2")]))
    (outcome,), (run,) = answers.new, answers.pending
    assert (run.id, run.retry_of, run.slot) == (f"sync-2-t{outcome.id}", "sync-2", after_noon(-600))
    assert (run.trigger, run.reason, run.request) == (Trigger.RETRY, PendingReason.QUEUED, outcome.id)
    assert outcome.message == "1 dead letter will be tried again"


def test_all_dead_letters_are_tried_again_but_those_that_already_are() -> None:
    before = status(
        dead_letters=[letter("d"), letter("c"), letter("b"), letter("a")],
        active=[active("x", retry_of="b")],
        pending=[pending("y", retry_of="c", reason=PendingReason.BACKOFF)],
    )
    answers = asked({"retry": {"run": "all", "requestedBy": "bob"}}, before=before)
    assert [(run.retry_of, run.requested_by) for run in answers.pending] == [("a", "bob"), ("d", "bob")]
    assert said(answers) == "Accepted: 2 dead letters will be tried again"


@pytest.mark.parametrize(
    ("value", "letters", "sentence"),
    [
        ("x", [], "there are no dead letters"),
        ("all", [], "there are no dead letters"),
        ("x", ["a"], "there is no dead letter x: there is a"),
        ("x", ["c", "b", "a"], "there is no dead letter x: there are a, b, c"),
        ("x", ["e", "d", "c", "b", "a"], "there is no dead letter x: there are a, b, c and 2 more"),
    ],
)
@pytest.mark.parametrize("kind", ["retry", "clear"])
def test_what_is_said_when_there_is_no_such_dead_letter(
    kind: str, value: str, letters: list[str], sentence: str
) -> None:
    answers = asked({kind: value}, before=status(dead_letters=[letter(id_) for id_ in letters]))
    assert said(answers) == f"Refused: {sentence}"
    assert (answers.pending, answers.cleared) == ([], frozenset())


@pytest.mark.parametrize("value", ["sync-2", "all"])
def test_a_dead_letter_is_not_tried_twice_at_once(value: str) -> None:
    for under_way in (
        {"active": [active("x", retry_of="sync-2")]},
        {"pending": [pending("x", retry_of="sync-2")]},
    ):
        answers = asked({"retry": value}, before=status(dead_letters=[letter()], **under_way))
        assert said(answers) == "Refused: that is under way already: there is x"
    twice = asked({"retry": "sync-2", "retry.b": "all"}, before=status(dead_letters=[letter()]))
    assert [answer.outcome for answer in twice.new] == ["Accepted", "Refused"]
    assert len(twice.pending) == 1


def test_dead_letters_are_cleared() -> None:
    before = status(dead_letters=[letter("a"), letter("b")])
    one = asked({"clear": "a"}, before=before)
    assert (one.cleared, said(one)) == (frozenset({"a"}), "Accepted: 1 dead letter cleared")
    every = asked({"clear": {"run": "all"}}, before=before)
    assert (every.cleared, said(every)) == (frozenset({"a", "b"}), "Accepted: 2 dead letters cleared")


def test_what_was_cleared_is_not_tried_again_in_the_same_breath() -> None:
    before = status(dead_letters=[letter("a"), letter("b")])
    answers = asked({"clear": "a", "retry": "all"}, before=before)
    assert [run.retry_of for run in answers.pending] == ["b"]
