"""A Pod, as the API server shows it."""

from dataclasses import dataclass, replace
from datetime import datetime
from sys import intern
from typing import Self

from scheduledjob_operator import names
from scheduledjob_operator.models.types import parse_time
from scheduledjob_operator.observed.metadata import Body, moment


@dataclass(frozen=True, slots=True, kw_only=True)
class PodSeen:
    """A Pod of such a Job. After its deletion the record stays until the run is in the ledger."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    parent: str
    """Name of the ScheduledJob."""
    job_name: str
    created: datetime
    phase: str
    reason: str
    """The Pod's own reason, such as Evicted or DeadlineExceeded."""
    message: str
    """What goes with it."""
    disruption: str
    """Reason of the DisruptionTarget condition; empty without one."""
    waiting_reason: str
    """Why the container has not started: its waiting reason, or the scheduler's."""
    waiting_message: str
    started: datetime | None
    ended: datetime | None
    exit_code: int | None
    terminated_reason: str
    termination_message: str
    deleting: bool

    @classmethod
    def from_body(cls, body: Body) -> Self:
        metadata, status = body["metadata"], body.get("status") or {}
        conditions = {entry["type"]: entry for entry in status.get("conditions") or ()}
        state = _container_state(status)
        terminated, running = state.get("terminated") or {}, state.get("running") or {}
        waiting = _waiting(state, conditions)
        disruption = conditions.get("DisruptionTarget") or {}
        return cls(
            namespace=intern(metadata["namespace"]),
            name=metadata["name"],
            uid=metadata["uid"],
            resource_version=metadata.get("resourceVersion", ""),
            parent=intern(metadata["labels"][names.LABEL_NAME]),
            job_name=metadata["labels"].get(names.LABEL_JOB_NAME, ""),
            created=parse_time(metadata["creationTimestamp"]),
            phase=status.get("phase", ""),
            reason=status.get("reason", ""),
            message=status.get("message", ""),
            disruption=disruption.get("reason", "") if disruption.get("status") == "True" else "",
            waiting_reason=waiting.get("reason", ""),
            waiting_message=waiting.get("message", ""),
            started=moment(terminated.get("startedAt") or running.get("startedAt")),
            ended=moment(terminated.get("finishedAt")),
            exit_code=_exit_code(terminated),
            terminated_reason=terminated.get("reason", ""),
            termination_message=terminated.get("message", ""),
            deleting="deletionTimestamp" in metadata,
        )

    def after(self, before: Self) -> Self:
        """Itself, and why it never started where only `before`, an earlier one, said so.

        The kubelet calls a container that it gives up before its start ContainerStatusUnknown, and where the
        node is busy that is the first version of the Pod that tells of its end.
        """
        forgotten = self.phase == "Failed" and self.started is None and not self.waiting_reason
        if not forgotten or self.uid != before.uid:
            return self
        return replace(self, waiting_reason=before.waiting_reason, waiting_message=before.waiting_message)


def _exit_code(terminated: Body) -> int | None:
    """The container's own; the kubelet makes one up for a container that it has lost or never had."""
    if terminated.get("reason") == "ContainerStatusUnknown":
        return None
    code: int | None = terminated.get("exitCode")
    return code


def _container_state(status: Body) -> Body:
    for container in status.get("containerStatuses") or ():
        if container.get("name") == names.CONTAINER:
            state: Body = container.get("state") or {}
            return state
    return {}


def _waiting(state: Body, conditions: dict[str, Body]) -> Body:
    scheduled: Body = conditions.get("PodScheduled") or {}
    if scheduled.get("status") == "False":
        return scheduled
    waiting: Body = state.get("waiting") or {}
    return waiting
