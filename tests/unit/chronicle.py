"""What the changes in a cluster tell, taken in one by one, and what must never be among them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from scheduledjob_operator import names
from scheduledjob_operator.models.types import parse_time
from scheduledjob_operator.pending import AFTER_A_SLOT
from scheduledjob_operator.schedule import Schedule
from tests.unit.bodies import Body
from tests.unit.fake_cluster import Change
from tests.unit.kubernetes import Kubernetes
from tests.unit.native import has_ended

OF_SLOTS = ("Schedule", "CatchUp")
RACE = timedelta(seconds=3)
"""Two that start within this time, one of them long after its slot, could not know of each other."""
EXCLUSIVE = {("Forbid", False), *((policy, True) for policy in ("Forbid", "Queue", "Replace"))}
"""Policies under which no two are active together, and whether the operator fires by them."""
COUNTED = {
    "Succeeded": "succeeded",
    "Failed": "failed",
    "TimedOut": "timedOut",
    "Cancelled": "cancelled",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A Job that was made."""

    name: str
    slot: datetime | None
    trigger: str
    attempt: int
    created: datetime
    native: bool
    """Whether Kubernetes' controller made it."""
    place: int
    """Of its creation among all changes."""

    @classmethod
    def of(cls, body: Body, *, place: int) -> "Made":
        annotations = body["metadata"]["annotations"]
        native = names.ANNOTATION_SCHEDULED_TIMESTAMP in annotations
        key = names.ANNOTATION_SCHEDULED_TIMESTAMP if native else names.ANNOTATION_SLOT
        return cls(
            name=body["metadata"]["name"],
            slot=parse_time(annotations[key]) if key in annotations else None,
            trigger="Schedule" if native else annotations[names.ANNOTATION_TRIGGER],
            attempt=int(annotations.get(names.ANNOTATION_ATTEMPT, 1)),
            created=parse_time(body["metadata"]["creationTimestamp"]),
            native=native,
            place=place,
        )

    @property
    def late(self) -> bool:
        """Whether Kubernetes made it when nobody expected it any more."""
        return self.native and self.slot is not None and self.created - self.slot >= AFTER_A_SLOT


