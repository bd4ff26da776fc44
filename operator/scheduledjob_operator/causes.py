"""Pods seen -> how each ended, and what it left: by Kubernetes' account and by the runner's report. Pure."""

import json
import math
from dataclasses import dataclass
from typing import Any

from scheduledjob_operator.models import Result
from scheduledjob_operator.names import RunReason
from scheduledjob_operator.observed import PodSeen

MESSAGE_LENGTH = 1024
"""Longest message of a run, in characters: of an error its beginning, of a log its end."""
MAX_DEPTH = 32
"""Deepest nesting of a report: what is deeper cannot be written back."""

_DISRUPTIONS = {
    "EvictionByEvictionAPI": RunReason.EVICTED,
    "TerminationByKubelet": RunReason.EVICTED,
    "PreemptionByScheduler": RunReason.PREEMPTED,
    "DeletionByTaintManager": RunReason.NODE_LOST,
    "DeletionByPodGC": RunReason.NODE_LOST,
}
DISRUPTION_REASONS = frozenset(_DISRUPTIONS.values())
"""Reasons of attempts that ended through no fault of their own; they use up no retry."""

_STUCK = {
    "ErrImagePull": "ImagePullBackOff",
    "ImagePullBackOff": "ImagePullBackOff",
    "InvalidImageName": "InvalidImageName",
    "ErrImageNeverPull": "ErrImageNeverPull",
    "CreateContainerConfigError": "CreateContainerConfigError",
    "CreateContainerError": "CreateContainerError",
    "Unschedulable": "Unschedulable",
    "SchedulingGated": "SchedulingGated",
}
_NEVER_STARTED = {"StartError", "ContainerCannotRun"}
_SIGTERM, _SIGKILL = 143, 137


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """How one Pod ended, and what it left."""

    result: Result
    reason: str
    message: str = ""
    value: Any = None
    duration_seconds: float | None = None
    peak_memory_bytes: int | None = None


def stuck(pods: list[PodSeen]) -> tuple[str, str] | None:
    """Why a run cannot start, as (reason, message); None while nothing is known to be wrong."""
    if not pods or pods[-1].started is not None or pods[-1].ended is not None:
        return None
    reason = _STUCK.get(pods[-1].waiting_reason)
    return (reason, head(pods[-1].waiting_message)) if reason else None


def cause_of(pod: PodSeen) -> Cause | None:
    """How the Pod ended; None while it has not."""
    report = _report(pod.termination_message)
    left: dict[str, Any] = {
        "value": report.get("value"),
        "duration_seconds": _number(report.get("durationSeconds")),
        "peak_memory_bytes": _integer(report.get("peakMemoryBytes")),
    }
    message = left_message(pod)
    if pod.exit_code == 0 and pod.phase != "Failed":
        return Cause(result=Result.SUCCEEDED, reason=RunReason.COMPLETED, message=message, **left)
    if pod.phase not in ("Failed", "Succeeded") and pod.exit_code is None and not pod.deleting:
        return None
    if pod.reason == RunReason.DEADLINE_EXCEEDED and pod.started is None and pod.exit_code is None:
        reason = _STUCK.get(pod.waiting_reason, RunReason.NOT_STARTED)
        return Cause(result=Result.FAILED, reason=reason, message=head(pod.waiting_message or pod.message))
    if pod.reason == RunReason.DEADLINE_EXCEEDED or report.get("result") == Result.TIMED_OUT:
        return Cause(
            result=Result.TIMED_OUT,
            reason=RunReason.DEADLINE_EXCEEDED,
            message=message or head(pod.message),
            **left,
        )
    reason, explained = _failure_reason(pod)
    return Cause(result=Result.FAILED, reason=reason, message=head(explained) or message, **left)


def _failure_reason(pod: PodSeen) -> tuple[str, str]:
    """(reason, a sentence of Kubernetes' own or nothing) of a Pod that failed."""
    if pod.reason == RunReason.EVICTED:
        return RunReason.EVICTED, pod.message
    if pod.disruption:
        return _DISRUPTIONS.get(pod.disruption, pod.disruption), pod.message
    if pod.terminated_reason == RunReason.OOM_KILLED:
        return RunReason.OOM_KILLED, ""
    if pod.deleting and pod.exit_code in (None, _SIGTERM, _SIGKILL):
        return RunReason.POD_DELETED, "the Pod was deleted while it was running"
    if pod.terminated_reason in _NEVER_STARTED:
        return pod.terminated_reason, ""
    if pod.exit_code is not None:
        return RunReason.EXIT_CODE, ""
    return pod.reason or RunReason.UNKNOWN, pod.message


def left_message(pod: PodSeen) -> str:
    """What the container itself said last: the error it reported, or the end of its log."""
    report = _report(pod.termination_message)
    return _report_message(report) if report else _tail(pod.termination_message)


def _report(text: str) -> dict[str, Any]:
    """The runner's termination message; empty when the text is something else, such as a log's tail.

    A container may write anything there: what the API server could not store is not a report.
    """
    if not text.startswith("{"):
        return {}
    try:
        # Half a character, which JSON can spell and UTF-8 cannot, becomes a question mark.
        report = json.loads(json.dumps(json.loads(text), ensure_ascii=False).encode(errors="replace"))
    except (ValueError, RecursionError):
        return {}
    return report if _is_storable(report) and report.get("version") == 1 else {}


def _is_storable(value: Any, *, depth: int = 0) -> bool:
    """Whether JSON readers in other languages take it too: finite numbers, integers of 64 bits."""
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return depth < MAX_DEPTH and all(_is_storable(item, depth=depth + 1) for item in inner)
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return math.isfinite(value) if isinstance(value, float) else True


def _report_message(report: dict[str, Any]) -> str:
    error = report.get("error")
    if not isinstance(error, dict):
        return ""
    return head(": ".join(str(part) for part in (error.get("type"), error.get("message")) if part))


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and value >= 0 else None


def _integer(value: Any) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None


def head(text: str) -> str:
    """The beginning of a text, as much as a message may have."""
    return text if len(text) <= MESSAGE_LENGTH else f"{text[: MESSAGE_LENGTH - 1]}…"


def _tail(text: str) -> str:
    text = text.rstrip()
    return text if len(text) <= MESSAGE_LENGTH else f"…{text[-(MESSAGE_LENGTH - 1) :]}"
