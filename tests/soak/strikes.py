"""When the operator is struck, and how: the plan of a soak, and the table of what was done. Pure."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class Moment(StrEnum):
    """What happens to a write that is struck."""

    BEFORE = "killed before it"
    """The operator is killed, and the API server never sees the write."""
    UNANSWERED = "killed before its answer"
    """The write is done; the operator is killed without knowing."""
    AFTER = "killed after its answer"
    """The operator is killed as soon as it has the answer."""
    LOST = "answer lost"
    """The write is done; the connection breaks before the answer, and the operator goes on."""
    UNAVAILABLE = "503"
    """The write is refused for now, and the operator goes on."""

    @property
    def kills(self) -> bool:
        return self in (Moment.BEFORE, Moment.UNANSWERED, Moment.AFTER)


EVERY_MOMENT = tuple(Moment)
KILLS = tuple(moment for moment in Moment if moment.kills)


@dataclass(slots=True, kw_only=True)
class Strikes:
    """Which write is struck how: every kind at every moment, rare ones at once, frequent ones now and then.

    `quota`: how often each kind may be struck at each moment; raise it to go on.
    """

    seed: int
    moments: tuple[Moment, ...] = EVERY_MOMENT
    quota: int = 0
    kills_left: int = 0
    """Stop killing after so many."""
    once: bool = False
    """Strike each kind once only, each kind at the next moment in turn."""
    done: Counter[tuple[str, Moment]] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)
    """Writes by kind, struck or not."""
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    @property
    def kills(self) -> int:
        return sum(count for (_, moment), count in self.done.items() if moment.kills)

    def choose(self, kind: str) -> Moment | None:
        """What happens to a write of this kind; None: nothing. It is counted as done."""
        self.seen[kind] += 1
        if not self.quota:
            return None
        moment = self._in_turn(kind) if self.once else self._rarest(kind)
        if moment is None or (moment.kills and self.kills_left <= 0):
            return None
        self.done[kind, moment] += 1
        self.kills_left -= moment.kills
        return moment

    def _in_turn(self, kind: str) -> Moment | None:
        if any(struck == kind for struck, _ in self.done):
            return None
        return self.moments[len(self.done) % len(self.moments)]

    def _rarest(self, kind: str) -> Moment | None:
        moment = min(self.moments, key=lambda each: self.done[kind, each])
        times = self.done[kind, moment]
        if times >= self.quota or (times and self._random.random() < 0.5):
            return None
        return moment
