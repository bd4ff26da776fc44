"""Durations as people write them in manifests: `90s`, `5m`, `1h30m`, `500ms`."""

import re

from job_runner.errors import UsageError

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


def seconds_of(text: str) -> float:
    """Seconds of a duration; a bare number counts as seconds. Raises UsageError for anything else."""
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        return float(text)
    if not text or _PART.sub("", text):
        raise UsageError(f"{text!r} is not a duration: write 90s, 5m or 1h30m")
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
