"""Which of the runs that wait start now. Pure.

Kubernetes starts the slots by itself; what waits here comes between them and never in their way.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from scheduledjob_operator.models import ActiveRun, ConcurrencyPolicy, PendingReason, PendingRun, Trigger

BEFORE_A_SLOT = timedelta(seconds=3)
"""So long before a slot nothing is started: Kubernetes' own controller would not have seen it by then."""
AFTER_A_SLOT = timedelta(seconds=5)
"""So long after a slot nothing is started, unless its Job has been seen: it may be on its way.

Also so long after the end of a run that kept a slot waiting: Kubernetes starts that slot then.
"""
MOST_STARTS = 10
"""How many runs one pass starts; the others follow in the next one."""
BETWEEN_PASSES = timedelta(seconds=1)
"""When the next pass comes: not at once, for the API server may have refused every one of the first."""

_RANKS = (PendingReason.BACKOFF, PendingReason.QUEUED, PendingReason.COOL_DOWN, PendingReason.CATCH_UP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A run that starts now."""

    run: PendingRun
    replaces: tuple[str, ...] = ()
    """Names of the Jobs of active runs, to be ended first."""
    overtakes: datetime | None = None
    """A slot that Kubernetes has not started though it could: it has to be kept from it first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What happens to the runs that wait."""

    start: tuple[Start, ...] = ()
    look_again: datetime | None = None
    """When more may start by the passing of time alone."""


def plan(  # noqa: PLR0913  # each is a circumstance of its own
    *,
    pending: Sequence[PendingRun],
    active: Sequence[ActiveRun],
    concurrency_policy: ConcurrencyPolicy,
    next_slots: Sequence[datetime],
    unstarted_slot: datetime | None,
    free_since: datetime | None = None,
    held: bool,
    catching_up: bool,
    now: datetime,
) -> Plan:
    """Which of `pending` start at `now`, and when to ask again.

    `next_slots`: those to come, soonest first; none while the schedule is suspended. `unstarted_slot`: one
    that has passed and that Kubernetes may still start. `free_since`: when the last run ended. `held`:
    nothing at all starts. `catching_up`: whether slots that nothing started are started after all at the
    moment.
    """
    if held:
        return Plan()
    # One whose Job is there already has started, though its entry may not have been taken away yet.
    begun = {run.id for run in active}
    waiting = sorted(
        (
            run
            for run in pending
            if run.id not in begun and (catching_up or run.reason is not PendingReason.CATCH_UP)
        ),
        key=place,
    )
    due = [run for run in waiting if run.due_time <= now]
    later = min((run.due_time for run in waiting if run.due_time > now), default=None)
    if concurrency_policy is ConcurrencyPolicy.ALLOW:
        return _side_by_side(due, active=active, now=now, later=later)
    start = _alone(due, active=active, concurrency_policy=concurrency_policy)
    if start is None:
        return Plan(look_again=later)
    waited = max(unstarted_slot, free_since or unstarted_slot) if unstarted_slot else None
    quiet_until = _quiet_until(next_slots=next_slots, waited_since=waited, now=now)
    if quiet_until is not None:
        return Plan(look_again=quiet_until)
    return Plan(start=(replace(start, overtakes=unstarted_slot),), look_again=later)


def place(run: PendingRun) -> tuple[datetime, int, datetime, str]:
    """Where in the queue a run stands."""
    return run.due_time, _RANKS.index(run.reason), run.slot or run.due_time, run.id


def _side_by_side(
    due: Sequence[PendingRun], *, active: Sequence[ActiveRun], now: datetime, later: datetime | None
) -> Plan:
    """All that are due, of one request as many as it allows at once."""
    under_way = Counter(run.request for run in active)
    chosen: list[Start] = []
    for run in due:
        if run.request and run.parallelism and under_way[run.request] >= run.parallelism:
            continue
        if len(chosen) == MOST_STARTS:
            return Plan(start=tuple(chosen), look_again=now + BETWEEN_PASSES)
        under_way[run.request] += 1
        chosen.append(Start(run=run))
    return Plan(start=tuple(chosen), look_again=later)


def _alone(
    due: Sequence[PendingRun], *, active: Sequence[ActiveRun], concurrency_policy: ConcurrencyPolicy
) -> Start | None:
    """The one run that may start where two may not be active together."""
    if concurrency_policy is ConcurrencyPolicy.REPLACE:
        # A further attempt does not push out what has begun meanwhile, only what a person asks for does.
        asked = (run for run in due if run.trigger is Trigger.MANUAL and run.reason is PendingReason.QUEUED)
        if first := next(asked, None):
            return Start(run=first, replaces=tuple(run.job_name for run in active))
    return Start(run=due[0]) if due and not active else None


def _quiet_until(
    *, next_slots: Sequence[datetime], waited_since: datetime | None, now: datetime
) -> datetime | None:
    """The end of the quiet around a slot; None outside.

    Kubernetes' controller looks at a slightly old picture: what starts right before it looks is not in it,
    and two runs would be active together.
    """
    ends = [slot + AFTER_A_SLOT for slot in next_slots if slot - BEFORE_A_SLOT <= now]
    if waited_since is not None:
        ends.append(waited_since + AFTER_A_SLOT)
    return max((end for end in ends if now < end), default=None)
