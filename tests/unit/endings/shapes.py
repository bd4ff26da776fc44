"""Parts of endings: Jobs and Pods in the shapes of Kubernetes 1.35, `kubectl get job,pod -o yaml`."""

import json
from dataclasses import dataclass, field
from typing import Any

from tests.unit import bodies
from tests.unit.bodies import Body
from tests.unit.moments import NOON, after_noon, text

JOB = "portfolio-sync-29921975"


@dataclass(frozen=True, kw_only=True)
class Ending:
    """What the API server shows, and the run that it stands for."""

    name: str
    status: Body
    """Status of the Job."""
    pods: list[Body] = field(default_factory=list)
    result: str
    reason: str
    exit_code: int | None = None
    message: str | None = None
    attempts: list[str] = field(default_factory=list)
    """The reason of each."""
    more: dict[str, Any] = field(default_factory=dict)
    """Further fields of the run."""

    @property
    def job(self) -> Body:
        return bodies.job(JOB, slot=NOON, status=self.status)


def report(result: str, **fields: Any) -> str:
    """The runner's termination message."""
    return json.dumps(
        {"version": 1, "result": result, "durationSeconds": 2.4, "peakMemoryBytes": 31457280, **fields}
    )


def pod(number: int = 1, **given: Any) -> Body:
    """The n-th attempt, a minute after the one before."""
    created = after_noon(60 * (number - 1))
    return bodies.pod(f"{JOB}-p{number}", job_name=JOB, created=created, **given)


def crashed(number: int = 1, exit_code: int = 1, message: str = "", **given: Any) -> Body:
    start = 60 * (number - 1)
    status = bodies.ended(
        exit_code, started=after_noon(start + 1), finished=after_noon(start + 11), message=message, **given
    )
    return pod(number, status=status)


def deleted(body: Body) -> Body:
    """The Pod while it is being deleted, or as it was seen last."""
    metadata = {
        **body["metadata"],
        "deletionTimestamp": text(after_noon(42)),
        "deletionGracePeriodSeconds": 30,
    }
    return {**body, "metadata": metadata}


def overdue(status: Body) -> Body:
    """The same Pod status after the kubelet ended it at its deadline."""
    message = "Pod was active on the node longer than the specified deadline"
    return {**status, "phase": "Failed", "reason": "DeadlineExceeded", "message": message}


COMPLETE = bodies.complete(NOON, after_noon(13))
GIVEN_UP = bodies.failed(NOON, after_noon(13))
JOB_OVERDUE = bodies.failed(
    NOON, after_noon(43), reason="DeadlineExceeded", message="Job was active longer than specified deadline"
)
NEVER_STARTED = bodies.failed(
    NOON,
    after_noon(43),
    reason="DeadlineExceeded",
    message="Job was active longer than specified deadline",
    pods=0,
)
