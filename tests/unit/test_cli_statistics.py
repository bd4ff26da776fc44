"""What the ScheduledJobs and their runs come to in numbers."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduledjob_operator.cli.statistics import Statistics, statistics
from scheduledjob_operator.models import Counts, PendingReason, Result, Run, ScheduledJobStatus, Trigger
from tests.unit.asking import active, letter, pending
from tests.unit.moments import NOON, after_noon
from tests.unit.named import named


def job(*, enabled: bool | None = None, priority: str | None = None, **status: Any) -> Any:
    given = {"enabled": enabled, "priority": priority}
    spec = {"handler": "sync", **{field: value for field, value in given.items() if value is not None}}
    return named(spec=spec, status=ScheduledJobStatus(**status))


def numbers(*jobs: Any) -> Statistics:
    return statistics(jobs, now=NOON)


def run(seconds: float | None, *, result: Result = Result.SUCCEEDED) -> Run:
    return Run(
        id="sync-1",
        job_name="sync-1",
        trigger=Trigger.SCHEDULE,
        result=result,
        reason="-",
        end_time=NOON,
        duration_seconds=seconds,
    )


def test_of_nothing_there_is_nothing_and_no_rate() -> None:
    found = numbers().model_dump(by_alias=True)
    assert found.pop("successRate") is None
    assert found.pop("averageDurationSeconds") is None
    assert found.pop("pending") == {"critical": 0, "high": 0, "normal": 0, "low": 0}
    assert set(found.values()) == {0}


def test_runs_that_wait_are_told_by_priority_and_retries_apart() -> None:
    found = numbers(
        job(priority="critical", pending=[pending("a"), pending("b", reason=PendingReason.CATCH_UP)]),
        job(priority="high", pending=[pending("a", reason=PendingReason.BACKOFF)]),
        job(pending=[pending("a", reason=PendingReason.COOL_DOWN)]),
        job(priority="of a newer version", pending=[pending("a")]),
        job(priority="low"),
    )
    assert found.pending.model_dump() == {"critical": 2, "high": 0, "normal": 2, "low": 0}
    assert found.retrying == 1


@pytest.mark.parametrize(
    ("given", "standing"),
    [
        ({}, "enabled"),
        ({"enabled": True}, "enabled"),
        ({"enabled": False}, "disabled"),
        ({"enabled": False, "suspended": "Disabled"}, "disabled"),
        ({"enabled": False, "suspended": "Suspended"}, "disabled"),
        ({"enabled": True, "suspended": "Disabled"}, "enabled"),
        ({"suspended": "Paused"}, "suspended"),
        ({"suspended": "OtherEnvironment"}, "suspended"),
    ],
)
def test_each_scheduled_job_is_enabled_disabled_or_suspended(given: dict[str, Any], standing: str) -> None:
    found = numbers(job(**given))
    kinds = ("enabled", "disabled", "suspended")
    assert {kind: getattr(found, kind) for kind in kinds} == {**dict.fromkeys(kinds, 0), standing: 1}


@pytest.mark.parametrize(("seconds", "due"), [(-3600, 1), (0, 1), (60, 1), (61, 0)])
def test_due_is_what_comes_within_a_minute_or_should_have_come(seconds: float, due: int) -> None:
    found = numbers(job(next_run_times=[after_noon(seconds), after_noon(7200)]), job())
    assert (found.scheduled, found.due) == (1, due)


def test_totals_are_those_of_all_times() -> None:
    found = numbers(
        job(counts=Counts(succeeded=6, failed=1, timed_out=1, cancelled=2, skipped=3, missed=4)),
        job(counts=Counts(succeeded=1)),
        job(active_count=2, active=[active()], dead_letters=[letter()]),
    )
    expected = {
        "processed": 9,
        "succeeded": 7,
        "failed": 2,
        "timed_out": 1,
        "cancelled": 2,
        "skipped": 3,
        "missed": 4,
        "success_rate": 0.7778,
        "processing": 2,
        "dead_letters": 1,
    }
    assert found.model_dump().items() >= expected.items()


def test_the_average_is_over_the_succeeded_runs_of_all() -> None:
    found = numbers(
        job(recent_runs=[run(1.0), run(2.0), run(900.0, result=Result.FAILED)]),
        job(recent_runs=[run(6.0), run(None)]),
    )
    assert found.average_duration_seconds == 3.0


@given(
    counts=st.lists(
        st.builds(Counts, succeeded=st.integers(0, 9), failed=st.integers(0, 9), timed_out=st.integers(0, 9)),
        max_size=5,
    )
)
def test_the_parts_make_the_whole(counts: list[Counts]) -> None:
    found = numbers(*(job(counts=count) for count in counts))
    assert found.succeeded + found.failed == found.processed
    assert found.timed_out <= found.failed
    assert found.enabled + found.disabled + found.suspended == found.scheduled_jobs == len(counts)
    assert found.success_rate is None or 0 <= found.success_rate <= 1
