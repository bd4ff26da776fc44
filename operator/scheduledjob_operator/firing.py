"""Starts the runs of slots when they come.

Those that only the operator fires, and punctually those that Kubernetes' controller would start as well:
under the name that it uses, so that one slot is one Job. `execution` tells it of them.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from scheduledjob_operator import job_names
from scheduledjob_operator.actions import Actions
from scheduledjob_operator.books import Books
from scheduledjob_operator.clockwork import Clockwork, Shot
from scheduledjob_operator.cluster import Body
from scheduledjob_operator.cron.kind import SECOND
from scheduledjob_operator.metrics import SLOT_DELAY
from scheduledjob_operator.models import (
    ConcurrencyPolicy,
    PendingReason,
    PendingRun,
    ScheduledJobSpec,
    Trigger,
)
from scheduledjob_operator.observed import CronJobSeen, EndedAs
from scheduledjob_operator.schedule import Schedule
from scheduledjob_operator.store import Key, ScheduledJobSeen, Store
from scheduledjob_operator.suspension import Switch
from scheduledjob_operator.sync import CronJobSync
from scheduledjob_operator.wanted import Wanted, parse

logger = logging.getLogger(__name__)

LATE = timedelta(seconds=60)
"""A slot that Kubernetes fires too is left to it after that."""


class Move(Enum):
    """What to do about a slot that has come."""

    START = auto()
    LEAVE = auto()
    """Nothing: a run is active, and the end of that one decides."""
    ASK = auto()
    """Look at the ScheduledJob as a whole: a run is to be ended first, or the slot has to wait."""


def move(policy: ConcurrencyPolicy, *, active: bool, waiting: bool, by_operator: bool) -> Move:
    """What to do about a slot. `active`: some run is; `waiting`: some run of an earlier slot waits."""
    if policy is ConcurrencyPolicy.ALLOW:
        return Move.START
    if policy is ConcurrencyPolicy.QUEUE and (active or waiting):
        return Move.ASK
    if not active:
        return Move.START
    replaces = policy is ConcurrencyPolicy.REPLACE and by_operator
    return Move.ASK if replaces else Move.LEAVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a shot is fired on: a ScheduledJob in good order."""

    seen: ScheduledJobSeen
    cron_job: CronJobSeen
    switches: Sequence[Switch]

    @property
    def proof(self) -> int:
        """Stands for all that bears on whether and when a slot is fired."""
        seen, have = self.seen, self.cron_job
        asked = seen.uid, seen.generation, seen.requests
        return hash((asked, have.uid, have.spec_hash, have.timetable, have.suspended, tuple(self.switches)))

    def schedule(self, spec: ScheduledJobSpec | None) -> Schedule:
        """The one in force, within the bounds of the spec."""
        found = self.cron_job.read_schedule()
        return found.within(starts_at=spec.starts_at, ends_at=spec.ends_at) if spec else found

    @property
    def policy(self) -> ConcurrencyPolicy:
        return ConcurrencyPolicy(self.cron_job.concurrency_policy)


