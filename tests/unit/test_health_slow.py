"""A job is slow when a run takes too long, until one that ended later did not."""

from scheduledjob_operator.models import (
    PendingReason,
    Result,
    Trigger,
)
from tests.unit.moments import NOON, after_noon
from tests.unit.watched_health import (
    TEN_MINUTES,
    WITHIN_A_DAY,
    Watched,
    active,
    letter,
    look,
    pending,
    run,
    status,
)


def test_a_run_that_takes_too_long_makes_it_slow_while_it_runs() -> None:
    seen = status(active=[active()])
    condition, again = look(seen, expect=TEN_MINUTES, now=after_noon(600))
    assert (condition.reason, again) == ("Succeeding", after_noon(601))
    condition, again = look(seen, expect=TEN_MINUTES, now=after_noon(601))
    assert (condition.status, condition.reason, again) == ("False", "Slow", None)
    assert condition.message == "sync-2 takes longer than 10m"


def test_a_run_that_waits_for_its_next_attempt_still_takes_its_time() -> None:
    waiting = pending(reason=PendingReason.BACKOFF, attempt=2, start_time=NOON, trigger=Trigger.SCHEDULE)
    condition, _ = look(status(pending=[waiting]), expect=TEN_MINUTES, now=after_noon(601))
    assert (condition.reason, condition.message) == ("Slow", "sync-3 takes longer than 10m")
    assert (
        look(status(pending=[pending()]), expect=TEN_MINUTES, now=after_noon(601))[0].reason == "Succeeding"
    )


def test_of_several_slow_runs_the_oldest_is_named() -> None:
    seen = status(active=[active("old"), active("new", start=after_noon(60))])
    condition, _ = look(seen, expect=TEN_MINUTES, now=after_noon(900))
    assert condition.message == "old takes longer than 10m"


def test_a_run_that_took_too_long_makes_it_slow() -> None:
    condition, _ = look(status(last_run=run(seconds=725.4)), expect=TEN_MINUTES)
    assert (condition.reason, condition.message) == ("Slow", "sync-1 took 725s, longer than 10m")
    assert look(status(last_run=run(seconds=600)), expect=TEN_MINUTES)[0].reason == "Succeeding"
    assert look(status(last_run=run(seconds=725.4)), expect=WITHIN_A_DAY)[0].reason == "Succeeding"


def test_slow_stays_until_a_run_that_ended_later_was_quick() -> None:
    job = Watched(TEN_MINUTES)
    assert job.sees(status(last_run=run(seconds=700)), now=0) == "Slow"
    first = job.condition
    cancelled = run("sync-2", result=Result.CANCELLED, end=after_noon(60), seconds=5)
    assert job.sees(status(last_run=cancelled), now=60) == "Slow"
    unknown = run("sync-3", end=after_noon(90), seconds=None)
    assert job.sees(status(last_run=unknown), now=90) == "Slow"
    assert job.condition == first
    quick = run("sync-4", end=after_noon(120), seconds=5)
    assert job.sees(status(last_run=quick), now=120) == "Succeeding"
    assert job.sees(status(last_run=cancelled), now=180) == "Succeeding"


def test_slow_stays_though_the_condition_had_been_false_for_another_reason_before() -> None:
    job = Watched(TEN_MINUTES)
    assert job.sees(status(dead_letters=[letter("a")]), now=-60) == "DeadLetters"
    long = active(start=after_noon(-700))
    assert job.sees(status(active=[long]), now=0) == "Slow"
    ended = run("sync-2", result=Result.CANCELLED, end=after_noon(10), seconds=710)
    assert job.sees(status(last_run=ended), now=10) == "Slow"
    assert job.sees(status(last_run=run(end=after_noon(20), seconds=5)), now=20) == "Succeeding"


def test_slow_ends_when_nothing_is_expected_of_the_duration_any_more() -> None:
    job = Watched(TEN_MINUTES)
    assert job.sees(status(last_run=run(seconds=700)), now=0) == "Slow"
    job.expect = WITHIN_A_DAY
    assert job.sees(status(last_run=run(seconds=700)), now=0) == "Succeeding"
