"""Turns whatever a handler returns or logs into plain JSON values."""

import logging
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time
from enum import Enum
from typing import Any, TypeAlias

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

_LOG = logging.getLogger(__name__)
_DEEPEST = 32
_MOST_PARTS = 10_000
_LONGEST_TEXT, _CUT = 10_000, " [...]"
_WRITTEN_AS_TEXT = {"decimal", "pathlib", "uuid", "ipaddress"}
_INT64 = range(-(2**63), 2**63)
_SURROGATE = re.compile("[\ud800-\udfff]")


class TooLarge(Exception):  # noqa: N818
    """The value has so many parts that it cannot be meant for a small report."""


def plain(value: object, redact: Callable[[str], str] = str, *, warn: bool = False) -> Json:
    """`value` as JSON can hold it, with `redact` applied to every text in it.

    What JSON has no notation for becomes text: times in ISO 8601, NaN and infinity, integers beyond 64 bits,
    and anything else by its str(), of which `warn` logs a warning. Raises TooLarge.
    """
    return _Plain(redact, warn=warn).convert(value, 0)


def without_surrogates(text: str) -> str:
    """Text that UTF-8 can hold: paired surrogates joined, lone ones replaced by U+FFFD."""
    if not _SURROGATE.search(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class _Plain:
    def __init__(self, redact: Callable[[str], str], *, warn: bool) -> None:
        self._redact = redact
        self._warn = warn
        self._parts = 0

    def convert(self, value: Any, depth: int) -> Json:
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise TooLarge
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, Enum):
            return self.convert(value.value, depth + 1)
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, int):
            return int(value) if value in _INT64 else _digits(value)
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else str(float(value))
        if depth >= _DEEPEST:
            return "..."
        return self._compound(value, depth + 1)

    def _compound(self, value: Any, depth: int) -> Json:
        if isinstance(value, Mapping):
            return {self._text(_written(key)): self.convert(item, depth) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.convert(item, depth) for item in value]
        if hasattr(type(value), "model_dump"):
            return self.convert(value.model_dump(mode="json"), depth)
        if is_dataclass(value) and not isinstance(value, type):
            return {field.name: self.convert(getattr(value, field.name), depth) for field in fields(value)}
        if isinstance(value, datetime | date | time):
            return self._text(value.isoformat())
        if self._warn and type(value).__module__ not in _WRITTEN_AS_TEXT:
            _LOG.warning("a %s is no JSON value and is written as text", type(value).__name__)
        return self._text(_written(value))

    def _text(self, text: str) -> str:
        redacted = self._redact(str(text))
        if len(redacted) > _LONGEST_TEXT:
            redacted = redacted[: _LONGEST_TEXT - len(_CUT)] + _CUT
        return without_surrogates(redacted)


def _written(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001  (somebody else's __str__ must not lose the result)
        return f"<{type(value).__name__}>"


def _digits(value: int) -> str:
    try:
        return str(int(value))
    except ValueError:  # Python refuses to write out integers of thousands of digits
        return f"<integer of {value.bit_length()} bits>"
