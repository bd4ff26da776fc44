"""Every name that other programs see: group, labels, annotations, condition types, reasons.

Constants only, and the only place where they are spelt.
"""

from enum import StrEnum

GROUP = "scheduledjob.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND = "ScheduledJob"
PLURAL = "scheduledjobs"
SINGULAR = "scheduledjob"
SHORT_NAMES = ("sj",)
CATEGORIES = ("all",)

FIELD_MANAGER = "scheduledjob-operator"
CONTAINER = "job"

LABEL_MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGED_BY = "scheduledjob-operator"
LABEL_NAME = f"{GROUP}/name"
LABEL_QUEUE = "kueue.x-k8s.io/queue-name"
SELECTOR = f"{LABEL_MANAGED_BY}={MANAGED_BY}"

ANNOTATION_SPEC_HASH = f"{GROUP}/spec-hash"
ANNOTATION_SLOT = f"{GROUP}/slot"
ANNOTATION_TRIGGER = f"{GROUP}/trigger"
ANNOTATION_ATTEMPT = f"{GROUP}/attempt"
ANNOTATION_REQUESTED_BY = f"{GROUP}/requested-by"

# Kubernetes' own names, as the CronJob and Job controllers and kubectl write them.
ANNOTATION_SCHEDULED_TIMESTAMP = "batch.kubernetes.io/cronjob-scheduled-timestamp"
ANNOTATION_INSTANTIATE = "cronjob.kubernetes.io/instantiate"
ANNOTATION_FAILURES = "batch.kubernetes.io/job-index-failure-count"
LABEL_JOB_NAME = "batch.kubernetes.io/job-name"

ENV_PREFIX = "SCHEDULEDJOB_"
ENV_ARGS = f"{ENV_PREFIX}ARGS"

MAX_NAME_LENGTH = 52
"""Longest name of a CronJob: a Job's 63 less the dash and ten digits of the slot."""


class ConditionType(StrEnum):
    """Types of the conditions in `status.conditions`."""

    READY = "Ready"


class ReadyReason(StrEnum):
    """Reasons of the `Ready` condition."""

    RECONCILED = "Reconciled"
    INVALID_SPEC = "InvalidSpec"
    INVALID_SCHEDULE = "InvalidSchedule"
    NAME_CONFLICT = "NameConflict"
    FORBIDDEN = "Forbidden"
    QUOTA_EXCEEDED = "QuotaExceeded"
    APPLY_FAILED = "ApplyFailed"


class RunReason(StrEnum):
    """Reasons of a run's or an attempt's result; the kubelet's own reasons pass through beside them."""

    COMPLETED = "Completed"
    EXIT_CODE = "ExitCode"
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    OOM_KILLED = "OOMKilled"
    EVICTED = "Evicted"
    PREEMPTED = "Preempted"
    NODE_LOST = "NodeLost"
    POD_DELETED = "PodDeleted"
    JOB_DELETED = "JobDeleted"
    REPLACED = "Replaced"
    NOT_STARTED = "NotStarted"
    BACKOFF_LIMIT_EXCEEDED = "BackoffLimitExceeded"
    UNKNOWN = "Unknown"


class EventReason(StrEnum):
    """Reasons of the Events shown by `kubectl describe scheduledjob`."""

    RUN_FAILED = "RunFailed"
    RUN_TIMED_OUT = "RunTimedOut"
    RUN_CANCELLED = "RunCancelled"
    DRIFT_CORRECTED = "DriftCorrected"
    CRON_JOB_RECREATED = "CronJobRecreated"
