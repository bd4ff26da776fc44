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
LABEL_MADE_FROM = f"{GROUP}/made-from"
"""On a ScheduledJob that the command line made for one run: the name of the one that it is like."""
LABEL_QUEUE = "kueue.x-k8s.io/queue-name"
SELECTOR = f"{LABEL_MANAGED_BY}={MANAGED_BY}"

ANNOTATION_SPEC_HASH = f"{GROUP}/spec-hash"
ANNOTATION_SLOT = f"{GROUP}/slot"
ANNOTATION_TRIGGER = f"{GROUP}/trigger"
ANNOTATION_ATTEMPT = f"{GROUP}/attempt"
ANNOTATION_REQUESTED_BY = f"{GROUP}/requested-by"
ANNOTATION_RUN_ID = f"{GROUP}/run-id"
"""On the Job of a later attempt: the run it belongs to."""
ANNOTATION_REQUEST = f"{GROUP}/request"
ANNOTATION_RETRY_OF = f"{GROUP}/retry-of"
ANNOTATION_OVERRIDDEN = f"{GROUP}/overridden"
"""On a Job with arguments or variables of its own."""
ANNOTATION_CANCEL = f"{GROUP}/cancel"
"""On a Job: who wants its run to end."""
ANNOTATION_ENDED = f"{GROUP}/ended"
"""On a Job that the operator ends: the verdict, as JSON."""
ANNOTATION_OVERRIDES = f"{GROUP}/overrides"
"""On a CronJob: arguments and variables of single runs, as JSON by run id."""
ANNOTATION_NOT_AFTER = f"{GROUP}/not-after"
"""On a Job that the operator makes: when another replica may lead. The chart's admission policy refuses it
then."""
LATE_WRITE = "had to be made by"
"""What that policy says."""
ANNOTATION_TIMETABLE = f"{GROUP}/timetable"
"""On a CronJob that the operator fires: by what, as JSON. Its own schedule never comes."""
ANNOTATION_ADOPT = f"{GROUP}/adopt"
"""On a CronJob of somebody else: with "true", the ScheduledJob of its name may take it over."""
ANNOTATION_ADOPTED = f"{GROUP}/adopted"
"""On a CronJob that was taken over: when. On a Job that was made before: that it was."""
ANNOTATION_SUSPEND = f"{GROUP}/suspend"
ANNOTATION_SUSPEND_UNTIL = f"{GROUP}/suspend-until"
"""On a namespace: why everything in it is suspended, and until when."""

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
    HEALTHY = "Healthy"
    PAUSED = "Paused"
    COMPLETED = "Completed"
    OVERLAP_GROWS = "OverlapGrows"
    REQUEST_REFUSED = "RequestRefused"


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

    SUPERSEDED = "Superseded"
    CANCELLED = "Cancelled"
    QUOTA_EXCEEDED = "QuotaExceeded"
    POD_SECURITY = "PodSecurity"
    FAILED_CREATE = "FailedCreate"
    NAME_CONFLICT = "NameConflict"


WITHOUT_POD = frozenset({RunReason.QUOTA_EXCEEDED, RunReason.POD_SECURITY, RunReason.FAILED_CREATE})
"""Why a Job has no Pod: they say nothing of one that has."""


class SlotReason(StrEnum):
    """Why a slot had no run."""

    OVERLAP_FORBIDDEN = "OverlapForbidden"
    QUEUE_FULL = "QueueFull"
    DISABLED = "Disabled"
    PAUSED = "Paused"
    SUSPENDED = "Suspended"
    OUT_OF_BOUNDS = "OutOfBounds"
    OTHER_ENVIRONMENT = "OtherEnvironment"
    NOTHING_STARTED_IT = "NothingStartedIt"
    STARTING_DEADLINE = "StartingDeadline"
    NOT_OBSERVED = "NotObserved"


class HealthyReason(StrEnum):
    """Reasons of the `Healthy` condition."""

    SUCCEEDING = "Succeeding"
    FAILING = "Failing"
    NEVER_RAN = "NeverRan"
    DEAD_LETTERS = "DeadLetters"
    LATE = "Late"
    SLOW = "Slow"


class PausedReason(StrEnum):
    """Reasons of the `Paused` condition."""

    CONSECUTIVE_FAILURES = "ConsecutiveFailures"
    NAMESPACE_SUSPENDED = "NamespaceSuspended"
    OPERATOR_SUSPENDED = "OperatorSuspended"
    RESUMED = "Resumed"


class EventReason(StrEnum):
    """Reasons of the Events shown by `kubectl describe scheduledjob`."""

    RUN_FAILED = "RunFailed"
    RUN_TIMED_OUT = "RunTimedOut"
    RUN_CANCELLED = "RunCancelled"
    DRIFT_CORRECTED = "DriftCorrected"
    CRON_JOB_RECREATED = "CronJobRecreated"
    CRON_JOB_ADOPTED = "CronJobAdopted"
    SLOTS_MISSED = "SlotsMissed"
    SLOT_SKIPPED = "SlotSkipped"
    CATCHING_UP = "CatchingUp"
    DEAD_LETTER = "DeadLetter"
    PAUSED = "Paused"
    RESUMED = "Resumed"
    REQUEST_ACCEPTED = "RequestAccepted"
    REQUEST_REFUSED = "RequestRefused"
