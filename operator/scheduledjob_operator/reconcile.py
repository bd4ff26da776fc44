"""The one sentence of the program: read, desired, apply, observe, status, patch, events.

`reconcile` may be called at any time and any number of times; when nothing has changed it writes nothing.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from scheduledjob_operator.actions import Actions
from scheduledjob_operator.bookkeeping import Bookkeeping
from scheduledjob_operator.books import keep
from scheduledjob_operator.clockwork import Clockwork, Shot
from scheduledjob_operator.cluster import ApiError, Cluster
from scheduledjob_operator.cron.kind import SECOND
from scheduledjob_operator.execution import Case, Execution
from scheduledjob_operator.firing import Firing, Scene
from scheduledjob_operator.metrics import forget
from scheduledjob_operator.models import ScheduledJobStatus
from scheduledjob_operator.names import ReadyReason, SlotReason
from scheduledjob_operator.observation import soonest
from scheduledjob_operator.observed import CronJobSeen
from scheduledjob_operator.observing import Look, Observing
from scheduledjob_operator.pod_template import RunnerDefaults
from scheduledjob_operator.pulse import Pulses
from scheduledjob_operator.settled import Evidence, Settled
from scheduledjob_operator.status import Ready, Situation, concluded
from scheduledjob_operator.status_reading import read_status
from scheduledjob_operator.store import Key, ScheduledJobSeen, Store
from scheduledjob_operator.suspension import Switch
from scheduledjob_operator.sync import CronJobSync, ScheduledJobGoneError, Sync
from scheduledjob_operator.wanted import Wanted, parse

GOING = "the namespace is being deleted, and no CronJob can be made in it any more"


class Reconciler:
    """Brings one ScheduledJob after the other into its desired state."""

    def __init__(  # noqa: PLR0913  # what it works with, and what the installation says
        self,
        *,
        cluster: Cluster,
        store: Store,
        defaults: RunnerDefaults,
        clock: Callable[[], datetime],
        switch: Switch | None = None,
        start_patience: timedelta = timedelta(),
        environment: str = "",
        clockwork: Clockwork | None = None,
        pulses: Pulses | None = None,
        punctual: bool = False,
    ) -> None:
        """`start_patience`: how long a run may have lasted before its beginning is worth a status write.

        `environment`: what the operator is installed for. `punctual`: whether slots that Kubernetes fires too
        are started by the operator.
        """
        self._store = store
        self._clock = clock
        self._cron_jobs = CronJobSync(cluster=cluster, store=store, defaults=defaults, clock=clock)
        self._pulses = Pulses() if pulses is None else pulses
        self._actions = actions = Actions(cluster=cluster, store=store)
        self._firing = Firing(
            actions=actions,
            store=store,
            cron_jobs=self._cron_jobs,
            clockwork=clockwork or Clockwork(clock=clock),
            clock=clock,
            punctual=punctual,
        )
        self._execution = Execution(actions=actions, store=store, clock=clock)
        self._observing = Observing(
            store=store,
            cron_jobs=self._cron_jobs,
            firing=self._firing,
            execution=self._execution,
            clock=clock,
            switch=switch,
            environment=environment,
        )
        self._bookkeeping = Bookkeeping(
            cluster=cluster,
            store=store,
            observing=self._observing,
            pulses=self._pulses,
            clock=clock,
            start_patience=start_patience,
        )
        self._settled: dict[Key, Settled] = {}

    async def reconcile(self, key: Key) -> datetime | None:
        """Do what is to be done for a ScheduledJob; when to do it again though nothing happens.

        Raises ApiError when the API server could not be asked; the caller tries again.
        """
        seen = self._store.scheduled_job(key)
        settled = self._settled.pop(key, None)
        if seen is None or seen.deleting:
            self._forget(key)
            return None
        if settled is not None and settled.holds(now=self._clock(), evidence=self._observing.evidence(seen)):
            self._settled[key] = settled
            return settled.until
        return await self._reconcile(seen)

    async def fire(self, shot: Shot) -> bool:
        """Start the run of a slot that has come; whether `reconcile` is to be called then.

        Raises ApiError when nobody answered: `reconcile` sees what has become of it.
        """
        try:
            look = await self._firing.fire(shot, switches=self._observing.switches(shot.key))
        except ApiError:
            self._settled.pop(shot.key, None)
            raise
        if look:
            self._settled.pop(shot.key, None)
        return look

    def lost_sight(self) -> None:
        """A watch had a gap: Jobs may have come and gone unseen."""
        self._observing.lost_sight()
        self._settled.clear()

    def _forget(self, key: Key) -> None:
        """The ScheduledJob is gone, or about to be."""
        self._observing.forget(key)
        self._execution.forget(key)
        self._firing.forget(key)
        self._cron_jobs.forget(key)
        self._pulses.forget(key)
        forget(namespace=key.namespace, name=key.name)

    async def _reconcile(self, seen: ScheduledJobSeen) -> datetime | None:
        wanted = parse(seen, now=self._clock())
        previous = read_status(seen.status)
        going = await self._actions.is_going(seen)
        observed = self._observing.observe(seen=seen, wanted=wanted, previous=previous, going=going)
        look = Look(
            seen=seen, previous=previous, observed=observed, books=keep(previous=previous, seen=observed)
        )
        if look.books.closed:
            return await self._close(look)
        try:
            sync, wanted = await self._bring(look, wanted=wanted)
        except ScheduledJobGoneError:
            return None
        situation = Situation(
            generation=seen.generation,
            ready=sync.ready,
            cron_job=sync.cron_job,
            standing=look.books.standing,
            spec=observed.spec,
            now=observed.now,
        )
        status, again = concluded(look.books.status, previous=previous, seen=situation)
        cron_job = await self._execution.before_the_record(
            seen.key, books=look.books, status=status, cron_job=sync.cron_job
        )
        recorded = await self._bookkeeping.record(look, status=status, sync=sync)
        if recorded is None:
            return None
        sync = replace(sync, cron_job=cron_job)
        acted, due = await self._act(look, status=status, wanted=wanted, cron_job=cron_job)
        if acted or self._is_more_to_do(look, status=status, cron_job=cron_job):
            return self._clock()
        again = soonest(again, recorded.look_again, due, look.books.look_again)
        return self._rest(look, sync=sync, without=recorded.names, until=again)

    async def _close(self, look: Look) -> datetime | None:
        """Write down what became of the slots so far, for the CronJob they went by is about to change."""
        # It is still what it was: only the next look changes it.
        status = look.books.status.model_copy(update={"suspended": look.previous.suspended})
        await self._execution.before_the_record(
            look.seen.key, books=look.books, status=status, cron_job=look.observed.cron_job
        )
        recorded = await self._bookkeeping.record(look, status=status, sync=None)
        return None if recorded is None else self._clock()

    async def _act(
        self,
        look: Look,
        *,
        status: ScheduledJobStatus,
        wanted: Wanted | Ready,
        cron_job: CronJobSeen | None,
    ) -> tuple[bool, datetime | None]:
        """Set the clock, and start and end what is due: (whether anything was done, when next)."""
        key = look.seen.key
        if look.observed.going:
            self._firing.disarm(key)
            return await self._actions.clear(key), None
        if cron_job is None:
            return False, None
        scene = Scene(seen=look.seen, cron_job=cron_job, switches=look.observed.switches)
        self._firing.arm(scene, spec=look.observed.spec, books=look.books, looked_at=look.observed.now)
        if not isinstance(wanted, Wanted):
            return False, None
        case = Case(
            key=key,
            spec=wanted.spec,
            source=partial(self._cron_jobs.source, seen=look.seen, spec=wanted.spec),
            cron_job=cron_job,
            status=status,
            books=look.books,
        )
        return await self._execution.after_the_record(case)

    @staticmethod
    def _is_more_to_do(look: Look, *, status: ScheduledJobStatus, cron_job: CronJobSeen | None) -> bool:
        """Whether what was asked for has been done in part, or can be done now that there is a CronJob."""
        made = look.observed.cron_job is None and cron_job is not None
        mark = status.accounted_until
        behind = mark is not None and mark < look.observed.now - SECOND
        return bool(look.books.cancel) or (made and (bool(look.seen.requests) or behind))

    def _rest(self, look: Look, *, sync: Sync, without: set[str], until: datetime | None) -> datetime | None:
        """Nothing is left to be done until something happens, or it is `until`."""
        key, observed = look.seen.key, look.observed
        now_there = self._store.scheduled_job(key)
        if now_there is None or _asked(now_there) != _asked(look.seen):
            # It moved on meanwhile, and what showed that may have been the answer to our own write.
            return self._clock()
        evidence = Evidence(
            scheduled_job=now_there,
            cron_job=sync.cron_job or sync.others,
            jobs=observed.jobs,
            gone_jobs=observed.gone_jobs,
            pods=observed.pods,
            switches=observed.switches,
            going=observed.going,
        )
        self._settled[key] = Settled(evidence=evidence.number(without=without), until=until)
        return until

    async def _bring(self, look: Look, *, wanted: Wanted | Ready) -> tuple[Sync, Wanted | Ready]:
        seen = look.seen
        own, there = self._cron_jobs.owned(seen), self._store.cron_job(seen.key)
        if look.observed.going and own is None and isinstance(wanted, Wanted):
            wanted = Ready(reason=ReadyReason.FORBIDDEN, message=GOING)
        if isinstance(wanted, Ready):
            return Sync(ready=wanted, cron_job=own, others=None if own else there), wanted
        bounded = look.previous.suspended == SlotReason.OUT_OF_BOUNDS
        wanted = replace(
            wanted,
            suspension=look.books.standing.suspension,
            resumes_at=wanted.spec.starts_at if bounded else None,
            accounted=look.books.status.accounted_until,
        )
        return await self._cron_jobs.bring(seen=seen, wanted=wanted), wanted


def _asked(seen: ScheduledJobSeen) -> tuple[object, ...]:
    """What its author wants of it, less what the operator itself writes."""
    return seen.uid, seen.generation, seen.requests
