"""A day of slots and runs, told by the times on its clock."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from scheduledjob_operator.activity import Span
from scheduledjob_operator.models import CatchUp, CatchUpPolicy, ConcurrencyPolicy
from scheduledjob_operator.names import SlotReason
from scheduledjob_operator.schedule import Schedule
from scheduledjob_operator.slots import Accounts, Timetable, account

ALLOW, FORBID, REPLACE, QUEUE = ConcurrencyPolicy
NO_CATCH_UP = CatchUp()
LATEST = CatchUp(policy=CatchUpPolicy.LATEST, window=timedelta(hours=1))
ALL = CatchUp(policy=CatchUpPolicy.ALL, window=timedelta(hours=1), limit=3)
Entry = tuple[str, int, str, str]


def at(text: str) -> datetime:
    """An instant of the day, from `12:05` or `12:05:30`, or of another one when it is named."""
    moment = datetime.fromisoformat(text if "-" in text else f"2026-11-22T{text}")
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def ran(slot: str | None, start: str | None = None, end: str | None = None) -> Span:
    """A run; without a start it began at its slot, and without an end it is still active."""
    begin = start or slot
    assert begin is not None
    return Span(slot=at(slot) if slot else None, start=at(begin), end=at(end) if end else None)


def short(*slots: str) -> list[Span]:
    """Runs of a few seconds, each started in time."""
    return [Span(slot=at(slot), start=at(slot), end=at(slot) + timedelta(seconds=5)) for slot in slots]


def timetable(
    expression: str = "0 * * * *",
    *,
    zone: str = "Etc/UTC",
    policy: ConcurrencyPolicy = FORBID,
    deadline: timedelta = timedelta(minutes=10),
    suspended: SlotReason | None = None,
    final: bool = False,
) -> Timetable:
    return Timetable(
        schedule=Schedule.parse(expression, time_zone=zone),
        concurrency_policy=policy,
        starting_deadline=deadline,
        suspended=suspended,
        final=final,
    )


def look(
    since: str,
    now: str,
    table: Timetable,
    *,
    spans: Sequence[Span] = (),
    catch_up: CatchUp = NO_CATCH_UP,
) -> Accounts:
    return account(since=at(since), now=at(now), timetable=table, spans=spans, catch_up=catch_up)


def entries(accounts: Accounts) -> list[Entry]:
    """The verdicts as (reason, count, first, last)."""
    return [
        (entry.reason, entry.count, f"{entry.first:%H:%M}", f"{entry.last:%H:%M}")
        for entry in accounts.verdicts
    ]


EVERY_5 = "*/5 * * * *"
EVERY_MINUTE = "* * * * *"
