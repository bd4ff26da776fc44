"""Fields of records and pages, by dotted paths such as `quote.price` or `prices.0`."""

from collections.abc import Sequence
from typing import Any, TypeAlias

from job_runner.errors import DataError

Path: TypeAlias = tuple[str, ...]
_MISSING = object()


def path_of(text: str) -> Path:
    """Raises DataError for a path with an empty part."""
    parts = tuple(text.split("."))
    if not all(parts):
        raise DataError("the path of a field has an empty part: write names with dots between them")
    return parts


def field(value: Any, path: Path) -> Any:
    """What is at `path`; None where there is nothing."""
    for part in path:
        value = _member(value, part)
    return value


def has(value: Any, path: Path) -> bool:
    """Whether there is something at `path`, be it null. What is null on the way there counts as it."""
    for part in path:
        found = _member(value, part, missing=_MISSING)
        if found is _MISSING:
            return value is None
        value = found
    return True


def column_of(records: Sequence[dict[str, Any]], path: Path) -> list[Any]:
    """The field of every record."""
    first, *rest = path
    values = [record.get(first) for record in records]
    for part in rest:
        values = [_member(value, part) for value in values]
    return values


def _member(value: Any, part: str, *, missing: Any = None) -> Any:
    match value:
        case dict():
            return value.get(part, missing)
        case list() if part.isascii() and part.isdigit() and len(part) < 10 and int(part) < len(value):
            return value[int(part)]
    return missing
