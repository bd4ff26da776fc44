"""How all ScheduledJobs do together: what is counted, and what is known to be missing."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduledjob_operator.models import Condition, Counts, Result, Run, ScheduledJobStatus, Trigger
from scheduledjob_operator.pulse import QUIET, Pulse, Pulses, overall
from tests.unit.asking import active, pending
from tests.unit.endings import GIVEN_UP, JOB, crashed
from tests.unit.moments import NOON, after_noon
from tests.unit.world import KEY, World

DAY = 24 * 3600.0


def run(result: Result, *, seconds_ago: float) -> Run:
    end = after_noon(-seconds_ago)
    id_ = f"sync-{seconds_ago}"
    return Run(id=id_, job_name=id_, trigger=Trigger.MANUAL, result=result, reason="-", end_time=end)


def said(kind: str, status: Any) -> Condition:
    return Condition(type=kind, status=status, reason="Said", last_transition_time=NOON)


READY = said("Ready", "True")


def ledger(*failed: float, lost: int = 0, last: float | None = None) -> ScheduledJobStatus:
    """A status with runs that failed so many seconds ago, and `lost` failures that are in the counts only."""
    runs = [run(Result.FAILED, seconds_ago=ago) for ago in sorted(failed)]
    newest = last if last is not None else min(failed, default=None)
    return ScheduledJobStatus(
        conditions=[READY],
        recent_runs=runs,
        counts=Counts(failed=len(failed) + lost),
        last_failure_time=None if newest is None else after_noon(-newest),
    )


def together(
    *statuses: ScheduledJobStatus, now: datetime = NOON, degraded_above: int = 5, runs_kept: int = 20
) -> dict[str, Any]:
    pulses = [Pulse.of(status, runs_kept=runs_kept, now=NOON) for status in statuses]
    return overall(pulses, now=now, degraded_above=degraded_above).model_dump(by_alias=True)


def test_nothing_is_ok() -> None:
    assert together() == {
        "status": "ok",
        "degradedAbove": 5,
        "scheduledJobs": 0,
        "running": 0,
        "pending": 0,
        "failuresLast24h": 0,
        "failuresAtLeast": False,
        "deadLetters": 0,
        "unhealthy": 0,
        "notReady": 0,
    }


def test_runs_and_conditions_are_counted_over_all_of_them() -> None:
    busy = ScheduledJobStatus(
        conditions=[READY, said("Healthy", "False")], active_count=2, active=[active()], pending=[pending()]
    )
    idle = ScheduledJobStatus(conditions=[READY, said("Healthy", "Unknown")])
    refused = ScheduledJobStatus(conditions=[said("Ready", "False")])
    found = together(busy, idle, refused, ScheduledJobStatus())
    expected = {"scheduledJobs": 4, "running": 2, "pending": 1, "unhealthy": 1, "notReady": 2}
    assert found.items() >= expected.items()


@pytest.mark.parametrize(("failures", "status"), [(5, "ok"), (6, "degraded")])
def test_more_than_five_failures_are_too_many(failures: int, status: str) -> None:
    statuses = [ledger(number) for number in range(failures)]
    assert together(*statuses)["status"] == status
    assert together(*statuses, degraded_above=failures)["status"] == "ok"


def test_what_timed_out_has_failed_and_what_was_cancelled_has_not() -> None:
    runs = [run(result, seconds_ago=place) for place, result in enumerate(Result)]
    assert together(ScheduledJobStatus(recent_runs=runs))["failuresLast24h"] == 2


@pytest.mark.parametrize(("ago", "count"), [(0, 1), (DAY - 1, 1), (DAY, 1), (DAY + 1, 0)])
def test_a_failure_counts_for_a_day(ago: float, count: int) -> None:
    assert together(ledger(ago))["failuresLast24h"] == count


def test_a_failure_grows_old_though_nobody_looks_at_its_scheduled_job_again() -> None:
    status = ledger(3600.0, 1800.0)
    counts = [
        together(status, now=NOON + timedelta(hours=hours, seconds=1))["failuresLast24h"]
        for hours in (0, 23, 24)
    ]
    assert counts == [2, 1, 0]


@pytest.mark.parametrize(
    ("status", "count", "at_least"),
    [
        (ledger(10.0, 20.0), 2, False),
        (ledger(10.0, 20.0, lost=3), 2, True),
        (ledger(10.0, DAY + 1, lost=3), 1, False),
        (ledger(lost=3, last=50.0), 1, True),
        (ledger(lost=1, last=50.0), 1, False),
        (ledger(lost=3, last=DAY + 1), 0, False),
    ],
    ids=["all there", "some lost", "lost ones are older", "only the last known", "only one", "long ago"],
)
def test_it_says_when_the_ledger_has_lost_some(
    status: ScheduledJobStatus, count: int, at_least: bool
) -> None:
    found = together(status)
    assert (found["failuresLast24h"], found["failuresAtLeast"]) == (count, at_least)


@pytest.mark.parametrize(("every", "at_least"), [(DAY / 2, False), (60.0, True)], ids=["days", "minutes"])
def test_what_the_ledger_lost_before_its_oldest_run_is_no_failure_of_today(
    every: float, at_least: bool
) -> None:
    runs = [run(Result.SUCCEEDED, seconds_ago=place * every) for place in range(1, 20)]
    failed = run(Result.FAILED, seconds_ago=10.0)
    status = ledger(10.0, lost=1).model_copy(update={"recent_runs": [failed, *runs]})
    found = together(status)
    assert (found["failuresLast24h"], found["failuresAtLeast"]) == (1, at_least)


@given(
    failures=st.lists(st.integers(0, 3 * 24), unique=True, max_size=60),
    kept=st.integers(1, 60),
)
def test_the_count_is_exact_unless_it_says_at_least(failures: list[int], kept: int) -> None:
    hours = sorted(failures)
    status = ledger(*(3600.0 * hour for hour in hours[:kept]), lost=len(hours[kept:]))
    true = sum(hour <= 24 for hour in hours)
    found = together(status, runs_kept=kept)
    assert found["failuresLast24h"] <= true
    assert found["failuresAtLeast"] or found["failuresLast24h"] == true


def test_ten_thousand_quiet_ones_are_remembered_as_one() -> None:
    quiet = ScheduledJobStatus(
        conditions=[READY],
        recent_runs=[run(Result.SUCCEEDED, seconds_ago=1)],
        counts=Counts(succeeded=7, failed=2),
        last_failure_time=after_noon(-2 * DAY),
    )
    assert Pulse.of(quiet, runs_kept=20, now=NOON) is QUIET


def test_the_latest_look_counts_and_what_is_gone_does_not() -> None:
    pulses = Pulses()
    for name in ("one", "other"):
        pulses.show(("shop", name), status=ledger(1.0), runs_kept=20, now=NOON)
    pulses.show(("shop", "one"), status=ledger(1.0, 2.0), runs_kept=20, now=NOON)
    assert pulses.overall(now=NOON).failures_last_24h == 3
    pulses.forget(("shop", "other"))
    pulses.forget(("shop", "never-seen"))
    assert pulses.overall(now=NOON).failures_last_24h == 2
    pulses.forget_all()
    assert (len(pulses), pulses.overall(now=NOON).scheduled_jobs) == (0, 0)


# In the operator


def failing() -> World:
    """A cluster in which a run has failed."""
    world = World()
    world.create()
    world.settle()
    world.put_pod(crashed(exit_code=3))
    world.put_job(JOB, slot=NOON, status=GIVEN_UP)
    world.settle()
    return world


def test_a_run_counts_from_its_beginning_to_its_end() -> None:
    world = World()
    world.create()
    world.settle()
    assert world.controller.pulses.overall(now=world.now).running == 0
    world.put_job(JOB, slot=NOON)
    world.settle()
    assert world.controller.pulses.overall(now=world.now).running == 1
    world.put_pod(crashed(exit_code=3))
    world.put_job(JOB, slot=NOON, status=GIVEN_UP)
    world.settle()
    found = world.controller.pulses.overall(now=world.now)
    assert (found.running, found.failures_last_24h, found.unhealthy) == (0, 1, 1)


def test_a_restarted_operator_knows_the_failures_of_before_and_writes_nothing_for_it() -> None:
    world = failing()
    before = world.controller.pulses.overall(now=world.now)
    world.restart()
    assert world.settle() == []
    after = world.controller.pulses.overall(now=world.now)
    assert after == before
    assert after.failures_last_24h == 1


def test_a_deleted_scheduled_job_takes_its_failures_along() -> None:
    world = failing()
    world.cluster.delete("ScheduledJob", *KEY)
    world.settle()
    assert len(world.controller.pulses) == 0
