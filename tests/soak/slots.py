"""What is wrong with the slots of a ScheduledJob that has one every minute, and with overlaps. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from scheduledjob_operator.observed import JobSeen
from tests.bench.api import Body
from tests.soak.verdicts import Evidence

MINUTE = timedelta(minutes=1)


def untold(seen: Evidence) -> list[str]:
    """Slots without a verdict, with two, or with one that is not true."""
    status = seen.status
    slots = _minutes(seen)
    ran = {job.slot for job in seen.jobs if job.slot in slots}
    told = {datetime.fromisoformat(run["slot"]) for run in status["recentRuns"] if run.get("slot")} & slots
    entries: Sequence[Body] = status.get("unstarted", ())
    counts = {result: _count(entries, result) for result in ("Missed", "Skipped", "Unknown")}
    without_job = len(slots - ran)
    caught_up = (seen.scheduled_job["spec"].get("catchUp") or {}).get("policy") == "All"
    never = sorted(slots - ran) if caught_up else []
    found = []
    if len(told) + sum(counts.values()) != len(slots):
        found.append(f"untold: {len(slots)} slots have these verdicts: {len(told)} runs, {counts}")
    if counts["Missed"] + counts["Skipped"] > without_job:
        found.append(f"untrue: {without_job} slots have no Job, and these verdicts say so: {counts}")
    lost = never[: max(len(never) - counts["Unknown"] - counts["Skipped"], 0)]
    return [*found, *(f"lost: slot {slot} was not caught up" for slot in lost)]


def overlapping(seen: Evidence) -> list[str]:
    """Runs that were active at the same time though the policy forbids it."""
    if seen.scheduled_job["spec"].get("concurrencyPolicy") == "Allow":
        return []
    ended = sorted((job for job in seen.jobs if job.end), key=lambda job: (job.created, job.name))
    pairs = itertools.pairwise(ended)
    return [
        f"overlapping: {later.name} began at {later.created}, {earlier.name} ended at {_end(earlier)}"
        for earlier, later in pairs
        if later.created < _end(earlier)
    ]


def _end(job: JobSeen) -> datetime:
    assert job.end is not None
    return job.end.time


def _count(entries: Sequence[Mapping[str, Any]], result: str) -> int:
    return sum(int(entry["count"]) for entry in entries if entry["result"] == result)


def _minutes(seen: Evidence) -> set[datetime]:
    """The slots from the creation of the ScheduledJob to the mark."""
    created = datetime.fromisoformat(seen.cron_job["metadata"]["creationTimestamp"])
    until = datetime.fromisoformat(seen.status["accountedUntil"])
    slot, found = created.replace(second=0) + MINUTE, set()
    while slot <= until:
        found.add(slot)
        slot += MINUTE
    return found
