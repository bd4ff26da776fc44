"""What became of slots that come every so many seconds, each of which is to have one run. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scheduledjob_operator import names
from scheduledjob_operator.models import Trigger
from scheduledjob_operator.observed import JobSeen
from tests.bench.api import Body

_OF_SLOTS = (Trigger.SCHEDULE, Trigger.CATCH_UP)
_ENDS = ("succeeded", "failed", "timedOut", "cancelled", "unknown", "missed", "skipped")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The slots of one ScheduledJob, from the first to the last that has a Job."""

    name: str
    slots: int
    jobs: int
    doubled: Mapping[int, int]
    """Slot -> Jobs, of those with more than one; slots are seconds of the epoch."""
    missing: Sequence[int]
    """Slots without a Job."""
    strange: Sequence[int]
    """Slots that the schedule has not."""
    caught_up: int
    by_kubernetes: int
    """Jobs that Kubernetes' own controller has made."""
    counts: Mapping[str, int]
    """The ledger's, less the slots that came just when the ScheduledJob was disabled."""

    @property
    def problems(self) -> list[str]:
        """One sentence each, beginning with the kind of it."""
        told, unknown = self.counts["succeeded"], self.counts["unknown"]
        found = [f"doubled: {times} Jobs for slot {slot}" for slot, times in self.doubled.items()]
        found += [f"strange: slot {slot} is none of the schedule's" for slot in self.strange]
        if len(self.missing) > unknown:
            found.append(
                f"lost: {len(self.missing)} slots have no Job, {unknown} are told as Unknown: {self.missing}"
            )
        if not self.slots - unknown <= told <= self.jobs:
            found.append(f"miscounted: {self.slots} slots, {self.jobs} Jobs, the ledger: {dict(self.counts)}")
        found += [
            f"untrue: the ledger has {self.counts[end]} {end}, and all Jobs succeeded"
            for end in ("failed", "timedOut", "cancelled", "missed")
            if self.counts[end]
        ]
        return [f"{self.name}: {sentence}" for sentence in found]


def tally(name: str, *, period: int, jobs: Sequence[Body], status: Body) -> Tally:
    """`period`: seconds between two slots, from the beginning of 1970; `jobs`: all there ever were."""
    seen = [job for job in map(JobSeen.from_body, jobs) if job.slot is not None and job.trigger in _OF_SLOTS]
    made = Counter(int(job.slot.timestamp()) for job in seen if job.slot is not None)
    first, last = min(made, default=0), max(made, default=-1)
    wanted = [slot for slot in range(first, last + 1) if slot % period == 0]
    counts: dict[str, Any] = {end: (status.get("counts") or {}).get(end, 0) for end in _ENDS}
    counts["missed"] -= _missed_after(last, status=status)
    return Tally(
        name=name,
        slots=len(wanted),
        jobs=len(seen),
        doubled={slot: times for slot, times in sorted(made.items()) if times > 1},
        missing=[slot for slot in wanted if slot not in made],
        strange=[slot for slot in sorted(made) if slot % period],
        caught_up=sum(job.trigger is Trigger.CATCH_UP for job in seen),
        by_kubernetes=sum(_is_made_by_kubernetes(body) for body in jobs),
        counts=counts,
    )


def _missed_after(slot: int, *, status: Body) -> int:
    return sum(
        entry["count"]
        for entry in status.get("unstarted", ())
        if entry["result"] == "Missed" and datetime.fromisoformat(entry["first"]).timestamp() > slot
    )


def _is_made_by_kubernetes(body: Body) -> bool:
    return names.ANNOTATION_TRIGGER not in (body["metadata"].get("annotations") or {})
