"""What holds the schedule back: its own switch, the master switch, its bounds, too many failures. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from scheduledjob_operator import names
from scheduledjob_operator.models import Condition, ScheduledJobSpec
from scheduledjob_operator.models.types import format_time, parse_time
from scheduledjob_operator.names import ConditionType, PausedReason, SlotReason
from scheduledjob_operator.schedule import Schedule, fired_by_operator, never

REASON_LENGTH = 256
"""Longest reason of a master switch, in characters: it is repeated in every status below the switch."""

_LEAD = timedelta(seconds=60)
"""How long before startsAt the CronJob is in force at the latest."""
_LOOK_BACK = timedelta(days=2)
"""A slot that is further away from startsAt than this does not bear on `_LEAD`."""
_FIRST = datetime(1970, 1, 4, tzinfo=UTC)
_LAST = datetime(9990, 1, 1, tzinfo=UTC)
"""Bounds of a schedule outside count as these: no slot lies beyond, and the calendar ends soon after."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """The master switch: nothing starts by itself or by request while it is on."""

    reason: str
    """Why, in the words of whoever turned it; "" when they gave none."""
    until: datetime | None
    """When it turns itself off."""
    everywhere: bool
    """Whether it is the operator's own; else it is that of a namespace."""

    @property
    def sentence(self) -> str:
        """For people: suspended where, until when and why."""
        where = "everywhere" if self.everywhere else "in the whole namespace"
        until = f" until {format_time(self.until)}" if self.until else ""
        return f"suspended {where}{until}" + (f": {self.reason}" if self.reason else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspension:
    """Why no slot runs."""

    reason: SlotReason
    """Disabled, Suspended, OutOfBounds or Paused."""
    message: str
    """A sentence for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Whether the schedule is in force now."""

    suspension: Suspension | None
    """What holds it back; None while it is in force."""
    switch: Switch | None
    """The master switch that is on, whatever else holds the schedule back."""
    probe: datetime | None
    """When a run is tried, while failures are what holds the schedule back; it may be past."""
    look_again: datetime | None
    """When this changes by the passing of time alone."""


def standing(
    *,
    spec: ScheduledJobSpec,
    schedule: Schedule,
    consecutive_failures: int,
    last_failure_time: datetime | None,
    switches: Sequence[Switch],
    environment: str = "",
    now: datetime,
) -> Standing:
    """What holds the schedule back at `now`: enabled, the environment, a switch, its bounds, its failures.

    `switches`: those that apply, the operator's own before the namespace's when both hold. `environment`:
    the one that the operator is installed for.
    """
    holding = [switch for switch in switches if switch.until is None or switch.until > now]
    switch = min(holding, key=lambda held: not held.everywhere, default=None)
    bounds = _Bounds.of(spec=spec, schedule=schedule, now=now)
    probe = None
    if not spec.enabled:
        suspension = Suspension(reason=SlotReason.DISABLED, message="enabled is false")
    elif spec.environments and environment not in spec.environments:
        suspension = _elsewhere(spec.environments, environment=environment)
    elif switch is not None:
        suspension = Suspension(reason=SlotReason.SUSPENDED, message=switch.sentence)
    elif outside := bounds.sentence(spec, now=now):
        suspension = Suspension(reason=SlotReason.OUT_OF_BOUNDS, message=outside)
    elif spec.pause_after and consecutive_failures >= spec.pause_after.consecutive_failures:
        # A failure whose time is not known cannot be waited after.
        probe = last_failure_time + spec.pause_after.cool_down if last_failure_time else now
        tried = f"at {format_time(probe)}" if last_failure_time else "now"
        suspension = _paused(consecutive_failures, tried=tried)
    else:
        suspension = None
    moments = [bounds.opens, bounds.closes, switch.until if switch else None]
    look_again = min((at for at in moments if at is not None and at > now), default=None)
    return Standing(suspension=suspension, switch=switch, probe=probe, look_again=look_again)


def _elsewhere(environments: Sequence[str], *, environment: str) -> Suspension:
    here = f"environment {environment}" if environment else "no environment"
    message = f"it is for {' and '.join(environments)}, and this operator is installed for {here}"
    return Suspension(reason=SlotReason.OTHER_ENVIRONMENT, message=message)


def _paused(failures: int, *, tried: str) -> Suspension:
    many = "1 failure" if failures == 1 else f"{failures} failures in a row"
    return Suspension(reason=SlotReason.PAUSED, message=f"paused after {many}; a run is tried {tried}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bounds:
    """When the CronJob, which knows no bounds, is let go and held again: never at a slot."""

    opens: datetime | None
    """Shortly before startsAt, after the last slot that is not to run; None once startsAt is past."""
    closes: datetime | None
    """After endsAt, before the first slot that is not to run; as late as the last one may still start."""

    @classmethod
    def of(cls, *, spec: ScheduledJobSpec, schedule: Schedule, now: datetime) -> "_Bounds":
        if fired_by_operator(schedule, spec.concurrency_policy):  # it knows the bounds itself
            schedule = never()
        opens = _opens(schedule, spec.starts_at) if spec.starts_at and now < spec.starts_at else None
        closes = _closes(schedule, spec.ends_at, deadline=spec.starting_deadline) if spec.ends_at else None
        return cls(opens=opens, closes=closes)

    def sentence(self, spec: ScheduledJobSpec, *, now: datetime) -> str | None:
        """Which bound holds the schedule back at `now`."""
        if spec.ends_at and self.closes and now >= self.closes:
            return f"endsAt was {format_time(spec.ends_at)}"
        if spec.starts_at and self.opens and now < self.opens:
            return f"startsAt is {format_time(spec.starts_at)}"
        return None


def _opens(schedule: Schedule, starts_at: datetime) -> datetime:
    second = timedelta(seconds=1)
    start = _within_calendar(starts_at)
    if start.microsecond:  # a slot in the same second would be before it
        start = start.replace(microsecond=0) + second
    last = schedule.latest_at_or_before(start - second, not_before=start - _LOOK_BACK)
    return start - (min(_LEAD, _half(start - last)) if last else _LEAD)


def _closes(schedule: Schedule, ends_at: datetime, *, deadline: timedelta) -> datetime:
    end = _within_calendar(ends_at).replace(microsecond=0)
    following = next(iter(schedule.next_after(end)), None)
    return end + (min(deadline, _half(following - end)) if following else deadline)


def _half(gap: timedelta) -> timedelta:
    """In whole seconds. Of one second it is none: the bound is then no slot, and the other end is one."""
    return timedelta(seconds=int(gap.total_seconds()) // 2)


def _within_calendar(instant: datetime) -> datetime:
    return min(max(instant, _FIRST), _LAST)


def namespace_switch(annotations: Mapping[str, str]) -> Switch | None:
    """The master switch that the annotations of a namespace stand for.

    The value is the reason; "" and "true" suspend without one, "false" suspends nothing. A time that cannot
    be read does not turn the switch off: its reason says so.
    """
    value = annotations.get(names.ANNOTATION_SUSPEND)
    if value is None or value.strip().lower() == "false":
        return None
    reason = "" if value.strip().lower() == "true" else shortened(value)
    text = annotations.get(names.ANNOTATION_SUSPEND_UNTIL, "").strip()
    until = None
    if text:
        try:
            until = parse_time(text)
        except ValueError:
            hint = f"{names.ANNOTATION_SUSPEND_UNTIL} is not a time: write for example 2026-12-24T08:00:00Z"
            reason = f"{reason} ({hint})" if reason else hint
    return Switch(reason=reason, until=until, everywhere=False)


def shortened(reason: str) -> str:
    """The reason of a switch in one line of at most `REASON_LENGTH` characters."""
    line = " ".join(reason.split())
    return line if len(line) <= REASON_LENGTH else line[: REASON_LENGTH - 3] + "..."


def paused_condition(
    *, previous: Condition | None, standing: Standing, generation: int, now: datetime
) -> Condition | None:
    """The condition `Paused`; None while the schedule never was paused or suspended by a switch."""
    held = standing.suspension
    if held is not None and held.reason is SlotReason.PAUSED:
        reason, message = PausedReason.CONSECUTIVE_FAILURES, held.message
    elif held is not None and held.reason is SlotReason.SUSPENDED and standing.switch is not None:
        everywhere = standing.switch.everywhere
        reason = PausedReason.OPERATOR_SUSPENDED if everywhere else PausedReason.NAMESPACE_SUSPENDED
        message = held.message
    elif previous is None:
        return None
    else:
        reason = PausedReason.RESUMED
        message = f"not paused; {held.message}" if held else "the schedule is in force"
    condition = Condition(
        type=ConditionType.PAUSED,
        status="False" if reason is PausedReason.RESUMED else "True",
        reason=reason,
        message=message,
        observed_generation=generation,
        last_transition_time=now,
    )
    return condition.after(previous)
