"""Which slots got their Job, how late, and which got two: read from what the API server granted. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from tests.bench.audit import Request
from tests.bench.load import Place

_JOB = re.compile(r"(.+)-([0-9]+)")
_SECONDS = 10**9
"""From here on the digits of a Job's name are seconds, as the operator counts; below, Kubernetes' minutes."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A moment at which a ScheduledJob is due, in seconds since the epoch."""

    place: Place
    due: int


@dataclass(frozen=True, slots=True)
class Shot:
    """A Job that was made for a slot."""

    slot: Slot
    job: str
    at: float
    """When the API server's answer left, in seconds since the epoch."""

    @property
    def delay(self) -> float:
        return self.at - self.slot.due


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of the slots that were expected."""

    delays: tuple[float, ...]
    """Seconds from each slot to its first Job, the shortest first; of the slots that got one in time."""
    missing: int
    """Slots without a Job in time."""
    doubled: int
    """Slots with more than one Job, in time or not."""

    def percentile(self, percent: int) -> float:
        """The delay that so many of a hundred do not exceed; 100 is the longest, 0 stands for no delay."""
        if not self.delays:
            return 0.0
        return self.delays[min(len(self.delays) * percent // 100, len(self.delays) - 1)]


def shots(requests: Iterable[Request]) -> list[Shot]:
    """The Jobs of slots that were asked for and made, whoever asked."""
    found = []
    for request in requests:
        if request.what == "create jobs" and request.code == 201 and (match := _JOB.fullmatch(request.name)):
            number = int(match[2])
            due = number if number >= _SECONDS else number * 60
            slot = Slot(Place(request.namespace, match[1]), due)
            found.append(Shot(slot, request.name, request.ended))
    return found


def judged(made: Iterable[Shot], *, expected: Collection[Slot], within: float = float("inf")) -> Outcome:
    """Compare what was made with what was expected; a Job later than `within` seconds is out of time."""
    wanted = set(expected)
    first: dict[Slot, float] = {}
    count: Counter[Slot] = Counter()
    for shot in made:
        if shot.slot in wanted:
            count[shot.slot] += 1
            first[shot.slot] = min(shot.delay, first.get(shot.slot, shot.delay))
    delays = sorted(delay for delay in first.values() if delay <= within)
    return Outcome(
        delays=tuple(delays),
        missing=len(wanted) - len(delays),
        doubled=sum(number > 1 for number in count.values()),
    )
