"""Looks at a ScheduledJob: all that is known of it at one moment, from the watches and from memory."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from scheduledjob_operator.books import Books
from scheduledjob_operator.execution import Execution
from scheduledjob_operator.firing import Firing
from scheduledjob_operator.models import ConcurrencyPolicy, Retry, ScheduledJobStatus
from scheduledjob_operator.observation import Observation
from scheduledjob_operator.settled import Evidence
from scheduledjob_operator.status import Ready
from scheduledjob_operator.store import Key, ScheduledJobSeen, Store
from scheduledjob_operator.suspension import Switch
from scheduledjob_operator.sync import CronJobSync
from scheduledjob_operator.wanted import Wanted

DEFAULT_RUNS_KEPT = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look at a ScheduledJob has found."""

    seen: ScheduledJobSeen
    previous: ScheduledJobStatus
    observed: Observation
    books: Books


class Observing:
    """The eye of the reconciler. Remembers what it has looked at since Jobs may have come and gone unseen."""

    def __init__(  # what is to be seen, and where
        self,
        *,
        store: Store,
        cron_jobs: CronJobSync,
        firing: Firing,
        execution: Execution,
        clock: Callable[[], datetime],
        switch: Switch | None,
        environment: str,
    ) -> None:
        """`switch`: the operator's own master switch. `environment`: what it is installed for."""
        self._store = store
        self._cron_jobs = cron_jobs
        self._firing = firing
        self._execution = execution
        self._clock = clock
        self._switch = switch
        self._environment = environment
        self._looked: set[Key] = set()

    def lost_sight(self) -> None:
        """A watch had a gap: Jobs may have come and gone unseen."""
        self._looked.clear()

    def looked(self, key: Key) -> None:
        """What was seen is in the status."""
        self._looked.add(key)

    def forget(self, key: Key) -> None:
        """The ScheduledJob is gone."""
        self._looked.discard(key)

    def evidence(self, seen: ScheduledJobSeen) -> int:
        """What the store has now of all that a reconciliation looks at, as one number."""
        key = seen.key
        return Evidence(
            scheduled_job=seen,
            cron_job=self._store.cron_job(key),
            jobs=self._store.jobs(key),
            gone_jobs=self._store.gone_jobs(key),
            pods=self._store.pods(key),
            switches=self.switches(key),
            going=self._store.namespaces.is_going(key.namespace),
        ).number()

    def switches(self, key: Key) -> list[Switch]:
        """The master switches that are on, or were."""
        return [switch for switch in (self._switch, self._store.namespaces.switch(key.namespace)) if switch]

    def observe(
        self, *, seen: ScheduledJobSeen, wanted: Wanted | Ready, previous: ScheduledJobStatus, going: bool
    ) -> Observation:
        """All that the books are made of. `going`: whether the namespace is being deleted."""
        spec = wanted.spec if isinstance(wanted, Wanted) else None
        recorded = [run.id for run in (*previous.pending, *previous.recent_runs)]
        if refused := self._firing.refused(seen.key, recorded=recorded):
            self._execution.remember(seen.key, {refused[0].id: refused[1]})
        return Observation(
            name=seen.key.name,
            cron_job=self._cron_jobs.owned(seen),
            spec=spec,
            schedule=wanted.schedule if isinstance(wanted, Wanted) else None,
            jobs=self._store.jobs(seen.key),
            gone_jobs=self._store.gone_jobs(seen.key),
            pods=self._store.pods(seen.key),
            concurrency_policy=spec.concurrency_policy if spec else ConcurrencyPolicy.FORBID,
            retry=spec.retry if spec else Retry(),
            # A spec that cannot be read does not say how much of the past is kept: nothing of it is dropped.
            runs_kept=spec.history.runs if spec else max(DEFAULT_RUNS_KEPT, len(previous.recent_runs)),
            requests=dict(seen.requests),
            switches=self.switches(seen.key),
            going=going,
            first_look=seen.key not in self._looked,
            refused=self._execution.refused(seen.key),
            unmade=self._execution.unmade(seen.key),
            refused_slots=(refused[0],) if refused else (),
            environment=self._environment,
            now=self._clock(),
        )