class Firing:
    """The hand on the clockwork. Remembers the slots that were refused, until they stand in a status."""

    def __init__(  # the parts of the operator that meet here
        self,
        *,
        actions: Actions,
        store: Store,
        cron_jobs: CronJobSync,
        clockwork: Clockwork,
        clock: Callable[[], datetime],
        punctual: bool,
    ) -> None:
        """`punctual`: whether slots that Kubernetes fires too are started."""
        self._actions = actions
        self._store = store
        self._cron_jobs = cron_jobs
        self._clockwork = clockwork
        self._clock = clock
        self._punctual = punctual
        self._refused: dict[Key, tuple[PendingRun, EndedAs]] = {}

    def forget(self, key: Key) -> None:
        """The ScheduledJob is gone."""
        self._refused.pop(key, None)
        self._clockwork.disarm(key)

    def disarm(self, key: Key) -> None:
        """No slot starts, until it is armed."""
        self._clockwork.disarm(key)

    def refused(self, key: Key, *, recorded: Iterable[str]) -> tuple[PendingRun, EndedAs] | None:
        """The slot's run that could not be started, and why; None once it is in `recorded`, run ids."""
        found = self._refused.get(key)
        return None if found is None or found[0].id in set(recorded) else found

    def arm(self, scene: Scene, *, spec: ScheduledJobSpec | None, books: Books, looked_at: datetime) -> None:
        """Set the clock for the next slot of a ScheduledJob, or for one that has passed and may still start.

        `spec` is None when it cannot be read: what was in force before stays so. `looked_at`: when the books
        were made; a slot that has come since is not in them, and is due at once.
        """
        have, key = scene.cron_job, scene.seen.key
        if have.suspended or have.deleting or not (have.fired_by_operator or self._is_punctual(spec)):
            self._clockwork.disarm(key)
            return
        undecided = books.undecided
        slot = undecided if have.fired_by_operator and self._may_start_now(scene, slot=undecided) else None
        if slot is None:
            after = max(filter(None, [looked_at, books.status.accounted_until, undecided]))
            slot = next(iter(scene.schedule(spec).next_after(after)), None)
        self._arm(scene, slot=slot)

    def _is_punctual(self, spec: ScheduledJobSpec | None) -> bool:
        return self._punctual and spec is not None and spec.punctual_firing

    def _arm(self, scene: Scene, *, slot: datetime | None) -> None:
        key = scene.seen.key
        if slot is None:
            self._clockwork.disarm(key)
        else:
            self._clockwork.arm(Shot(key, slot, scene.proof))

    def _may_start_now(self, scene: Scene, *, slot: datetime | None) -> bool:
        refused = self._refused.get(scene.seen.key)
        if refused is not None and refused[0].slot == slot:
            return False  # the status has it now
        return self._move(scene) is Move.START

    def _move(self, scene: Scene) -> Move:
        active = any(job.end is None for job in self._store.jobs(scene.seen.key))
        # The status is packed: it is only opened for a policy that asks for it.
        waiting = scene.policy is ConcurrencyPolicy.QUEUE and _waits(scene.seen)
        by_operator = scene.cron_job.fired_by_operator
        return move(scene.policy, active=active, waiting=waiting, by_operator=by_operator)

    async def fire(self, shot: Shot, *, switches: Sequence[Switch]) -> bool:
        """Start the run of a slot, if it is still to be started; whether to look at the ScheduledJob then.

        Raises ApiError when nobody answered: what has become of the slot is seen at that look.
        """
        key = shot.key
        seen = self._store.scheduled_job(key)
        cron_job = self._cron_jobs.owned(seen) if seen else None
        if seen is None or seen.deleting or cron_job is None:
            return True
        scene = Scene(seen=seen, cron_job=cron_job, switches=switches)
        if scene.proof != shot.proof:
            return True  # it was armed for something else
        now, by_operator = self._clock(), cron_job.fired_by_operator
        wanted = parse(seen, now=now)
        schedule = scene.schedule(wanted.spec if isinstance(wanted, Wanted) else None)
        slot = shot.slot
        if by_operator:  # of several that have passed only the latest is started, as Kubernetes does it
            slot = schedule.latest_at_or_before(now, not_before=slot - SECOND) or slot
        self._arm(scene, slot=next(iter(schedule.next_after(slot)), None))
        if not by_operator and now - slot > LATE:
            return False
        name = job_names.slot_job(key.name, slot, by_operator=by_operator)
        if any(job.name == name for job in self._store.jobs(key)):
            return False
        step = self._move(scene)
        if step is not Move.START:
            return step is Move.ASK
        if isinstance(wanted, Wanted):
            body = self._cron_jobs.source(seen=seen, spec=wanted.spec)
        else:
            body = await self._actions.template(cron_job)
        await self._start(scene, slot=slot, name=name, body=body)
        return True

    async def _start(self, scene: Scene, *, slot: datetime, name: str, body: Body) -> None:
        now = self._clock()
        run = PendingRun(
            id=name,
            job_name=name,
            slot=slot,
            trigger=Trigger.SCHEDULE,
            reason=PendingReason.QUEUED,
            due_time=slot,
            since=now.replace(microsecond=0),
        )
        refused = await self._actions.start(run, body=body, cron_job=scene.cron_job)
        by_operator = scene.cron_job.fired_by_operator
        if refused is None:
            SLOT_DELAY.labels(scheduler="Operator" if by_operator else "CronJob").observe(
                (self._clock() - slot).total_seconds()
            )
        elif by_operator:
            logger.warning("Job %s of %s was refused: %s", name, scene.seen.key, refused.reason)
            self._refused[scene.seen.key] = run, refused


def _waits(seen: ScheduledJobSeen) -> bool:
    """Whether the run of a slot waits in the status for another one to end."""
    return any(
        run.get("trigger") == Trigger.SCHEDULE and run.get("reason") == PendingReason.QUEUED
        for run in seen.status.get("pending") or ()
    )
