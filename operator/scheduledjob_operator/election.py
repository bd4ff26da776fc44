"""One leader among the replicas, by a Lease: client-go's algorithm, for asyncio.

A leader counts the renew deadline from the moment before it sent its last good renewal. A standby counts the
longer duration of the Lease from the moment after it last saw the Lease change. Each does so by its own
monotonic clock, so what clocks show does not matter, only that none runs half as fast again as another.
The times that are written into the Lease are for people.

client-go's promise has its limits, and so has this one: whoever empties, edits or deletes the Lease by hand
may see two leaders until the old one's next renewal; and a write that was sent in time may arrive too late.
"""

import asyncio
import logging
import math
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, NoReturn

from scheduledjob_operator.cluster import ApiError, Body
from scheduledjob_operator.leases import Leases

logger = logging.getLogger(__name__)

LEASE_SECONDS = 15
"""Others wait that long after the last change they saw."""
RENEW_SECONDS = 10.0
"""A leader stops that long after its last renewal."""
RETRY_SECONDS = 2.0
JITTER = 1.2
REQUEST_SECONDS = RENEW_SECONDS / 2
"""One connection that hangs does not cost the Lease: there is time for another."""
RELEASE_SECONDS = 2.0
NEVER = -math.inf


class Election:
    """One candidate. `identity` is its Pod's name: a container that was restarted goes on with its Lease.

    `clock` must not stand still while the process does: time.monotonic, or better CLOCK_BOOTTIME.
    `on_change` is told whenever leading begins or ends.
    """

    def __init__(
        self,
        *,
        leases: Leases,
        identity: str,
        clock: Callable[[], float],
        now: Callable[[], datetime],
        on_change: Callable[[bool], None],
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._leases = leases
        self._identity = identity
        self._clock = clock
        self._now = now
        self._on_change = on_change
        self._wait = wait
        self._deadline = NEVER
        self._tried_at = NEVER
        self._lease: Body | None = None
        """The Lease as it was last read."""
        self._record: Body = {}
        """Its last spec: it stands when somebody deletes the Lease, since the leader does not know yet."""
        self._changed_at = NEVER
        """When we saw that."""
        self._outdated = True
        """Whether the Lease has to be read before it is written."""
        self._claimed = False
        """Whether the Lease may be ours, even if we were never told."""
        self._complaints: set[int] = set()
        self._followed = ""
        self._told = False

    @property
    def leading(self) -> bool:
        """Whether we may act now; after a pause of the whole process too."""
        return self._clock() < self._deadline

    @property
    def seconds_left(self) -> float:
        """How long it takes until another may lead: later than we stop."""
        return self._deadline + LEASE_SECONDS - RENEW_SECONDS - self._clock()

    async def run(self, *, lead: Callable[[], Awaitable[None]]) -> NoReturn:
        """Lead whenever it is our turn, until cancelled: `lead` is cancelled when the Lease is lost.

        Raises what `lead` raises, and RuntimeError when it ends by itself.
        """
        try:
            while True:
                await self._acquire()
                await self._lead(lead)
        finally:
            self._resign()
            if self._claimed:
                await self._give_back()

    async def _acquire(self) -> None:
        while not await self._try(REQUEST_SECONDS):
            expiry = self._expiry()
            await self._pause(no_later_than=expiry if expiry > self._clock() else math.inf)

    async def _lead(self, lead: Callable[[], Awaitable[None]]) -> None:
        """Until the Lease is lost. Whatever ends it, `lead` has ended then."""
        logger.info("%s leads now", self._identity)
        working: asyncio.Future[Any] = asyncio.ensure_future(lead())
        renewing: asyncio.Future[Any] = asyncio.create_task(self._renew(), name="lease")
        self._tell(leading=True)
        try:
            await asyncio.wait([working, renewing], return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                self._raise_end(working)
            self._resign()
            logger.warning("%s leads no more: %s", self._identity, renewing.result())
        finally:
            # If it was not the Lease that ended it, it may act until the deadline while it ends.
            await _end(renewing, working)

    def _resign(self) -> None:
        self._deadline = NEVER
        self._tell(leading=False)

    def _tell(self, *, leading: bool) -> None:
        if leading != self._told:
            self._told = leading
            self._on_change(leading)

    @staticmethod
    def _raise_end(working: asyncio.Future[None]) -> NoReturn:
        if not working.cancelled() and (error := working.exception()):
            raise error
        raise RuntimeError("what the leader does has ended by itself: it must go on until it is cancelled")

    async def _renew(self) -> str:
        """Renew until the Lease is lost, and why it is."""
        while True:
            await self._pause(no_later_than=self._deadline)
            left = self._deadline - self._clock()
            if left <= 0:
                return f"the Lease could not be renewed for {RENEW_SECONDS:g} seconds"
            held = await self._try(min(left, REQUEST_SECONDS))
            if held is False:
                holder = _holder(self._record)
                return "the answer came too late" if holder == self._identity else f"{holder} has the Lease"

    async def _pause(self, *, no_later_than: float) -> None:
        """A period after the last attempt began: one that took as long is followed by the next at once."""
        period = RETRY_SECONDS * random.uniform(1.0, JITTER)  # noqa: S311  # jitter
        due = min(self._tried_at + period, no_later_than)
        await self._wait(max(due - self._clock(), 0.0))

    async def _try(self, seconds: float) -> bool | None:
        """Whether we lead now; None when the API server did not say."""
        self._tried_at = self._clock()
        try:
            async with asyncio.timeout(seconds):
                held = await self._hold_at_last()
        except ApiError as error:
            self._complain(error)
            return None
        except TimeoutError:
            self._complain(
                ApiError(status=0, reason="NoAnswer", message=f"no answer within {seconds:.1f} seconds")
            )
            return None
        if self._complaints:
            logger.info("the Lease can be reached again")
            self._complaints.clear()
        if not held:
            self._follow(_holder(self._record))
        return held

    async def _hold_at_last(self) -> bool:
        try:
            return await self._hold()
        except ApiError as error:
            if error.status not in (404, 409):
                raise
            # It is not as we last saw it: find out at once who has it, we may be leading without a right to.
            return await self._hold()

    async def _hold(self) -> bool:
        """Take or renew the Lease if it is free or ours."""
        if self._outdated:
            self._see(await self._leases.get())
        if _holder(self._record) not in ("", self._identity) and self._clock() < self._expiry():
            self._claimed = False
            self._deadline = NEVER
            return False
        self._outdated = self._claimed = True
        sent = self._clock()
        self._see(await self._leases.put(self._claim(), over=self._lease))
        self._outdated = False
        self._deadline = sent + RENEW_SECONDS
        return self.leading

    def _see(self, lease: Body | None) -> None:
        self._lease = lease
        if lease is not None and (record := lease.get("spec") or {}) != self._record:
            self._record = record
            self._changed_at = self._clock()

    def _expiry(self) -> float:
        """When somebody else's Lease is free. The duration is the holder's, who may be of another version."""
        return self._changed_at + max(self._record.get("leaseDurationSeconds") or 0, LEASE_SECONDS)

    def _claim(self) -> Body:
        record: Body = (self._lease or {}).get("spec") or {}
        ours = _holder(record) == self._identity
        now = _micro_time(self._now())
        transitions = (record.get("leaseTransitions") or 0) + (not ours)
        return {
            **record,
            "holderIdentity": self._identity,
            "leaseDurationSeconds": LEASE_SECONDS,
            "acquireTime": (ours and record.get("acquireTime")) or now,
            "renewTime": now,
            "leaseTransitions": transitions if self._lease else 0,
        }

    async def _give_back(self) -> None:
        """Empty the Lease if it is ours, so that another need not wait until it has expired."""
        try:
            async with asyncio.timeout(RELEASE_SECONDS):
                while not await self._given_back():
                    pass
        except (ApiError, TimeoutError) as error:
            logger.warning(
                "the Lease could not be given back, another waits %s seconds for it: %s",
                LEASE_SECONDS,
                str(error) or "no answer",
            )

    async def _given_back(self) -> bool:
        lease = await self._leases.get()
        if lease is None or _holder(record := lease.get("spec") or {}) != self._identity:
            return True
        now = _micro_time(self._now())
        given = {"holderIdentity": "", "leaseDurationSeconds": 1, "acquireTime": now, "renewTime": now}
        try:
            await self._leases.put({**record, **given}, over=lease)
        except ApiError as error:
            if error.status not in (404, 409):
                raise
            # A renewal of ours that we no longer waited for came between.
            return False
        return True

    def _follow(self, holder: str) -> None:
        if holder not in (self._followed, self._identity):
            self._followed = holder
            logger.info("%s stands by while %s has the Lease", self._identity, holder)

    def _complain(self, error: ApiError) -> None:
        """Once per outage and kind of error, not at each attempt."""
        if error.status not in self._complaints:
            self._complaints.add(error.status)
            logger.warning("%s cannot hold the Lease, trying again: %s", self._identity, error)


def _holder(record: Body) -> str:
    return record.get("holderIdentity") or ""


def _micro_time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


async def _end(*tasks: asyncio.Future[Any]) -> None:
    """Cancel tasks and await their end, even if we are cancelled again meanwhile."""
    cancelled = False
    running = [task for task in tasks if task.cancel()]
    while unfinished := [task for task in tasks if not task.done()]:
        try:
            await asyncio.wait(unfinished)
        except asyncio.CancelledError:
            cancelled = True
            for task in unfinished:
                task.cancel()
    for task in running:
        if not task.cancelled() and (error := task.exception()):
            logger.error("what the leader did has failed", exc_info=error)
    if cancelled:
        raise asyncio.CancelledError
