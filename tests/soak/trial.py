"""A trial: ScheduledJobs whose every slot is to have one run, disturbed for minutes; and what came of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from scheduledjob_operator import names
from tests.bench.api import Body
from tests.soak.rig import NAMESPACE, Rig
from tests.soak.stage import Actor
from tests.soak.tallies import Tally, tally

QUIET = 5.0
"""Seconds without a write after which nothing more is expected."""
SETTLING = 120.0
RECENT = 10
"""Seconds by which the ledger may lag: clocks may be behind, and short runs are told when they end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A ScheduledJob of a trial. `period`: seconds between two slots, counted from the beginning of 1970."""

    period: int
    spec: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Takeover:
    """From the end of a leader to the first write of the next one."""

    after: str
    seconds: float
    limit: float


@dataclass(kw_only=True)
class Trial:
    """What became of it."""

    name: str
    seconds: float = 0.0
    tallies: list[Tally] = field(default_factory=list)
    takeovers: list[Takeover] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What people should know of it."""
    problems: list[str] = field(default_factory=list)
    evidence: dict[str, Any] = field(default_factory=dict)
    """The ScheduledJobs with problems, and their Jobs."""

    @property
    def slow(self) -> list[str]:
        """The takeovers that took too long."""
        return [
            f"slow: {takeover.seconds:.1f} s without a leader after {takeover.after}"
            for takeover in self.takeovers
            if takeover.seconds > takeover.limit
        ]


@dataclass(kw_only=True)
class Cast:
    """The ScheduledJobs of a trial."""

    rig: Rig
    parts: Mapping[str, Part]
    actors: Mapping[str, Actor]

    @classmethod
    async def enter(cls, rig: Rig, parts: Mapping[str, Part], *, number: int) -> Cast:
        """Create them, and return when they are ready."""
        actors = {name: Actor(rig=rig, story=name, round=number, base=datetime.now(UTC)) for name in parts}
        await rig.api.each(parts, lambda name: actors[name].create(**parts[name].spec))
        return cls(rig=rig, parts=parts, actors=actors)

    async def leave(self, trial: Trial, *, writes: Callable[[], int]) -> None:
        """Wait until all is caught up, disable them, judge, and delete them. `writes`: so many up to now."""
        for name in self.actors:
            await self._catch_up(name, trial=trial)
        for actor in self.actors.values():
            await actor.change(enabled=False)
        await self._settle(writes)
        self.rig.record.check()
        jobs = self._jobs()
        for name, actor in self.actors.items():
            body, own = await actor.get(), jobs.get(actor.name, [])
            found = tally(name, period=self.parts[name].period, jobs=own, status=body["status"])
            trial.tallies.append(found)
            trial.problems += found.problems
            if found.problems:
                trial.evidence[name] = {"scheduledJob": body, "jobs": own}
            await actor.delete()

    async def _catch_up(self, name: str, *, trial: Trial) -> None:
        late = RECENT + self.parts[name].period

        def reached(status: Body) -> bool:
            return _is_up_to_date(status, late=late)

        try:
            await self.actors[name].until(reached, "it is up to date", seconds=SETTLING)
        except TimeoutError:
            trial.problems.append(f"{name}: stuck: it is not up to date after {SETTLING:.0f} s")

    async def _settle(self, writes: Callable[[], int]) -> None:
        deadline = time.monotonic() + SETTLING
        before, since = writes(), time.monotonic()
        while time.monotonic() < min(deadline, since + QUIET):
            await asyncio.sleep(0.5)
            if writes() != before:
                before, since = writes(), time.monotonic()

    def _jobs(self) -> dict[str, list[Body]]:
        found: dict[str, list[Body]] = {}
        for body in self.rig.record.jobs.values():
            if body["metadata"]["namespace"] == NAMESPACE:
                parent = (body["metadata"].get("labels") or {}).get(names.LABEL_NAME, "")
                found.setdefault(parent, []).append(body)
        return found


def _is_up_to_date(status: Body, *, late: float) -> bool:
    """Whether nothing waits, and the ledger has come to the present."""
    until = status.get("accountedUntil")
    if until is None or status.get("pending"):
        return False
    return (datetime.now(UTC) - datetime.fromisoformat(until)).total_seconds() < late


def takeovers_by_kind(takeovers: Sequence[Takeover]) -> dict[str, list[float]]:
    """How long each took, by what ended the leader before."""
    found: dict[str, list[float]] = {}
    for takeover in takeovers:
        found.setdefault(takeover.after, []).append(takeover.seconds)
    return found
