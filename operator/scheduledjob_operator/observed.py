"""What the API server shows us, cut down to the fields we use: small frozen records.

Pure. A record is made from an API body by its `from_body`; bodies themselves are not kept, because a
cluster has thousands of them.
"""

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from sys import intern
from typing import Any, Self

from scheduledjob_operator import names
from scheduledjob_operator.models import Result, Trigger
from scheduledjob_operator.models.types import parse_time
from scheduledjob_operator.ownership import foreign_spec_managers, owned_spec_fields

Body = dict[str, Any]

LONGEST_NAME = 253
LONGEST_REQUEST = 64
LONGEST_REASON = 128
MOST_ATTEMPTS = 1000
"""Bounds of the status in the custom resource definition: annotations are free text."""
FIRST_YEAR = 1970


def moment(text: str | None) -> datetime | None:
    """An API time as an aware UTC datetime."""
    return parse_time(text) if text else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The controlling owner of an object."""

    kind: str
    name: str
    uid: str

    @classmethod
    def of(cls, metadata: Body) -> Self | None:
        for reference in metadata.get("ownerReferences") or ():
            if reference.get("controller"):
                # One text for all Jobs of a CronJob: there are thousands of them.
                kind, name, uid = (intern(reference[key]) for key in ("kind", "name", "uid"))
                return cls(kind=kind, name=name, uid=uid)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class CronJobSeen:
    """A CronJob, ours or not."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    owner: Owner | None
    managed: bool
    """Carries our labels: made by us for a ScheduledJob of its name."""
    spec_hash: str
    """Hash of the desired CronJob that was last applied; empty when there is none."""
    foreign_managers: tuple[str, ...]
    """Who else has written into its spec."""
    owned_fields: int
    """Stands for the fields of its spec that are ours, in this process."""
    schedule: str
    time_zone: str
    suspended: bool
    concurrency_policy: str
    starting_deadline_seconds: int | None
    created: datetime | None
    last_schedule_time: datetime | None
    active: tuple[str, ...]
    """Names of the Jobs that Kubernetes' controller takes for active."""
    timetable: str
    """What the operator fires it by, as JSON; empty when Kubernetes does. `schedule`, `suspended` and
    `concurrency_policy` are then those that it says."""
    kept_succeeded: int
    kept_failed: int
    """How many finished Jobs Kubernetes keeps."""
    overrides: str
    """What single runs override, as JSON by run id; empty when nothing."""
    deleting: bool

    @classmethod
    def from_body(cls, body: Body) -> Self:
        metadata, spec, status = body["metadata"], body.get("spec") or {}, body.get("status") or {}
        labels = metadata.get("labels") or {}
        given = metadata.get("annotations") or {}
        timetable = _timetable(given)
        return cls(
            namespace=intern(metadata["namespace"]),
            name=metadata["name"],
            uid=metadata["uid"],
            resource_version=metadata.get("resourceVersion", ""),
            owner=Owner.of(metadata),
            managed=labels.get(names.LABEL_MANAGED_BY) == names.MANAGED_BY
            and labels.get(names.LABEL_NAME) == metadata["name"],
            spec_hash=(metadata.get("annotations") or {}).get(names.ANNOTATION_SPEC_HASH, ""),
            foreign_managers=foreign_spec_managers(metadata.get("managedFields") or []),
            owned_fields=owned_spec_fields(metadata.get("managedFields") or []),
            schedule=intern(timetable.get("schedule", spec.get("schedule") or "")),
            time_zone=intern(spec.get("timeZone") or ""),
            suspended=bool(timetable.get("suspend", spec.get("suspend"))),
            concurrency_policy=timetable.get("concurrencyPolicy", spec.get("concurrencyPolicy", "Allow")),
            starting_deadline_seconds=spec.get("startingDeadlineSeconds"),
            created=moment(metadata.get("creationTimestamp")),
            last_schedule_time=moment(status.get("lastScheduleTime")),
            active=tuple(entry.get("name", "") for entry in status.get("active") or ()),
            timetable=given.get(names.ANNOTATION_TIMETABLE, "") if timetable else "",
            kept_succeeded=spec.get("successfulJobsHistoryLimit", 3),
            kept_failed=spec.get("failedJobsHistoryLimit", 1),
            overrides=(metadata.get("annotations") or {}).get(names.ANNOTATION_OVERRIDES, ""),
            deleting="deletionTimestamp" in metadata,
        )

    @property
    def fired_by_operator(self) -> bool:
        """Whether it is but the template of what the operator starts."""
        return bool(self.timetable)


