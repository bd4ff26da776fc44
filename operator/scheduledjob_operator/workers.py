"""What acts: workers that take the keys of ScheduledJobs one by one, and others that start slots when due."""

import asyncio
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from scheduledjob_operator.clockwork import Clockwork
from scheduledjob_operator.cluster import ApiError
from scheduledjob_operator.metrics import QUEUE_LENGTH, RECONCILE_ERRORS, RECONCILE_SECONDS
from scheduledjob_operator.reconcile import Reconciler
from scheduledjob_operator.store import Key
from scheduledjob_operator.work_queue import WorkQueue

logger = logging.getLogger(__name__)

LONGEST_WAIT = 0.5
"""Seconds for which the slots that are due keep a look at a ScheduledJob waiting."""


def utc_now() -> datetime:
    """The clock on the wall."""
    return datetime.now(UTC)


class Workers:
    """Nothing is done about one ScheduledJob by two of them at once."""

    def __init__(self, *, reconciler: Reconciler, queue: WorkQueue[Key], clockwork: Clockwork) -> None:
        self._reconciler = reconciler
        self._queue = queue
        self._clockwork = clockwork

    async def run(self, *, count: int) -> None:
        """Work until cancelled, with so many of each."""
        async with asyncio.TaskGroup() as group:
            for number in range(count):
                group.create_task(self._reconcile(), name=f"reconciler {number}")
                group.create_task(self._fire(), name=f"clockwork {number}")

    async def _reconcile(self) -> None:
        while True:
            await self._clockwork.idle(seconds=LONGEST_WAIT)
            key = await self._queue.get()
            QUEUE_LENGTH.set(len(self._queue))
            started = time.monotonic()
            with self._attempt(key, what="reconciled"):
                again = await self._reconciler.reconcile(key)
                self._queue.forget_failures(key)
                if again is not None:
                    delay = (again - utc_now()).total_seconds()
                    self._queue.add_at(key, time.monotonic() + max(delay, 0.0))
            RECONCILE_SECONDS.observe(time.monotonic() - started)

    async def _fire(self) -> None:
        while True:
            shot = await self._clockwork.next(hold=self._queue.hold)
            with self._attempt(shot.key, what=f"started for the slot {shot.slot}"):
                if await self._reconciler.fire(shot):
                    self._queue.add(shot.key)

    @contextmanager
    def _attempt(self, key: Key, *, what: str) -> Iterator[None]:
        """Work on a key; a failure is tried again later, and others may work on the key then."""
        try:
            yield
        except ApiError as error:
            RECONCILE_ERRORS.inc()
            logger.warning("%s could not be %s, trying again: %s", key, what, error)
            self._queue.add_after_failure(key)
        except Exception:
            # One object that we cannot handle must not stop the others.
            RECONCILE_ERRORS.inc()
            logger.exception("%s could not be %s, trying again", key, what)
            self._queue.add_after_failure(key)
        finally:
            self._queue.done(key)
            self._clockwork.offer(key)
