"""Ends a run in time: a handler is asked to stop first, and the process is ended when it does not listen.

A thread watches the clock and the signals. Its wake-up pipe is written by the interpreter's C-level signal
handler, so that it learns of a SIGTERM even while the main thread is in a C call that does not return.
"""

import os
import select
import signal
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from types import FrameType
from typing import Any, TypeVar

from job_runner.errors import Cancelled, ExitCode

T = TypeVar("T")

TIMEOUT_PATIENCE = 3.0
"""Seconds from the soft timeout to the end of the process; the pod's hard deadline comes 2 s later."""

GRACE_PERIOD = 30.0
"""Seconds between SIGTERM and SIGKILL where nobody says otherwise, as in Kubernetes."""

GRACE_RESERVE = 2.0
"""Seconds of the pod's grace period that are kept for writing down what happened."""

STUCK_AFTER = 4.0
"""Seconds from the soft timeout to a dump of the stacks. Only a run that never lets go of the interpreter's
lock gets there, and then the dump in the log's tail is the only evidence there will be."""

_INTERRUPT = signal.SIGUSR1
_SEEN_BY_PYTHON = 128
_STOP = 0


class Cause(Enum):
    """Why a run is being ended: (exit code)."""

    TIMEOUT = ExitCode.TIMED_OUT
    SIGTERM = ExitCode.TERMINATED
    SIGINT = ExitCode.INTERRUPTED


_CAUSES = {signal.SIGTERM.value: Cause.SIGTERM, signal.SIGINT.value: Cause.SIGINT}


