"""A Job, as the API server shows it, and the verdict that the operator may have put on it."""

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from sys import intern
from typing import Self

from scheduledjob_operator import names
from scheduledjob_operator.models import Result, Trigger
from scheduledjob_operator.models.types import parse_time
from scheduledjob_operator.observed.metadata import Body, Owner, moment

LONGEST_NAME = 253
LONGEST_REQUEST = 64
LONGEST_REASON = 128
MOST_ATTEMPTS = 1000
"""Bounds of the status in the custom resource definition: annotations are free text."""
FIRST_YEAR = 1970


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEnd:
    """How Kubernetes ended a Job: its Complete or Failed condition."""

    succeeded: bool
    reason: str
    message: str
    time: datetime

    @classmethod
    def from_status(cls, status: Body) -> Self | None:
        """How a Job ended, from its status; None while it has not."""
        for condition in status.get("conditions") or ():
            if condition["type"] in ("Complete", "Failed") and condition["status"] == "True":
                succeeded = condition["type"] == "Complete"
                ended = (status.get("completionTime") if succeeded else None) or condition[
                    "lastTransitionTime"
                ]
                return cls(
                    succeeded=succeeded,
                    reason=intern(condition.get("reason", "")),
                    message=intern(condition.get("message", "")),
                    time=parse_time(ended),
                )
        return None


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
    adopted: bool
    """Whether its CronJob was taken over since: another template made it, and its Pods are not seen."""
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
            end=JobEnd.from_status(status),
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
            adopted=names.ANNOTATION_ADOPTED in annotations,
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
