"""Whether the runs do what is expected of them: the condition `Healthy`. Pure."""

from datetime import datetime, timedelta
from typing import Literal

from scheduledjob_operator.cron.kind import SECOND
from scheduledjob_operator.cron.zones import clock_changes, load_zone
from scheduledjob_operator.models import (
    ActiveRun,
    Condition,
    PendingRun,
    Result,
    ScheduledJobStatus,
    Trigger,
)
from scheduledjob_operator.models.policies import Expect
from scheduledjob_operator.models.runs import FAILURES
from scheduledjob_operator.models.types import format_duration, format_time
from scheduledjob_operator.names import ConditionType, HealthyReason


def healthy(
    *,
    status: ScheduledJobStatus,
    previous: Condition | None,
    expect: Expect | None,
    time_zone: str,
    generation: int,
    now: datetime,
) -> tuple[Condition, datetime | None]:
    """The condition `Healthy`, and when it may change by the passing of time alone.

    `status` holds what is known now, `previous` is the condition before. The message changes with what
    happens, never with the clock. Raises ScheduleError when there is no such time zone.
    """
    within, most = (expect.success_within, expect.max_duration) if expect else (None, None)
    late_from = _late_from(status, within=within, time_zone=time_zone)
    late = _late(status, previous=previous, within=within, late_from=late_from, now=now)
    slow = _slow(status, previous=previous, most=most, now=now)
    value, reason, message = _verdict(status, late=late, slow=slow)
    condition = Condition(
        type=ConditionType.HEALTHY,
        status=value,
        reason=reason,
        message=message,
        observed_generation=generation,
        last_transition_time=now,
    )
    moments = [late_from, *(start + most for start, _ in _begun(status) if most)]
    look_again = min((at + SECOND for at in moments if at is not None and at >= now), default=None)
    return condition.after(previous), look_again


def _verdict(
    status: ScheduledJobStatus, *, late: str | None, slow: str | None
) -> tuple[Literal["True", "False", "Unknown"], HealthyReason, str]:
    """Status, reason and message: of the first trouble there is. `late`, `slow`: a sentence if it is so."""
    if status.consecutive_failures > 0:
        message = _failing(status)
        return "False", HealthyReason.FAILING, f"{message}; {late}" if late else message
    if status.dead_letters:
        return "False", HealthyReason.DEAD_LETTERS, _dead_letters(status)
    if late:
        return "False", HealthyReason.LATE, late
    if slow:
        return "False", HealthyReason.SLOW, slow
    if status.last_success_time is None:
        return "Unknown", HealthyReason.NEVER_RAN, "no run has succeeded or failed yet"
    return "True", HealthyReason.SUCCEEDING, "no run has failed since the last success"


def _failing(status: ScheduledJobStatus) -> str:
    runs = [*([status.last_run] if status.last_run else []), *status.recent_runs]
    failed = next((run for run in runs if run.result in FAILURES), None)
    count = status.consecutive_failures
    in_a_row = "1 failure" if count == 1 else f"{count} failures in a row"
    if failed is None:
        return in_a_row
    code = f", exit code {failed.exit_code}" if failed.exit_code is not None else ""
    verb = "failed" if failed.result is Result.FAILED else "timed out"
    return f"{failed.id} {verb} at {format_time(failed.end_time)} ({failed.reason}{code}); {in_a_row}"


def _dead_letters(status: ScheduledJobStatus) -> str:
    count, dropped = len(status.dead_letters), status.dead_letters_dropped
    letters = "1 run" if count == 1 else f"{count} runs"
    older = f", and {dropped} older of them are no longer listed" if dropped else ""
    return f"{letters} failed for good{older}: retry or clear them"


def _late_from(status: ScheduledJobStatus, *, within: timedelta | None, time_zone: str) -> datetime | None:
    """The last moment at which it is not late yet; None while nothing is expected by any time.

    It is counted from the last success or from the moment the schedule came into force, whichever is later.
    """
    if within is None or status.scheduled_since is None or _is_catching_up(status):
        return None
    since = max(filter(None, [status.last_success_time, status.scheduled_since]))
    return since + within + _repeated(time_zone, since=since, until=since + within)


def _is_catching_up(status: ScheduledJobStatus) -> bool:
    """Whether a slot of an outage is about to be made up for; once that was tried in vain it is no excuse."""
    runs: list[PendingRun | ActiveRun] = [*status.pending, *status.active]
    return any(run.trigger is Trigger.CATCH_UP and run.attempt == 1 for run in runs)


def _repeated(time_zone: str, *, since: datetime, until: datetime) -> timedelta:
    """How much time the zone's clock shows twice in (since, until]: people expect by the clock on the wall.

    That a clock goes forward is no reason to expect anything sooner.
    """
    zone = load_zone(time_zone)
    repeated = timedelta()
    for change in clock_changes(zone, since=since, until=until):
        before = (change - SECOND).astimezone(zone).utcoffset()
        after = change.astimezone(zone).utcoffset()
        if before is not None and after is not None:
            repeated += max(before - after, timedelta())
    return repeated


def _late(
    status: ScheduledJobStatus,
    *,
    previous: Condition | None,
    within: timedelta | None,
    late_from: datetime | None,
    now: datetime,
) -> str | None:
    """The sentence that says so. What once was late stays so until there is a newer success.

    Such a success is fresh when it is seen. So the latch needs no memory beyond the reason: an old success
    is the one that it was late after, even if the schedule was paused and resumed meanwhile.
    """
    if within is None:
        return None
    success = status.last_success_time
    due = late_from is not None and now > late_from
    latched = previous is not None and previous.reason == HealthyReason.LATE
    if not due and not (latched and (success is None or now > success + within)):
        return None
    last = f"the last one that did ended at {format_time(success)}" if success else "none ever did"
    return f"no run succeeded within {format_duration(within)}: {last}"


def _begun(status: ScheduledJobStatus) -> list[tuple[datetime, str]]:
    """Start and id of the runs that have not ended, those that wait for their next attempt included."""
    runs: list[PendingRun | ActiveRun] = [*status.active, *status.pending]
    return [(run.start_time, run.id) for run in runs if run.start_time is not None]


def _slow(
    status: ScheduledJobStatus, *, previous: Condition | None, most: timedelta | None, now: datetime
) -> str | None:
    """The sentence that says so. What once was slow stays so until a run that ended later was quick."""
    if most is None:
        return None
    too_long = [(start, name) for start, name in _begun(status) if now > start + most]
    if too_long:
        return f"{min(too_long)[1]} takes longer than {format_duration(most)}"
    last = status.last_run
    seconds = last.duration_seconds if last else None
    if last and seconds is not None and seconds > most.total_seconds():
        return f"{last.id} took {seconds:.0f}s, longer than {format_duration(most)}"
    quick = last is not None and last.result is Result.SUCCEEDED and seconds is not None
    if previous is None or previous.reason != HealthyReason.SLOW or quick:
        return None
    return previous.message
