"""A queue of keys: each key at most once in it, and never worked on twice at the same time.

What client-go calls a rate-limiting work queue, for asyncio.
"""

import asyncio
import heapq
import itertools
import random
from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)

FIRST_BACKOFF = 0.2
LONGEST_BACKOFF = 60.0


class WorkQueue(Generic[Key]):
    """Keys to work on, now or at a time of the monotonic clock (`clock`, seconds)."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ready: deque[Key] = deque()
        self._waiting: set[Key] = set()
        self._working: set[Key] = set()
        self._again: set[Key] = set()
        self._due: dict[Key, float] = {}
        self._heap: list[tuple[float, int, Key]] = []
        self._order = itertools.count()
        self._failures: dict[Key, int] = {}
        self._news = asyncio.Event()

    def __len__(self) -> int:
        return len(self._ready)

    def add(self, key: Key) -> None:
        """Work on the key as soon as somebody is free."""
        if key in self._working:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            self._ready.append(key)
            self._news.set()

    def put_first(self, chosen: Callable[[Key], bool]) -> None:
        """Have some of the keys that wait worked on before the others."""
        self._ready = deque(sorted(self._ready, key=lambda key: not chosen(key)))

    def add_at(self, key: Key, due: float) -> None:
        """Work on the key at `due`; an earlier wish of the same key stands."""
        if self._due.get(key, float("inf")) > due:
            self._due[key] = due
            heapq.heappush(self._heap, (due, next(self._order), key))
            self._news.set()

    def add_after_failure(self, key: Key) -> None:
        """Work on the key again, later with every failure in a row."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        delay = min(FIRST_BACKOFF * 2 ** min(failures, 30), LONGEST_BACKOFF)
        self.add_at(key, self._clock() + delay * random.uniform(0.5, 1.0))  # noqa: S311  # jitter

    def forget_failures(self, key: Key) -> None:
        self._failures.pop(key, None)

    async def get(self) -> Key:
        """The next key; `done` must follow."""
        while True:
            now = self._clock()
            while self._heap and self._heap[0][0] <= now:
                due, _, key = heapq.heappop(self._heap)
                if self._due.get(key) == due:
                    del self._due[key]
                    self.add(key)
            if self._ready:
                key = self._ready.popleft()
                self._waiting.discard(key)
                if key in self._working:  # it was taken out of turn
                    self._again.add(key)
                    continue
                self._working.add(key)
                return key
            await self._wait(self._heap[0][0] - now if self._heap else None)

    def hold(self, key: Key) -> bool:
        """Take a key out of turn, for something else to be done about it; `done` must follow.

        False when somebody works on it.
        """
        if key in self._working:
            return False
        self._working.add(key)
        return True

    def done(self, key: Key) -> None:
        """Work on the key has ended; if it was added meanwhile, it is due again."""
        self._working.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    async def _wait(self, seconds: float | None) -> None:
        self._news.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return