class Supervisor:
    """Watches one run. `insist(cause)` is called from the watching thread, to end the process there and then.

    timeout: seconds from `started` (time.monotonic) to the soft limit, None for no limit.
    grace: seconds between SIGTERM and SIGKILL.
    listen: whether SIGTERM and SIGINT are taken over; False inside somebody else's process.
    """

    def __init__(
        self,
        *,
        timeout: float | None,
        grace: float,
        started: float,
        insist: Callable[[Cause], None],
        listen: bool = True,
    ) -> None:
        self.timeout = timeout
        self.deadline = None if timeout is None else started + timeout
        self.cause: Cause | None = None
        self.grace = grace
        self._insist = insist
        self._listen = listen
        self._delivered = False
        self._interruptible = False
        self._shields = 0
        self._deliver: Callable[[], None] | None = None
        self._read_end, self._write_end = -1, -1
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._main = threading.get_ident()
        self._in_main = threading.current_thread() is threading.main_thread()
        self._previous: dict[int, Any] = {}
        self._forking = threading.local()

    def start(self) -> None:
        """Take over the signals and start watching. From here on the run is bounded."""
        self._read_end, self._write_end = os.pipe()
        os.set_blocking(self._write_end, False)
        if self._in_main:
            self._previous[_INTERRUPT] = signal.signal(_INTERRUPT, self._on_interrupt)
            if self._listen:
                for number in _CAUSES:
                    self._previous[number] = signal.signal(number, self._on_signal)
                signal.set_wakeup_fd(self._write_end, warn_on_full_buffer=False)
                os.register_at_fork(
                    before=self._hold_signals,
                    after_in_parent=self._release_signals,
                    after_in_child=self._forget_in_child,
                )
        self._thread.start()

    def stop(self) -> None:
        """Stop watching and give the signals back. A process that ends with its run never needs this."""
        os.write(self._write_end, bytes([_STOP]))
        self._thread.join()
        for number, previous in self._previous.items():
            signal.signal(number, previous)
        if self._listen and self._in_main:
            signal.set_wakeup_fd(-1)
        os.close(self._read_end)
        os.close(self._write_end)

    @property
    def cancelled(self) -> bool:
        return self.cause is not None

    def cancel(self, cause: Cause) -> None:
        """End the run as if `cause` had just happened."""
        number = next((number for number, known in _CAUSES.items() if known is cause), signal.SIGTERM.value)
        os.write(self._write_end, bytes([number]))

    def run(self, task: Callable[[], T]) -> T:
        """Call `task` in this thread. Cancelled is raised in it, even in a blocking call, to end it."""
        if not self._in_main:
            return task()
        with self._delivering(self._interrupt_main):
            self._interruptible = True
            try:
                return task()
            finally:
                self._interruptible = False

    def run_coroutine(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end; its task is cancelled when it must end."""
        import asyncio  # noqa: PLC0415  (35 ms that a plain handler does not pay)

        async def main() -> T:
            loop, task = asyncio.get_running_loop(), asyncio.current_task()
            assert task is not None

            def cancel() -> None:
                if self._take_delivery():
                    task.cancel()

            with self._delivering(lambda: loop.call_soon_threadsafe(cancel)):
                return await coroutine

        interruptible, self._interruptible = self._interruptible, False
        try:
            return asyncio.run(main())
        finally:
            self._interruptible = interruptible

    @contextmanager
    def shield(self) -> Iterator[None]:
        """Hold back the cancellation until the block is left; `cancelled` tells at once."""
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1
            if self.cause is not None and self._deliver is not None:
                self._deliver()

    @contextmanager
    def uninterrupted(self) -> Iterator[None]:
        """Never raise inside the block nor on leaving it: a handler that asks `cancelled` by itself."""
        self._shields += 1
        try:
            yield
        finally:
            self._delivered = True
            self._shields -= 1

    @contextmanager
    def _delivering(self, deliver: Callable[[], object]) -> Iterator[None]:
        """While the block runs, `deliver` is how a cancellation reaches it, also one that came before it."""

        def safely() -> None:
            with suppress(RuntimeError, ProcessLookupError):  # the loop or the thread has just ended
                deliver()

        outer, self._deliver = self._deliver, safely
        if self.cause is not None:
            safely()
        try:
            yield
        finally:
            self._deliver = outer

    def _take_delivery(self) -> bool:
        """Whether the cancellation is to happen now. Only ever asked in the main thread; says yes once."""
        if self.cause is None or self._delivered or self._shields:
            return False
        self._delivered = True
        return True

    def _interrupt_main(self) -> None:
        signal.pthread_kill(self._main, _INTERRUPT)

    def _on_interrupt(self, _number: int, _frame: FrameType | None) -> None:
        if self._interruptible and self._take_delivery():
            raise Cancelled

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        # Only needed when something else, an event loop for one, has taken the wake-up descriptor from us.
        with suppress(OSError):
            os.write(self._write_end, bytes([number + _SEEN_BY_PYTHON]))

    def _hold_signals(self) -> None:
        # A signal that reaches a child before it has forgotten us would go down our wake-up pipe.
        self._forking.mask = signal.pthread_sigmask(signal.SIG_BLOCK, _CAUSES)

    def _release_signals(self) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._forking.mask)

    def _forget_in_child(self) -> None:
        """A forked worker must die of SIGTERM like any process, and must not wake its parent's supervisor."""
        if signal.getsignal(signal.SIGTERM) == self._on_signal:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.signal(_INTERRUPT, signal.SIG_DFL)
        self._release_signals()

    def _watch(self) -> None:
        cause = self._wait(until=self.deadline)
        if cause is None:
            return
        self.cause = cause
        if self._deliver is not None:
            self._deliver()
        if self._wait(until=self._end_of_patience(cause), again=cause is Cause.SIGINT):
            self._insist(cause)

    def _end_of_patience(self, cause: Cause) -> float:
        if cause is Cause.TIMEOUT:
            return time.monotonic() + TIMEOUT_PATIENCE
        end = time.monotonic() + max(self.grace - GRACE_RESERVE, 1.0)
        return end if self.deadline is None else min(end, self.deadline + TIMEOUT_PATIENCE)

    def _wait(self, *, until: float | None, again: bool = True) -> Cause | None:
        """What ends the wait: a signal, the clock (TIMEOUT), or None once `stop` was called.

        again=False: signals are heard but end nothing.
        """
        while True:
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                return Cause.TIMEOUT
            if not select.select([self._read_end], [], [], left)[0]:
                continue
            for number in os.read(self._read_end, 64):
                if number == _STOP:
                    return None
                known = self.cause is not None  # then Python's own echo of the first signal says nothing new
                cause = _CAUSES.get(number if known else number % _SEEN_BY_PYTHON)
                if cause is not None and again:
                    return cause
