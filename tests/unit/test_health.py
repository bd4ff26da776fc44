"""The condition `Healthy`: what it says, of what first, and how old it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduledjob_operator.models import (
    Result,
    ScheduledJobStatus,
)
from tests.unit.moments import NOON, after_noon
from tests.unit.watched_health import (
    BOTH,
    HOUR,
    TEN_MINUTES,
    Watched,
    active,
    failed,
    letter,
    look,
    pending,
    run,
    status,
)

SAYS: list[tuple[ScheduledJobStatus, tuple[str, str, str]]] = [
    (
        status(last_run=None, last_success_time=None),
        ("Unknown", "NeverRan", "no run has succeeded or failed yet"),
    ),
    (
        status(last_run=run(result=Result.CANCELLED), last_success_time=None),
        ("Unknown", "NeverRan", "no run has succeeded or failed yet"),
    ),
    (status(), ("True", "Succeeding", "no run has failed since the last success")),
    (
        status(last_run=run(result=Result.CANCELLED)),
        ("True", "Succeeding", "no run has failed since the last success"),
    ),
    (
        failed(1),
        ("False", "Failing", "sync-1 failed at 2026-11-22T12:00:00Z (ExitCode, exit code 3); 1 failure"),
    ),
    (
        failed(3, last_run=run(result=Result.TIMED_OUT, reason="DeadlineExceeded")),
        (
            "False",
            "Failing",
            "sync-1 timed out at 2026-11-22T12:00:00Z (DeadlineExceeded); 3 failures in a row",
        ),
    ),
    (
        failed(
            2,
            last_run=run("sync-9", result=Result.CANCELLED),
            recent_runs=[
                run("sync-9", result=Result.CANCELLED),
                run("sync-8", result=Result.FAILED, reason="OOMKilled", exit_code=137),
            ],
        ),
        (
            "False",
            "Failing",
            "sync-8 failed at 2026-11-22T12:00:00Z (OOMKilled, exit code 137); 2 failures in a row",
        ),
    ),
    (failed(2, last_run=None), ("False", "Failing", "2 failures in a row")),
    (
        status(dead_letters=[letter("a")]),
        ("False", "DeadLetters", "1 run failed for good: retry or clear them"),
    ),
    (
        status(dead_letters=[letter("a"), letter("b")], dead_letters_dropped=7),
        (
            "False",
            "DeadLetters",
            "2 runs failed for good, and 7 older of them are no longer listed: retry or clear them",
        ),
    ),
    (status(dead_letters_dropped=7), ("True", "Succeeding", "no run has failed since the last success")),
]


@pytest.mark.parametrize(("seen", "expected"), SAYS)
def test_the_condition_says_how_the_runs_went(
    seen: ScheduledJobStatus, expected: tuple[str, str, str]
) -> None:
    condition, look_again = look(seen)
    assert (condition.status, condition.reason, condition.message) == expected
    assert (condition.type, condition.observed_generation) == ("Healthy", 4)
    assert condition.last_transition_time == NOON
    assert look_again is None


def test_of_several_troubles_the_first_one_is_named() -> None:
    later = after_noon(25 * HOUR)
    letters, slow = [letter("a")], [active()]
    everything = failed(1, dead_letters=letters, active=slow)
    assert look(everything, expect=BOTH, now=later)[0].reason == "Failing"
    assert look(status(dead_letters=letters, active=slow), expect=BOTH, now=later)[0].reason == "DeadLetters"
    assert look(status(active=slow), expect=BOTH, now=later)[0].reason == "Late"
    assert look(status(active=slow), expect=TEN_MINUTES, now=later)[0].reason == "Slow"


def test_the_error_of_a_run_is_not_repeated() -> None:
    seen = failed(1, last_run=run(result=Result.FAILED, reason="ExitCode", message="pa55word", value="v4lue"))
    message = look(seen)[0].message
    assert "pa55word" not in message
    assert "v4lue" not in message


def test_the_sooner_of_late_and_slow_is_the_next_look() -> None:
    _, again = look(status(active=[active()]), expect=BOTH, now=NOON)
    assert again == after_noon(601)
    _, again = look(status(active=[active()]), expect=BOTH, now=after_noon(700))
    assert again == after_noon(24 * HOUR + 1)


def test_the_condition_is_as_old_as_its_status_not_as_its_reason() -> None:
    job = Watched(TEN_MINUTES)
    job.sees(failed(1), now=0)
    job.sees(status(last_run=run(seconds=700)), now=60)
    assert job.condition is not None
    assert (job.condition.reason, job.condition.last_transition_time) == ("Slow", NOON)
    job.sees(status(), now=120)
    assert (job.condition.reason, job.condition.last_transition_time) == ("Succeeding", after_noon(120))


SECONDS = st.integers(min_value=-100 * HOUR, max_value=100 * HOUR)
STATUSES = st.builds(
    status,
    last_success_time=st.none() | SECONDS.map(after_noon),
    scheduled_since=st.none() | SECONDS.map(after_noon),
    consecutive_failures=st.integers(min_value=0, max_value=2),
    last_run=st.builds(
        run,
        seconds=st.sampled_from([None, 5, 700]),
        result=st.sampled_from([Result.SUCCEEDED, Result.FAILED]),
    ),
    active=st.lists(SECONDS.map(lambda start: active(start=after_noon(start))), max_size=2),
    pending=st.lists(st.just(pending()), max_size=1),
)


@given(STATUSES, SECONDS, st.integers(min_value=0, max_value=400 * HOUR))
def test_nothing_changes_by_time_alone_before_the_moment_that_was_foretold(
    seen: ScheduledJobStatus, start: int, seconds: int
) -> None:
    first, again = look(seen, expect=BOTH, now=after_noon(start))
    later = after_noon(start + seconds)
    assert again is None or again > after_noon(start)
    if again is None or later < again:
        assert look(seen, expect=BOTH, previous=first, now=later)[0] == first