class Chronicle:
    """Reads on in the changes of one cluster, and raises AssertionError at what must not be."""

    def __init__(self, kubernetes: Kubernetes) -> None:
        self._kubernetes = kubernetes
        self._place = 0
        self._policy, self._policy_since = ("", False), 0
        self._told: set[str] = set()
        self._unfinished: dict[str, Made] = {}
        self._attempts: dict[tuple[datetime | None, int], str] = {}
        self.made: dict[str, Made] = {}
        self.runs: dict[str, Body] = {}
        """Every run that ever stood in the ledger."""
        self.outcomes: dict[str, Body] = {}
        """Every answer to a request, by annotation."""
        self.first: datetime | None = None
        """Where the accounts begin."""
        self.mark: datetime | None = None
        self.deaths: set[datetime] = set()
        """When the operator was ended, to the second: what it had just made it could not tell of."""
        self.rivalries: list[tuple[datetime, datetime]] = []
        """From when to when two operators acted, who did not see what the other one started."""
        self.timetables: list[tuple[datetime, Schedule]] = []
        """The schedules, and since when each has been the one to go by."""

    def read(self) -> None:
        """Take in what is new."""
        for change in self._kubernetes.cluster.changes[self._place :]:
            self._place += 1
            if change.kind == "Job":
                self._job(change)
            elif change.kind == "CronJob" and change.after:
                self._cron_job(change.after)
            elif change.kind == "ScheduledJob" and change.after and change.before:
                if change.before.get("spec") != change.after.get("spec"):
                    self._policy_since = self._place
                if change.before.get("status") != change.after.get("status"):
                    self._status(change.after["status"])

    def _cron_job(self, body: Body) -> None:
        self._told = {entry["name"] for entry in body.get("status", {}).get("active", [])}
        timetable = body["metadata"].get("annotations", {}).get(names.ANNOTATION_TIMETABLE)
        given = json.loads(timetable) if timetable else body["spec"]
        policy = given["concurrencyPolicy"], timetable is not None
        if self._policy != policy:
            self._policy, self._policy_since = policy, self._place

    def _job(self, change: Change) -> None:
        if change.before is None and change.after is not None:
            self._begin(Made.of(change.after, place=self._place))
        elif change.before and (change.after is None or has_ended(change.after)):
            self._unfinished.pop(change.before["metadata"]["name"], None)

    def _begin(self, made: Made) -> None:
        assert made.name not in self.made, f"the Job {made.name} was made a second time"
        if made.trigger in OF_SLOTS:
            key = made.slot, made.attempt
            assert key not in self._attempts, f"{made.name} and {self._attempts[key]} are one attempt"
            self._attempts[key] = made.name
        if self._policy in EXCLUSIVE:
            for other in self._unfinished.values():
                assert self._may_overlap(other, made), f"{made} was made while {other} was active"
        self.made[made.name] = self._unfinished[made.name] = made

    def _may_overlap(self, older: Made, newer: Made) -> bool:
        if older.place < self._policy_since:
            return True
        if any(since <= newer.created <= until + RACE for since, until in self.rivalries):
            return True
        if self._policy[1]:
            return False
        if (older.late or newer.late) and abs(newer.created - older.created) <= RACE:
            return True
        untold = newer.native and not older.native and older.name not in self._told
        return untold and older.created in self.deaths

    def _status(self, status: Body) -> None:
        self._requests(status)
        mark = parse_time(status["accountedUntil"]) if "accountedUntil" in status else None
        if mark is None:
            return
        self.first = self.first or mark
        assert self.mark is None or mark >= self.mark, f"accountedUntil went back from {self.mark} to {mark}"
        self.mark = mark
        self._lists(status)
        self._ledger(status)
        self._balance(status)

    def _requests(self, status: Body) -> None:
        for outcome in status.get("requests", []):
            known = self.outcomes.setdefault(outcome["annotation"], outcome)
            assert known == outcome, f"{outcome['annotation']} was answered twice: {known}, {outcome}"

    @staticmethod
    def _lists(status: Body) -> None:
        """No run stands in two lists, or twice in one."""
        listed = [*status.get("active", []), *status.get("pending", []), *status.get("recentRuns", [])]
        for field in ("id", "jobName"):
            found = [run[field] for run in listed]
            assert len(found) == len(set(found)), f"twice: {sorted(found)}"

    def _ledger(self, status: Body) -> None:
        """What was written about a run stays, and is counted once."""
        for run in status.get("recentRuns", []):
            known = self.runs.setdefault(run["id"], run)
            assert _verdict(known) == _verdict(run), f"a verdict was changed: {known}, {run}"
        counts = status["counts"]
        for result, name in COUNTED.items():
            assert counts[name] == len(self._ended(result)), f"{name}: {counts}"

    def _ended(self, result: str) -> list[Body]:
        return [run for run in self.runs.values() if run["result"] == result]

    def _balance(self, status: Body) -> None:
        """Each slot up to the mark has a run, or is in one verdict."""
        assert self.first
        assert self.mark
        slots = set(self.slots(self.first, self.mark))
        runs = [*self.runs.values(), *status.get("active", []), *status.get("pending", [])]
        with_run = {parse_time(run["slot"]) for run in runs if run["trigger"] in OF_SLOTS}
        counts: dict[str, Any] = status["counts"]
        given_up = counts["skipped"] + counts["missed"] + counts["unknown"] - len(self._ended("Unknown"))
        without = sorted(slots - with_run)
        assert given_up == len(without), (
            f"{given_up} verdicts on {len(without)} slots: {[f'{slot:%H:%M:%S}' for slot in without]}, "
            f"{status.get('unstarted')}"
        )
        strange = {slot for slot in with_run if self.first < slot <= self.mark} - slots
        assert not strange, f"runs of slots that are none: {strange}"

    def slots(self, start: datetime, end: datetime) -> list[datetime]:
        """The slots in (start, end], of whichever schedule was the one to go by."""
        found: list[datetime] = []
        bounds: Sequence[datetime] = [since for since, _ in self.timetables[1:]] + [end]
        for (since, schedule), until in zip(self.timetables, bounds, strict=True):
            found += schedule.slots_between(max(since, start), min(until, end), limit=10_000)
        return found


def _verdict(run: Body) -> tuple[str, str]:
    return run["result"], run["reason"]
