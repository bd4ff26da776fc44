"""Several processes in one virtual time: each has an event loop and a clock of its own, and can be stopped.

No second passes for real. A loop runs when something is due for it; between two such moments time jumps.
"""

import asyncio
import heapq
import itertools
import math
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVarTuple

Ts = TypeVarTuple("Ts")

LATE = 1e-6
"""A timer goes off so much late, lest rounding has it go off early, and again and again."""


class Time:
    """What all processes share."""

    def __init__(self) -> None:
        self.now = 0.0
        self.processes: list[Process] = []
        self.check: Callable[[], None] = lambda: None
        """Called after whatever happens."""
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def after(self, seconds: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.now + seconds, next(self._order), event))

    def pass_(self, seconds: float) -> None:
        """Let that much time pass."""
        end = self.now + seconds
        while True:
            process = min(self.processes, key=Process.due, default=None)
            due = process.due() if process else math.inf
            if self._events and self._events[0][0] <= min(due, end):
                when, _, event = heapq.heappop(self._events)
                self.now = max(self.now, when)
                event()
            elif process and due <= end:
                self.now = max(self.now, due)
                process.turn()
            else:
                break
            self.check()
        self.now = end
        self.check()

    def close(self) -> None:
        """End everything, without waiting for anything."""
        self._events.clear()
        for process in self.processes:
            process.close()


class Process:
    """A process whose clock shows `offset` at first and runs at `rate`."""

    def __init__(self, time: Time, *, rate: float = 1.0, offset: float = 0.0) -> None:
        self._time = time
        self.rate = rate
        self.offset = offset
        self.loop = Loop(self.clock)
        self.dead = False
        self.stopped_until = 0.0
        time.processes.append(self)

    def clock(self) -> float:
        return self.offset + self.rate * self._time.now

    def start(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        return self.loop.create_task(coroutine)

    def stop_for(self, seconds: float) -> None:
        """As SIGSTOP and SIGCONT do, or a machine that has no time for it."""
        self.stopped_until = max(self.stopped_until, self._time.now + seconds)

    def due(self) -> float:
        """When it will run next."""
        if self.dead:
            return math.inf
        next_timer = (self.loop.next_timer() - self.offset) / self.rate + LATE
        return max(self._time.now if self.loop.busy else next_timer, self.stopped_until)

    @property
    def is_awake(self) -> bool:
        """Whether it runs, and has done all that there was to do until now."""
        return self.stopped_until <= self._time.now < self.due()

    def turn(self) -> None:
        self.loop.turn()

    def close(self) -> None:
        tasks = asyncio.all_tasks(self.loop)
        while tasks := {task for task in tasks if not task.done()}:
            for task in tasks:
                task.cancel()
            self.turn()
        self.loop.close()
        self.dead = True


class Loop(asyncio.SelectorEventLoop):
    """An event loop that is run a turn at a time, and knows when the next one is due."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._order = itertools.count()
        self._done_until = -math.inf
        self.busy = False
        super().__init__()

    def time(self) -> float:
        return self._clock()

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        handle = super().call_at(when, callback, *args, context=context)
        heapq.heappush(self._timers, (when, next(self._order), handle))
        self.busy = self.busy or when <= self.time()
        return handle

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        self.busy = True
        return super().call_soon(callback, *args, context=context)

    def next_timer(self) -> float:
        while self._timers and (self._timers[0][2].cancelled() or self._timers[0][0] <= self._done_until):
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else math.inf

    def turn(self) -> None:
        """Do all that can be done at this moment."""
        while True:
            self.busy = False
            super().call_soon(self.stop)
            self.run_forever()
            if not self.busy:
                break
        self._done_until = self.time()
