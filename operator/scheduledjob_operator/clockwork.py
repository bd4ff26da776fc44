"""The operator's own clock: which slot is due next, of all ScheduledJobs. No I/O.

A heap of moments, and a queue of those that have come for each namespace, served in turn: ten thousand slots
of one namespace do not keep another one waiting.
"""

import asyncio
import heapq
import itertools
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from scheduledjob_operator.store import Key

LONGEST_SLEEP = 5.0
"""Seconds after which the clock on the wall is looked at again: somebody may have set it."""


class Shot(NamedTuple):
    """A slot that is to be started when it comes."""

    key: Key
    slot: datetime
    proof: int
    """Stands for what it was armed by: it is not fired by anything else."""


@dataclass(frozen=True, slots=True)
class _Entry:
    shot: Shot
    number: int


class Clockwork:
    """At most one shot for each ScheduledJob: arming another one takes its place."""

    def __init__(self, *, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._armed: dict[Key, _Entry] = {}
        self._heap: list[tuple[datetime, int, Key]] = []
        self._due: OrderedDict[str, deque[_Entry]] = OrderedDict()
        self._aside: dict[Key, _Entry] = {}
        self._order = itertools.count()
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def arm(self, shot: Shot) -> None:
        """Fire at the slot, or at once when it has passed."""
        before = self._armed.get(shot.key)
        if before is not None and before.shot == shot:
            return
        self._aside.pop(shot.key, None)
        entry = self._armed[shot.key] = _Entry(shot, next(self._order))
        heapq.heappush(self._heap, (shot.slot, entry.number, shot.key))
        self._news.set()

    def disarm(self, key: Key) -> None:
        """Fire nothing."""
        self._armed.pop(key, None)
        self._aside.pop(key, None)

    def clear(self) -> None:
        """Fire nothing at all."""
        self._armed.clear()
        self._aside.clear()

    @property
    def next_due(self) -> datetime | None:
        """When the next slot comes, which may be past."""
        while self._heap:
            due, number, key = self._heap[0]
            if self._is_armed(key, number):
                return due
            heapq.heappop(self._heap)
        return None

    def take(self, *, hold: Callable[[Key], bool]) -> Shot | None:
        """A shot that is due, of the namespace whose turn it is; None when there is none.

        `hold` takes the key for itself, or says that somebody else has it: that shot waits for `offer`.
        """
        self._collect()
        while self._due:
            namespace, entries = self._due.popitem(last=False)
            entry = entries.popleft()
            if entries:
                self._due[namespace] = entries  # behind the others
            key = entry.shot.key
            if not self._is_armed(key, entry.number):
                continue
            if not hold(key):
                self._aside[key] = entry
                continue
            del self._armed[key]
            self._rest_if_nothing_is_due()
            return entry.shot
        self._rest_if_nothing_is_due()
        return None

    def offer(self, key: Key) -> None:
        """The key is free: its shot that waited for that is due again."""
        entry = self._aside.pop(key, None)
        if entry is not None and self._is_armed(key, entry.number):
            self._queue(entry)
            self._news.set()

    async def next(self, *, hold: Callable[[Key], bool]) -> Shot:
        """The next shot, once it is due."""
        while True:
            if shot := self.take(hold=hold):
                return shot
            self._news.clear()
            due = self.next_due
            seconds = None if due is None else max((due - self._clock()).total_seconds(), 0.0)
            try:
                async with asyncio.timeout(None if seconds is None else min(seconds, LONGEST_SLEEP)):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def idle(self, *, seconds: float) -> None:
        """Wait until no slot is due, for so long at most."""
        if self._idle.is_set():
            return
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return

    def _collect(self) -> None:
        """Move what is due into the queue of its namespace."""
        now = self._clock()
        while (due := self.next_due) is not None and due <= now:
            _, _, key = heapq.heappop(self._heap)
            self._queue(self._armed[key])

    def _queue(self, entry: _Entry) -> None:
        self._due.setdefault(entry.shot.key.namespace, deque()).append(entry)
        self._idle.clear()

    def _is_armed(self, key: Key, number: int) -> bool:
        entry = self._armed.get(key)
        return entry is not None and entry.number == number

    def _rest_if_nothing_is_due(self) -> None:
        if not self._due:
            self._idle.set()
