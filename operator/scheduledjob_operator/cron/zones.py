"""Time zones by their IANA name, always from the tzdata package.

The machine's own zone files are left alone on purpose: container images carry none or old ones. Kubernetes
carries its own copy of the database inside its programs; the two differ only where a government changed its
clocks after the older of them was made.
"""

import difflib
import re
from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from importlib import resources
from itertools import pairwise
from zoneinfo import ZoneInfo

from scheduledjob_operator.cron.advice import quoted
from scheduledjob_operator.cron.fields import ScheduleError

_LOOK = timedelta(days=5)
"""Offsets are compared this often: no zone changes its clock there and back in less than a week."""

_OFFSET = re.compile(r"(?:UTC|GMT|Z)?([+-])(\d{1,2})(?::?00)?", re.ASCII | re.IGNORECASE)


@cache
def zone_names() -> frozenset[str]:
    """Every name of the database, links such as CET and UTC included; Kubernetes knows the same ones."""
    text = resources.files("tzdata").joinpath("zones").read_text(encoding="ascii")
    return frozenset(text.split())


@cache
def load_zone(name: str) -> ZoneInfo:
    """The zone of this exact name. Raises ScheduleError, with the likely name, when there is none."""
    if name not in zone_names():
        raise ScheduleError(_on_unknown_zone(name))
    with resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def clock_changes(zone: ZoneInfo, *, since: datetime, until: datetime) -> tuple[datetime, ...]:
    """The instants in (since, until], all in UTC, in order, at which the zone's offset from UTC changes."""
    years = range(since.year, until.year + 1)
    return tuple(
        change for year in years for change in _clock_changes_of(zone, year) if since < change <= until
    )


@lru_cache(maxsize=4096)
def _clock_changes_of(zone: ZoneInfo, year: int) -> tuple[datetime, ...]:
    """To the second, with the changes of the first moment of the next year and without those of its own."""
    if zone.utcoffset(None) is not None:  # said only by a zone whose offset never changes, such as Etc/UTC
        return ()
    looks = [(at, _offset(at, zone)) for at in _looks_at(year)]
    return tuple(
        _change(zone, since=at, until=later)
        for (at, offset), (later, then) in pairwise(looks)
        if offset != then
    )


@lru_cache(maxsize=256)
def _looks_at(year: int) -> tuple[datetime, ...]:
    """From the first moment of a year to that of the next one."""
    start, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    return tuple(min(start + _LOOK * number, end) for number in range(-(-366 // _LOOK.days) + 1))


def _change(zone: ZoneInfo, *, since: datetime, until: datetime) -> datetime:
    """The first second after `since` that has another offset, where `until` has one."""
    old = _offset(since, zone)
    seconds = range(int((until - since).total_seconds()))
    first = bisect_left(
        seconds, True, key=lambda second: _offset(since + timedelta(seconds=second), zone) != old
    )
    return since + timedelta(seconds=first)


def _offset(at: datetime, zone: ZoneInfo) -> timedelta | None:
    return at.astimezone(zone).utcoffset()


def _on_unknown_zone(name: str) -> str:
    example = 'an IANA name such as "Europe/Berlin"'
    if not name.strip():
        return f"The time zone is empty: write {example}, or leave it out for Etc/UTC."
    shown = quoted(name)
    if name.lower() == "local":
        return f"{shown} is another time zone on every machine: write {example}."
    if offset := _OFFSET.fullmatch(name.strip()):
        sign, hours = offset.groups()
        fixed = f"Etc/GMT{'-' if sign == '+' else '+'}{int(hours)}"
        exact = f", or {quoted(fixed)}, whose sign is the other way round" if fixed in zone_names() else ""
        return f'{shown} is not a time zone: write a place such as "Europe/Berlin"{exact}.'
    near = _nearest(name.strip().lower().replace(" ", "_")[:64])
    return f"{shown} is not a time zone: write {quoted(near) if near else example}."


def _nearest(name: str) -> str | None:
    """The zone that was probably meant: in another case, a city alone, or a slip of the pen."""
    zones = sorted(zone_names())
    by_name = {zone.lower(): zone for zone in zones}
    by_city = {zone.rpartition("/")[2].lower(): zone for zone in reversed(zones) if "/" in zone}
    if exact := by_name.get(name) or by_city.get(name):
        return exact
    for known in ({key: zone for key, zone in by_name.items() if "/" in key}, by_city):
        if near := difflib.get_close_matches(name, known, n=1, cutoff=0.8):
            return known[near[0]]
    return None
