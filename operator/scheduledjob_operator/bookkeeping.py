"""Keeps the record of a look: the status, if it is worth a write, then counters, metrics and Events."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from scheduledjob_operator import names
from scheduledjob_operator.books import Books
from scheduledjob_operator.cluster import ApiError, Cluster, event_body
from scheduledjob_operator.metrics import count_runs, count_slots, show_state
from scheduledjob_operator.models import ScheduledJobStatus
from scheduledjob_operator.observation import Observation, soonest
from scheduledjob_operator.observing import Look, Observing
from scheduledjob_operator.pulse import Pulses
from scheduledjob_operator.recording import Recorder, Written
from scheduledjob_operator.remarks import Remark, remarks
from scheduledjob_operator.store import Key, ScheduledJobSeen, Store
from scheduledjob_operator.sync import Sync

logger = logging.getLogger(__name__)

TERMINATING = "because it is being terminated"
"""How the API server says that nothing can be made in a namespace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What became of the record."""

    names: set[str]
    """The runs in the ledger, and their Jobs."""
    look_again: datetime | None
    """When something is worth a write that was not this time."""


class Bookkeeping:
    """The hand that writes down what was seen."""

    def __init__(
        self,
        *,
        cluster: Cluster,
        store: Store,
        observing: Observing,
        pulses: Pulses,
        clock: Callable[[], datetime],
        start_patience: timedelta,
    ) -> None:
        """`start_patience`: how long a run may have lasted before its beginning is worth a status write."""
        self._cluster = cluster
        self._store = store
        self._observing = observing
        self._pulses = pulses
        self._clock = clock
        self._recorder = Recorder(cluster=cluster, store=store, clock=clock, start_patience=start_patience)

    async def record(self, look: Look, *, status: ScheduledJobStatus, sync: Sync | None) -> Recorded | None:
        """Write the status if it is worth it, and say what is new; None when the ScheduledJob is gone.

        `sync`: what was done about the CronJob; None when it is about to be.
        """
        seen, books = look.seen, look.books
        young = self._recorder.young(look.observed) if sync else {}
        written = await self._recorder.write(
            seen=seen, previous=look.previous, status=status, books=books, young=young
        )
        if written is Written.GONE:
            return None
        names_ = self._settle(seen.key, status=status, books=books, observed=look.observed)
        again = None
        if written is Written.NOT:  # the next look comes to the same verdicts, and tells them then
            books = replace(books, verdicts=())
            again = soonest(*young.values())
        count_slots(
            namespace=seen.key.namespace, name=seen.key.name, verdicts=books.verdicts, now=self._clock()
        )
        ready, also = (sync.ready, sync.remark) if sync else (None, None)
        said = remarks(previous=look.previous, status=status, ready=ready, books=books, also=also)
        if not look.observed.going:
            await self._post(seen=seen, remarks=said)
        if sync and sync.look_again is not None:
            again = soonest(again, self._clock() + sync.look_again)
        return Recorded(names=names_, look_again=again)

    def _settle(
        self, key: Key, *, status: ScheduledJobStatus, books: Books, observed: Observation
    ) -> set[str]:
        """Let go of the evidence of runs that are in the ledger: the names of their Jobs."""
        self._observing.looked(key)
        known = {run.id for run in (*status.recent_runs, *books.new_runs)}
        jobs = {job.name for job in (*observed.jobs, *observed.gone_jobs) if job.run_id in known}
        recorded = jobs | known
        self._store.settle(key, run_ids=recorded)
        count_runs(namespace=key.namespace, name=key.name, runs=books.new_runs)
        show_state(namespace=key.namespace, name=key.name, status=status, spec=observed.spec)
        self._pulses.show(key, status=status, runs_kept=observed.runs_kept, now=self._clock())
        return recorded

    async def _post(self, *, seen: ScheduledJobSeen, remarks: Sequence[Remark]) -> None:
        for remark in remarks:
            event = event_body(
                kind=names.KIND,
                namespace=seen.key.namespace,
                name=seen.key.name,
                uid=seen.uid,
                details={**remark._asdict(), "action": "Reconcile", "time": self._clock()},
            )
            try:
                await self._cluster.post_event(event)
            except ApiError as error:
                # The status says it too; an Event is not worth doing everything again.
                level = logging.DEBUG if TERMINATING in error.message else logging.WARNING
                logger.log(level, "an Event about %s could not be posted: %s", seen.key, error)
