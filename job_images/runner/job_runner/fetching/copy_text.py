"""Records as the text that PostgreSQL's COPY reads.

Works through columns, not records: what is true of all values of a column is found out at once, and a
million records take seconds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from types import NoneType
from typing import Any

from job_runner.fetching.fields import Path, column_of
from job_runner.fetching.flaws import NotAsPromised
from job_runner.fetching.parsing import Number, json_text

_NULL = r"\N"
_BOOLEANS = {True: "true", False: "false", None: None}
_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t"})
_ARRAY_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\""})


class Kind(Enum):
    """What a column makes of a JSON value."""

    PLAIN = "plain"
    JSON = "json"
    ARRAY = "array"


@dataclass(frozen=True)
class Column:
    """A column of the table and the field of a record that goes there.

    required: it may not be null. expected: it may not be missing in all records, as if misspelt or renamed.
    """

    name: str
    path: Path
    kind: Kind = Kind.PLAIN
    required: bool = False
    expected: bool = False


def copy_text(records: Sequence[Any], columns: Sequence[Column]) -> bytes:
    """A line for each record. Raises NotAsPromised for one that cannot be; there may be others before it."""
    if not set(map(type, records)) <= {dict}:
        row = next(row for row, record in enumerate(records) if type(record) is not dict)
        raise NotAsPromised("it is not a JSON object", row=row)
    texts = [_texts(column_of(records, column.path), column) for column in columns]
    lines = [*map("\t".join, zip(*texts, strict=True)), ""]
    return "\n".join(lines).encode()


def _texts(values: list[Any], column: Column) -> list[str]:
    """The values as COPY reads them; escaped where one of them needs it."""
    if column.required and None in values:
        raise NotAsPromised("its field is missing or null", row=values.index(None), column=column.name)
    texts = _plain_texts(values, column) if column.kind is Kind.PLAIN else _each(values, column)
    present = [text for text in texts if text is not None]
    together = "".join(present)
    if not _is_sendable(together):
        row = next(row for row, text in enumerate(texts) if text is not None and not _is_sendable(text))
        raise NotAsPromised("its text holds a NUL or half of a character", row=row, column=column.name)
    if any(mark in together for mark in "\\\n\r\t"):
        return [_NULL if text is None else text.translate(_ESCAPES) for text in texts]
    return present if len(present) == len(texts) else [_NULL if text is None else text for text in texts]


def _plain_texts(values: list[Any], column: Column) -> list[str | None]:
    kinds = set(map(type, values))
    if kinds <= {str, Number, NoneType}:
        return values
    if kinds <= {int, NoneType}:
        return [None if value is None else str(value) for value in values]
    if kinds <= {bool, NoneType}:
        return [_BOOLEANS[value] for value in values]
    return _each(values, column)


def _each(values: list[Any], column: Column) -> list[str | None]:
    write = _WRITERS[column.kind]
    texts: list[str | None] = []
    for row, value in enumerate(values):
        try:
            texts.append(None if value is None else write(value))
        except RecursionError:
            raise NotAsPromised("its JSON is nested too deep", row=row, column=column.name) from None
    return texts


def _plain_text(value: Any) -> str:
    match value:
        case str():
            return value
        case dict() | list() | bool():
            return json_text(value)
    return str(value)


def _array_text(value: Any) -> str:
    """A list as PostgreSQL writes arrays; anything else as it is, for PostgreSQL to judge."""
    if not isinstance(value, list):
        return _plain_text(value)
    return "{" + ",".join(map(_array_item, value)) + "}"


def _array_item(value: Any) -> str:
    match value:
        case None:
            return "NULL"
        case list():
            return _array_text(value)
    return f'"{_plain_text(value).translate(_ARRAY_ESCAPES)}"'


def _is_sendable(text: str) -> bool:
    """Whether it can be UTF-8 without a NUL: JSON can write half of a surrogate pair, and a NUL."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


_WRITERS: dict[Kind, Callable[[Any], str]] = {
    Kind.PLAIN: _plain_text,
    Kind.JSON: json_text,
    Kind.ARRAY: _array_text,
}
