"""Carries out what the books call for: starts what is due, ends what is to end.

What a status records is done after it was written, so that nothing is done twice; what a status only answers
is done before, so that nothing is lost.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduledjob_operator.actions import Actions
from scheduledjob_operator.books import Books
from scheduledjob_operator.cluster import Body
from scheduledjob_operator.deadlines import Said, waiting
from scheduledjob_operator.explaining import Explaining
from scheduledjob_operator.models import (
    ConcurrencyPolicy,
    Result,
    ScheduledJobSpec,
    ScheduledJobStatus,
    Trigger,
)
from scheduledjob_operator.models.types import format_time
from scheduledjob_operator.names import RunReason
from scheduledjob_operator.observation import soonest
from scheduledjob_operator.observed import CronJobSeen, EndedAs, JobSeen
from scheduledjob_operator.overrides import needed, updated_annotation
from scheduledjob_operator.pending import Plan, Start, plan
from scheduledjob_operator.store import Key, Store

logger = logging.getLogger(__name__)

TRY_REFUSED = timedelta(seconds=30)
"""How soon a Job that the API server refused is tried again: a quota may have been raised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One ScheduledJob whose CronJob stands as it should."""

    key: Key
    spec: ScheduledJobSpec
    source: Callable[[], Body]
    """Makes what Jobs are made from: it is rarely needed, and costs more than all the rest."""
    cron_job: CronJobSeen
    status: ScheduledJobStatus
    """As it was written."""
    books: Books


class Execution:
    """The hand that follows the books. Remembers, for as long as the process lives, what was refused."""

    def __init__(self, *, actions: Actions, store: Store, clock: Callable[[], datetime]) -> None:
        self._actions = actions
        self._store = store
        self._clock = clock
        self._explaining = Explaining(actions=actions, clock=clock)
        self._refused: dict[Key, dict[str, EndedAs]] = {}
        self._told: dict[Key, frozenset[str]] = {}
        self._overtaken: dict[Key, datetime] = {}
        """The slot that was kept from Kubernetes last."""

    def remember(self, key: Key, refused: Mapping[str, EndedAs]) -> None:
        """Take over what the API server had against the Jobs of slots."""
        self._refused.setdefault(key, {}).update(refused)

    def refused(self, key: Key) -> dict[str, EndedAs]:
        """Run id -> what the API server has against its Job."""
        return self._refused.get(key, {})

    def unmade(self, key: Key) -> dict[str, Said]:
        """Job name -> (reason, message) of those that have no Pod, as far as Kubernetes says why."""
        return self._explaining.said(key)

    def forget(self, key: Key) -> None:
        """The ScheduledJob is gone."""
        self._refused.pop(key, None)
        self._explaining.forget(key)
        self._told.pop(key, None)
        self._overtaken.pop(key, None)

    async def before_the_record(
        self, key: Key, *, books: Books, status: ScheduledJobStatus, cron_job: CronJobSeen | None
    ) -> CronJobSeen | None:
        """Do what a request asks for and the status does not repeat: the record says that it was done.

        The CronJob as it is then.
        """
        active = {run.id: run.job_name for run in books.status.active}
        jobs = {job.name: job for job in self._store.jobs(key)}
        for run_id, who in books.cancel.items():
            if job := jobs.get(active.get(run_id, "")):
                await self._actions.end(job, EndedAs.cancelled(by=who))
        if cron_job is not None:
            annotation = updated_annotation(cron_job.overrides, new=books.overrides, kept=needed(status))
            if annotation is not None:
                return await self._actions.keep_overrides(key, cron_job=cron_job, annotation=annotation)
        return cron_job

    async def after_the_record(self, case: Case) -> tuple[bool, datetime | None]:
        """Start and end what is due, now that the status says so: (whether anything was done, when next)."""
        now = self._clock()
        jobs = [job for job in self._store.jobs(case.key) if job.end is None and not job.deleting]
        ended = await self._end_cancelled(case, jobs=jobs)
        gave_up, patience = await self._give_up(case, jobs=jobs, now=now)
        told = await self._tell(case, jobs=jobs)
        replaced = await self._make_way(case, jobs=jobs)
        due = _plan(case, jobs=self._store.jobs(case.key), overtaken=self._overtaken.get(case.key), now=now)
        started = await self._start(case, due=due, jobs=jobs)
        again = now + TRY_REFUSED if self._note_refusals(case) else None
        look = soonest(patience, due.look_again, again)
        return ended or gave_up or told or replaced or started, look

    async def _end_cancelled(self, case: Case, *, jobs: Iterable[JobSeen]) -> bool:
        """End the Jobs that an annotation asks to end; what a queue held back is deleted once it is told."""
        done = False
        recorded = {run.id for run in case.status.recent_runs}
        for job in jobs:
            if job.cancel is not None and not job.ended_as:
                done = await self._actions.end(job, EndedAs.cancelled(by=job.cancel)) or done
            elif job.ended_as and job.suspended and job.run_id in recorded:
                done = await self._actions.remove(job) or done
        return done

    async def _give_up(
        self, case: Case, *, jobs: Sequence[JobSeen], now: datetime
    ) -> tuple[bool, datetime | None]:
        """End the Jobs that did not start in time; when the next one's patience ends."""
        pods = self._store.pods(case.key)
        cases = waiting(jobs=jobs, pods=pods, pending_timeout=case.spec.pending_timeout)
        over = [entry for entry in cases if entry.until <= now]
        done = False
        for entry in over:
            said = self.unmade(case.key).get(entry.job.name)
            done = await self._actions.give_up(entry, said=said, body=case.source()) or done
        later = min((entry.until for entry in cases if entry.until > now), default=None)
        without_pod = [entry.job for entry in cases if not entry.pod and entry not in over]
        news, ask = await self._explaining.ask(case.key, jobs=without_pod, source=case.source)
        return done or news, soonest(later, ask)

    async def _tell(self, case: Case, *, jobs: Sequence[JobSeen]) -> bool:
        """Tell Kubernetes' controller what it does not see by itself: active Jobs, and the slot we started.

        An active Job that it did not make is not counted until it is in the CronJob's list: it is put there
        once. A slot whose Job exists already it tries to start again and again, in vain, because it looks for
        that Job in no namespace; and it would start it if the Job were gone by then.
        """
        have = case.cron_job
        if have.fired_by_operator:
            return False  # it is suspended, and starts nothing beside them
        told = self._told.get(case.key, frozenset()) & {job.uid for job in jobs}
        strangers = [
            job
            for job in jobs
            if (job.made_by_operator or job.trigger is not Trigger.SCHEDULE or job.attempt > 1)
            and job.name not in have.active
            and job.uid not in told
            and case.spec.concurrency_policy is not ConcurrencyPolicy.ALLOW
        ]
        known = self._store.jobs(case.key)
        slot = _newest_slot(known)
        if slot is not None and have.last_schedule_time is not None and slot <= have.last_schedule_time:
            slot = None
        if strangers or slot is not None:
            await self._actions.tell(strangers, slot=slot, known=known, cron_job=have)
            told |= {job.uid for job in strangers}
        if told:
            self._told[case.key] = told
        else:
            self._told.pop(case.key, None)
        return bool(strangers)

    async def _start(self, case: Case, *, due: Plan, jobs: Sequence[JobSeen]) -> bool:
        done = False
        for start in due.start:
            if start.replaces:
                done = await self._replace(start, jobs=jobs) or done
                continue  # it starts when they have ended
            if slot := start.overtakes:
                await self._actions.overtake(slot, cron_job=case.cron_job)
                self._overtaken[case.key] = slot
                done = True
                continue  # it starts when Kubernetes knows
            refused = await self._actions.start(start.run, body=case.source(), cron_job=case.cron_job)
            if refused is None:
                self._refused.get(case.key, {}).pop(start.run.id, None)
                done = True
            else:
                logger.warning("Job %s of %s was refused: %s", start.run.job_name, case.key, refused.reason)
                self._refused.setdefault(case.key, {})[start.run.id] = refused
        return done

    async def _make_way(self, case: Case, *, jobs: Sequence[JobSeen]) -> bool:
        """End the active runs for the slot that has come and that the operator starts."""
        slot = case.books.undecided
        replaces = case.spec.concurrency_policy is ConcurrencyPolicy.REPLACE
        if slot is None or not replaces or not case.cron_job.fired_by_operator:
            return False
        return await self._end_replaced(jobs, by=f"the run of {format_time(slot)}")

    async def _replace(self, start: Start, *, jobs: Sequence[JobSeen]) -> bool:
        replaced = [job for job in jobs if job.name in start.replaces]
        return await self._end_replaced(replaced, by=f"the run {start.run.id}")

    async def _end_replaced(self, jobs: Sequence[JobSeen], *, by: str) -> bool:
        verdict = EndedAs(
            result=Result.CANCELLED, reason=RunReason.REPLACED, message=f"{by} replaced this one"
        )
        return any([await self._actions.end(job, verdict) for job in jobs if job.ended_as is None])

    def _note_refusals(self, case: Case) -> bool:
        """Whether a run that waits was refused; what was said about the others is forgotten."""
        pending = {run.id for run in case.status.pending}
        refused = {run_id: said for run_id, said in self.refused(case.key).items() if run_id in pending}
        if refused:
            self._refused[case.key] = refused
        else:
            self._refused.pop(case.key, None)
        return bool(refused)


def _newest_slot(jobs: Iterable[JobSeen]) -> datetime | None:
    """The newest slot of the schedule that the operator has started."""
    made = (job for job in jobs if job.made_by_operator and job.trigger is Trigger.SCHEDULE)
    return max((job.slot for job in made if job.slot), default=None)


def _plan(case: Case, *, jobs: Iterable[JobSeen], overtaken: datetime | None, now: datetime) -> Plan:
    status, books = case.status, case.books
    ends = [job.end.time for job in jobs if job.end]
    if status.last_run:
        ends.append(status.last_run.end_time)
    undecided, done = books.undecided, case.cron_job.last_schedule_time
    # That Kubernetes has done it is no reason not to wait: its Job has not been seen yet.
    ours = undecided is not None and overtaken == undecided and done is not None and done >= undecided
    # What the operator fires itself does not come in between unseen.
    alone = case.cron_job.fired_by_operator
    return plan(
        pending=status.pending,
        active=status.active,
        concurrency_policy=case.spec.concurrency_policy,
        next_slots=() if alone else status.next_run_times,
        unstarted_slot=None if ours or alone else undecided,
        free_since=max(ends, default=None),
        held=books.standing.switch is not None,
        catching_up=books.standing.suspension is None,
        now=now,
    )
