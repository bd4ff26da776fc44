"""Dead letters: who becomes one, what a retry makes of it, and that there are never too many."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduledjob_operator.dead_letters import MOST, updated
from scheduledjob_operator.models import Attempt, DeadLetter, Result, Run, Trigger
from tests.unit.moments import NOON, after_noon


def run(id_: str = "sync-1", *, seconds: float = 0, result: str = "Failed", **given: Any) -> Run:
    fields: dict[str, Any] = {
        "slot": NOON,
        "trigger": Trigger.SCHEDULE,
        "reason": "ExitCode",
        "exit_code": 70,
        "message": "no disk",
        **given,
    }
    return Run(id=id_, job_name=id_, result=Result(result), end_time=after_noon(seconds), **fields)


def retried(id_: str, *, of: str = "sync-1", **given: Any) -> Run:
    return run(id_, retry_of=of, trigger=Trigger.RETRY, **given)


def attempts(number: int) -> list[Attempt]:
    return [Attempt(number=place) for place in range(1, number + 1)]


def update(
    *ended: Run,
    letters: list[DeadLetter] | None = None,
    dropped: int = 0,
    retry_limit: int = 3,
    overridden: frozenset[str] = frozenset(),
    cleared: frozenset[str] = frozenset(),
) -> tuple[list[DeadLetter], int, list[DeadLetter]]:
    return updated(
        letters=letters or [],
        dropped=dropped,
        ended=ended,
        retry_limit=retry_limit,
        overridden=overridden,
        cleared=cleared,
    )


def ids(letters: list[DeadLetter]) -> list[str]:
    return [letter.id for letter in letters]


def test_a_run_that_used_up_its_retries_is_a_dead_letter() -> None:
    failed = run(seconds=30, requested_by="alice", attempts=attempts(4))
    letters, dropped, new = update(failed)
    assert letters == [
        DeadLetter(
            id="sync-1",
            slot=NOON,
            trigger=Trigger.SCHEDULE,
            requested_by="alice",
            run="sync-1",
            attempts=4,
            result=Result.FAILED,
            reason="ExitCode",
            exit_code=70,
            message="no disk",
            time=after_noon(30),
        )
    ]
    assert (dropped, new) == (0, letters)


@pytest.mark.parametrize(
    ("ended", "retry_limit", "dead"),
    [
        (run(), 1, True),
        (run(result="TimedOut", reason="DeadlineExceeded"), 1, True),
        (run(trigger=Trigger.MANUAL, slot=None), 1, True),
        (run(trigger=Trigger.BACKFILL), 1, True),
        (run(), 0, False),
        (run(reason="Superseded"), 3, False),
        (run(trigger=Trigger.PROBE), 3, False),
        (run(result="Succeeded"), 3, False),
        (run(result="Cancelled"), 3, False),
        (run(result="Unknown"), 3, False),
    ],
    ids=[
        "failed",
        "timed out",
        "asked for by a person",
        "of a backfill",
        "of a schedule without retries",
        "superseded by a later run",
        "tried while paused",
        "succeeded",
        "cancelled",
        "unknown",
    ],
)
def test_who_becomes_a_dead_letter(ended: Run, retry_limit: int, dead: bool) -> None:
    letters, _, new = update(ended, retry_limit=retry_limit)
    assert (ids(letters), ids(new)) == ((["sync-1"], ["sync-1"]) if dead else ([], []))


def test_a_run_of_which_no_pod_was_seen_was_attempted_once() -> None:
    assert update(run(attempts=[]))[0][0].attempts == 1


def test_a_letter_remembers_that_its_run_had_arguments_of_its_own() -> None:
    letters, _, _ = update(run("a"), run("b"), overridden=frozenset({"b"}))
    assert {letter.id: letter.overridden for letter in letters} == {"a": False, "b": True}


def test_the_newest_letter_comes_first() -> None:
    letters, _, new = update(run("a", seconds=20), run("c", seconds=30), run("b", seconds=10))
    assert ids(letters) == ids(new) == ["c", "a", "b"]


# Retries of a letter


def test_a_letter_is_gone_when_its_retry_succeeds() -> None:
    before, _, _ = update(run("sync-1"), run("sync-2"))
    letters, dropped, new = update(retried("sync-1-t1", result="Succeeded", seconds=60), letters=before)
    assert (ids(letters), dropped, new) == (["sync-2"], 0, [])


def test_a_retry_that_fails_updates_the_letter_and_makes_no_second_one() -> None:
    before, _, _ = update(run(attempts=attempts(4)), overridden=frozenset({"sync-1"}))
    failed = retried(
        "sync-1-t1",
        seconds=60,
        result="TimedOut",
        reason="DeadlineExceeded",
        exit_code=124,
        message="slow",
        attempts=attempts(2),
    )
    letters, _, new = update(failed, letters=before)
    assert new == []
    assert letters == [
        before[0].model_copy(
            update={
                "run": "sync-1-t1",
                "attempts": 6,
                "result": Result.TIMED_OUT,
                "reason": "DeadlineExceeded",
                "exit_code": 124,
                "message": "slow",
                "time": after_noon(60),
            }
        )
    ]
    assert (letters[0].trigger, letters[0].overridden) == (Trigger.SCHEDULE, True)


def test_a_retry_that_fails_is_noted_though_the_schedule_has_no_retries_any_more() -> None:
    before, _, _ = update(run())
    assert update(retried("sync-1-t1"), letters=before, retry_limit=0)[0][0].run == "sync-1-t1"


@pytest.mark.parametrize("result", ["Cancelled", "Unknown"])
def test_a_retry_without_a_verdict_leaves_the_letter_as_it_is(result: str) -> None:
    before, _, _ = update(run())
    assert update(retried("sync-1-t1", result=result), letters=before) == (before, 0, [])


def test_a_retry_whose_letter_was_cleared_meanwhile_makes_a_new_one_when_it_fails() -> None:
    before, _, _ = update(run())
    failed = retried("sync-1-t1", seconds=60, attempts=attempts(2))
    for letters, cleared in ((before, frozenset({"sync-1"})), ([], frozenset[str]())):
        after, _, new = update(failed, letters=letters, cleared=cleared)
        assert [(letter.id, letter.run, letter.attempts) for letter in new] == [("sync-1", "sync-1-t1", 2)]
        assert after == new


def test_a_letter_that_fails_again_is_the_newest() -> None:
    before, _, _ = update(run("sync-1"), run("sync-2", seconds=10))
    assert ids(before) == ["sync-2", "sync-1"]
    assert ids(update(retried("sync-1-t1", seconds=60), letters=before)[0]) == ["sync-1", "sync-2"]


def test_of_two_retries_that_failed_the_later_one_counts() -> None:
    before, _, _ = update(run())
    later, earlier = retried("sync-1-t2", seconds=90), retried("sync-1-t1", seconds=60)
    (letter,), _, _ = update(later, earlier, letters=before)
    assert (letter.run, letter.attempts, letter.time) == ("sync-1-t2", 3, after_noon(90))


# How many there are


def test_the_oldest_letters_are_dropped_and_counted() -> None:
    before, dropped, _ = update(*(run(f"r{number}", seconds=number) for number in range(MOST)))
    assert (len(before), dropped) == (MOST, 0)
    more = [run(f"r{number}", seconds=number) for number in range(MOST, MOST + 3)]
    letters, dropped, new = update(*more, letters=before, dropped=4)
    assert (len(letters), dropped) == (MOST, 7)
    assert (letters[0].id, letters[-1].id) == (f"r{MOST + 2}", "r3")
    assert ids(new) == [f"r{MOST + 2}", f"r{MOST + 1}", f"r{MOST}"]


def test_a_cleared_letter_makes_room_and_is_not_counted_as_dropped() -> None:
    before, _, _ = update(*(run(f"r{number}", seconds=number) for number in range(MOST)))
    letters, dropped, _ = update(run("new", seconds=90), letters=before, cleared=frozenset({"r7", "other"}))
    assert (len(letters), dropped) == (MOST, 0)
    assert "r7" not in ids(letters)


ended_runs = st.lists(
    st.builds(
        lambda number, seconds, result, of: (
            retried(f"s{number}-t", of=f"s{of}", seconds=seconds, result=result)
            if of is not None
            else run(f"s{number}", seconds=seconds, result=result)
        ),
        st.integers(0, 80),
        st.integers(0, 500),
        st.sampled_from(["Succeeded", "Failed", "TimedOut", "Cancelled"]),
        st.none() | st.integers(0, 80),
    ),
    max_size=70,
    unique_by=lambda run: run.id,
)


@given(first=ended_runs, second=ended_runs, cleared=st.frozensets(st.integers(0, 80).map("s{}".format)))
def test_letters_are_few_ordered_single_and_none_is_lost_without_being_counted(
    first: list[Run], second: list[Run], cleared: frozenset[str]
) -> None:
    before, dropped_before, _ = update(*first)
    letters, dropped, new = update(*second, letters=before, dropped=dropped_before, cleared=cleared)
    assert len(letters) <= MOST
    assert len(set(ids(letters))) == len(letters)
    assert letters == sorted(letters, key=lambda letter: (letter.time, letter.id), reverse=True)
    assert all(letter in letters for letter in new)
    assert dropped >= dropped_before
    if dropped > dropped_before:
        assert len(letters) == MOST
    else:
        succeeded = {run.retry_of or run.id for run in second if run.result is Result.SUCCEEDED}
        assert {letter.id for letter in before} - cleared - succeeded <= set(ids(letters))
