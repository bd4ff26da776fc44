"""How a run ended, and the few lines that remain of it in the pod's termination message."""

import json
from bisect import bisect_right
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from job_runner.values import Json, without_surrogates

LIMIT = 4096
"""Bytes of a container's termination message that the kubelet keeps."""

_LONGEST_TYPE = 120
_MARK = "…"


class Result(StrEnum):
    """How a run ended, in the words of the status."""

    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    TIMED_OUT = "TimedOut"
    CANCELLED = "Cancelled"


@dataclass(frozen=True)
class Error:
    """type: the exception's name; message: its text, without values of the environment and the arguments."""

    type: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The end of one run. value: plain JSON; truncated: something of it was left out already."""

    result: Result
    exit_code: int
    value: Json = None
    error: Error | None = None
    duration_seconds: float = 0.0
    peak_memory_bytes: int = 0
    truncated: bool = False


def termination_message(outcome: Outcome) -> bytes:
    """The outcome as UTF-8 JSON of at most LIMIT bytes, always valid.

    Too much is cut where it hurts least: the error's text is shortened to half the room first, then the
    largest members of the value are left out, then the text takes the rest. `"truncated": true` tells of it.
    """
    document: dict[str, Any] = {"version": 1, "result": str(outcome.result)}
    if outcome.value is not None:
        document["value"] = outcome.value
    if outcome.error is not None:
        document["error"] = {
            "type": without_surrogates(outcome.error.type)[:_LONGEST_TYPE],
            "message": without_surrogates(outcome.error.message),
        }
    document["durationSeconds"] = round(outcome.duration_seconds, 3)
    document["peakMemoryBytes"] = outcome.peak_memory_bytes
    if outcome.truncated:
        document["truncated"] = True
    return _encode(document) if _size(document) <= LIMIT else _cut(document)


def _cut(document: dict[str, Any]) -> bytes:
    document["truncated"] = True
    text = document["error"]["message"] if "error" in document else ""
    if text:
        document["error"]["message"] = _shortened(text, room=LIMIT // 2)
    _shrink_value(document, room=LIMIT)
    if text:
        document["error"]["message"] = ""
        document["error"]["message"] = _shortened(text, room=LIMIT - _size(document))
    return _encode(document)


def _shrink_value(document: dict[str, Any], *, room: int) -> None:
    """Leave members out of the value, the largest first, until the document fits; then the value itself."""
    excess = _size(document) - room
    if isinstance(document.get("value"), dict):
        document["value"] = members = dict(document["value"])
        # A member alone, {"name":1}, has two braces around it; in the document it has a comma beside it.
        sizes = {name: _size({name: member}) - 1 for name, member in members.items()}
        for name in sorted(sizes, key=lambda name: -sizes[name]):
            if excess <= 0:
                return
            excess -= sizes[name]
            del members[name]
    if excess > 0 or document.get("value") == {}:
        document.pop("value", None)


def _shortened(text: str, *, room: int) -> str:
    """The longest beginning of `text` that takes at most `room` bytes as the inside of a JSON string."""
    if _size(text) - 2 <= room:
        return text
    head = text[:room]
    room -= len(_MARK.encode())
    kept = bisect_right(range(1, len(head) + 1), room, key=lambda length: _size(head[:length]) - 2)
    return head[:kept] + _MARK


def _size(document: Any) -> int:
    return len(_encode(document))


def _encode(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
