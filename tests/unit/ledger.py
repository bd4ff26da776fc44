"""Statuses in a row, each made from the one before as it stands in the resource."""

import json
from datetime import datetime
from typing import Any, NamedTuple

from scheduledjob_operator.books import keep
from scheduledjob_operator.models import (
    ConcurrencyPolicy,
    Retry,
    Run,
    ScheduledJobSpec,
    ScheduledJobStatus,
)
from scheduledjob_operator.names import ReadyReason
from scheduledjob_operator.observation import Observation
from scheduledjob_operator.observed import CronJobSeen, JobSeen, PodSeen
from scheduledjob_operator.recording import changed_fields
from scheduledjob_operator.status import Ready, Situation, concluded
from scheduledjob_operator.wanted import schedule_of
from tests.unit import bodies
from tests.unit.bodies import Body
from tests.unit.merge_patch import merge_patch
from tests.unit.moments import after_noon

READY = Ready(reason=ReadyReason.RECONCILED, message="the CronJob is in sync")
CRON_JOB = CronJobSeen.from_body(bodies.cron_job())


SPEC = ScheduledJobSpec.model_validate({"schedule": "*/5 * * * *", "handler": "sync"})


class Assessment(NamedTuple):
    """What came of a look."""

    status: ScheduledJobStatus
    new_runs: tuple[Run, ...]
    look_again: datetime | None


def assess(
    *, previous: ScheduledJobStatus, seen: Observation, ready: Ready = READY, generation: int = 1
) -> Assessment:
    """The whole status, as the reconciler makes it, of a CronJob that is as it should be."""
    books = keep(previous=previous, seen=seen)
    situation = Situation(
        generation=generation,
        ready=ready,
        cron_job=seen.cron_job,
        standing=books.standing,
        spec=None,
        now=seen.now,
    )
    status, again = concluded(books.status, previous=previous, seen=situation)
    look_again = min(filter(None, [again, books.look_again]), default=None)
    return Assessment(status, books.new_runs, look_again)


def observe(
    *,
    jobs: list[Body] | None = None,
    pods: list[Body] | None = None,
    gone: list[Body] | None = None,
    now: datetime | None = None,
    **given: Any,
) -> Observation:
    """What is seen when the API server gives these bodies; by default half a minute after noon."""
    fields = {
        "name": bodies.NAME,
        "cron_job": CRON_JOB,
        "spec": SPEC,
        "schedule": schedule_of(SPEC, spread=""),
        "concurrency_policy": ConcurrencyPolicy.FORBID,
        "retry": Retry(),
        "requests": {},
        "switches": (),
        "runs_kept": 20,
        **given,
    }
    return Observation(
        jobs=[JobSeen.from_body(body) for body in jobs or []],
        gone_jobs=[JobSeen.from_body(body) for body in gone or []],
        pods=[PodSeen.from_body(body) for body in pods or []],
        now=now or after_noon(30),
        **fields,
    )


class Ledger:
    """The status subresource of one ScheduledJob."""

    def __init__(self) -> None:
        # The Jobs here have slots of their own: none of the schedule's is missed for that.
        self.written: Body = {"observedGeneration": -1, "accountedUntil": "2100-01-01T00:00:00Z"}
        """As it stands in the resource."""
        self.patches: list[Body] = []

    @property
    def status(self) -> ScheduledJobStatus:
        return ScheduledJobStatus.model_validate(self.written)

    def see(self, seen: Observation, **given: Any) -> Assessment:
        """Assess, and write what has changed. `given`: Ready, or the generation, when it is another one."""
        previous = self.status
        assessment = assess(previous=previous, seen=seen, **given)
        patch = changed_fields(previous=previous, written=self.written, status=assessment.status)
        if patch:
            self.patches.append(patch)
            self.written = merge_patch(self.written, json.loads(json.dumps(patch, allow_nan=False)))
        return assessment

    def runs(self) -> list[tuple[str, str]]:
        """(name, result) of the runs, newest first."""
        return [(run.id, run.result.value) for run in self.status.recent_runs]

    def counts(self) -> dict[str, int]:
        """Those that are not zero."""
        return {name: count for name, count in self.written["counts"].items() if count}
