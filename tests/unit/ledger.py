"""Statuses in a row, each made from the one before as it stands in the resource."""

import json
from datetime import datetime
from typing import Any

from scheduledjob_operator.models import ConcurrencyPolicy, ScheduledJobStatus
from scheduledjob_operator.names import ReadyReason
from scheduledjob_operator.observed import CronJobSeen, JobSeen, PodSeen
from scheduledjob_operator.status import Assessment, Observation, Ready, assess, changed_fields
from tests.unit import bodies
from tests.unit.bodies import Body
from tests.unit.merge_patch import merge_patch
from tests.unit.moments import after_noon

READY = Ready(reason=ReadyReason.RECONCILED, message="the CronJob is in sync")
CRON_JOB = CronJobSeen.from_body(bodies.cron_job())


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
        "generation": 1,
        "ready": READY,
        "cron_job": CRON_JOB,
        "concurrency_policy": ConcurrencyPolicy.FORBID,
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
        self.written: Body = {"observedGeneration": -1}
        """As it stands in the resource."""
        self.patches: list[Body] = []

    @property
    def status(self) -> ScheduledJobStatus:
        return ScheduledJobStatus.model_validate(self.written)

    def see(self, seen: Observation) -> Assessment:
        """Assess, and write what has changed."""
        previous = self.status
        assessment = assess(previous=previous, seen=seen)
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