def _timetable(annotations: Body) -> Body:
    """What the operator fires a CronJob by; empty when Kubernetes does, or when it cannot be read."""
    with suppress(ValueError):
        given = json.loads(annotations.get(names.ANNOTATION_TIMETABLE) or "{}")
        if isinstance(given, dict) and isinstance(given.get("schedule"), str):
            return given
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEnd:
    """How Kubernetes ended a Job: its Complete or Failed condition."""

    succeeded: bool
    reason: str
    message: str
    time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedAs:
    """The verdict with which the operator ended a Job; stands in an annotation of the Job."""

    result: Result
    reason: str
    message: str = ""

    @classmethod
    def from_annotation(cls, text: str | None) -> Self | None:
        """What `annotation` wrote. Annotations are free text, so what cannot be read is not there."""
        with suppress(ValueError, KeyError, TypeError):
            given = json.loads(text or "")
            return cls(
                result=Result(given["result"]),
                reason=str(given["reason"])[:LONGEST_REASON],
                message=str(given.get("message", "")),
            )
        return None

    @classmethod
    def cancelled(cls, *, by: str) -> Self:
        """What somebody asked for; `by` is empty when nobody said who."""
        message = f"cancelled by {by}" if by else "cancelled"
        return cls(result=Result.CANCELLED, reason=names.RunReason.CANCELLED, message=message)

    @property
    def annotation(self) -> str:
        return json.dumps({"result": self.result, "reason": self.reason, "message": self.message})


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSeen:
    """A Job made from one of our CronJobs, by whomever."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    parent: str
    """Name of the ScheduledJob."""
    created: datetime
    started: datetime | None
    end: JobEnd | None
    ended_pods: int
    """How many Pods Kubernetes counts as succeeded or failed."""
    owner: Owner | None
    slot: datetime | None
    trigger: Trigger
    made_by_operator: bool
    """Whether the operator made it: Kubernetes' CronJob controller does not know of it by itself."""
    run_id: str
    """Of the run that it is an attempt of: its own name unless it says otherwise."""
    attempt: int
    requested_by: str | None
    request: str | None
    retry_of: str | None
    overridden: bool | None
    """True when it has arguments or variables of its own."""
    cancel: str | None
    """Who wants it to end; empty when nobody said who. None: nobody."""
    ended_as: EndedAs | None
    backoff_limit: int
    """How often Kubernetes itself tries again."""
    suspended: bool
    deleting: bool

    @classmethod
    def from_body(cls, body: Body) -> Self:
        metadata, spec, status = body["metadata"], body.get("spec") or {}, body.get("status") or {}
        annotations = metadata.get("annotations") or {}
        slot = _slot(annotations)
        return cls(
            namespace=intern(metadata["namespace"]),
            name=metadata["name"],
            uid=metadata["uid"],
            resource_version=metadata.get("resourceVersion", ""),
            parent=intern(metadata["labels"][names.LABEL_NAME]),
            created=parse_time(metadata["creationTimestamp"]),
            started=moment(status.get("startTime")),
            end=_job_end(status),
            ended_pods=int(status.get("succeeded") or 0) + int(status.get("failed") or 0),
            owner=Owner.of(metadata),
            slot=slot,
            trigger=_trigger(annotations, slot=slot),
            made_by_operator=names.ANNOTATION_TRIGGER in annotations,
            run_id=_name(annotations, names.ANNOTATION_RUN_ID) or metadata["name"],
            attempt=_attempt(annotations),
            requested_by=_name(annotations, names.ANNOTATION_REQUESTED_BY),
            request=(annotations.get(names.ANNOTATION_REQUEST) or "")[:LONGEST_REQUEST] or None,
            retry_of=_name(annotations, names.ANNOTATION_RETRY_OF),
            overridden=True if names.ANNOTATION_OVERRIDDEN in annotations else None,
            cancel=_cancel(annotations),
            ended_as=EndedAs.from_annotation(annotations.get(names.ANNOTATION_ENDED)),
            backoff_limit=int(spec.get("backoffLimit") or 0),
            suspended=bool(spec.get("suspend")),
            deleting="deletionTimestamp" in metadata,
        )


def _name(annotations: Body, key: str) -> str | None:
    return str(annotations.get(key) or "")[:LONGEST_NAME] or None


def _cancel(annotations: Body) -> str | None:
    who = annotations.get(names.ANNOTATION_CANCEL)
    return None if who is None else str(who)[:LONGEST_NAME]


def _attempt(annotations: Body) -> int:
    text = str(annotations.get(names.ANNOTATION_ATTEMPT) or "")
    return int(text) if text.isdecimal() and 0 < int(text) <= MOST_ATTEMPTS else 1


def _trigger(annotations: Body, *, slot: datetime | None) -> Trigger:
    with suppress(ValueError):
        return Trigger(str(annotations.get(names.ANNOTATION_TRIGGER)))
    manual = names.ANNOTATION_INSTANTIATE in annotations or slot is None
    return Trigger.MANUAL if manual else Trigger.SCHEDULE


def _slot(annotations: Body) -> datetime | None:
    """The scheduled time. Annotations are free text, so what cannot be read is not there."""
    for name in (names.ANNOTATION_SLOT, names.ANNOTATION_SCHEDULED_TIMESTAMP):
        with suppress(ValueError, OverflowError):
            slot = moment(annotations.get(name))
            if slot is not None and slot.year >= FIRST_YEAR:
                return slot
    return None


def _job_end(status: Body) -> JobEnd | None:
    for condition in status.get("conditions") or ():
        if condition["type"] in ("Complete", "Failed") and condition["status"] == "True":
            succeeded = condition["type"] == "Complete"
            ended = (status.get("completionTime") if succeeded else None) or condition["lastTransitionTime"]
            return JobEnd(
                succeeded=succeeded,
                reason=intern(condition.get("reason", "")),
                message=intern(condition.get("message", "")),
                time=parse_time(ended),
            )
    return None


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
