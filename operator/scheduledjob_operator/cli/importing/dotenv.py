"""The lines of an env file: names and values. No sentence from here has a value in it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from scheduledjob_operator.cli.importing.findings import Remark

_ASSIGNMENT = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*=\s*(.*)", re.DOTALL)
_COMMENT = re.compile(r"\s#.*")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A variable and the line that it begins on."""

    line: int
    name: str
    value: str = field(repr=False)


def read_variables(text: str) -> Iterator[Variable | Remark]:
    """The variables of a file; a value in quotes may go on over several lines."""
    lines = text.replace("\r\n", "\n").split("\n")
    number = 0
    while number < len(lines):
        first, raw = number + 1, lines[number].strip()
        number += 1
        if not raw or raw.startswith("#"):
            continue
        match = _ASSIGNMENT.fullmatch(raw)
        if match is None:
            yield Remark(line=first, text="the line is no variable: write NAME=value", malformed=True)
            continue
        name, rest = match[1], match[2]
        if not rest.startswith(('"', "'")):
            yield Variable(line=first, name=name, value=_COMMENT.sub("", f" {rest}").strip())
            continue
        end = next((end for end in range(number, len(lines) + 1) if _whole(rest, lines[number:end])), None)
        if end is None:
            text = f"the quotes around the value of {name} are not closed: write NAME={rest[0]}value{rest[0]}"
            yield Remark(line=first, text=text, malformed=True)
            continue
        quoted, tail = _split("\n".join((rest, *lines[number:end])))
        number = end
        if tail and not tail.startswith("#"):
            text = f"there is something behind the closing quote of {name}: write it inside the quotes"
            yield Remark(line=first, text=text, malformed=True)
            continue
        yield Variable(line=first, name=name, value=quoted)


def _whole(first: str, others: list[str]) -> bool:
    return _closing("\n".join((first, *others))) is not None


def _closing(text: str) -> int | None:
    """Where the quote that a text begins with is closed."""
    position = 1
    while position < len(text):
        if text[position] == "\\" and text[0] == '"':
            position += 1
        elif text[position] == text[0]:
            return position
        position += 1
    return None


def _split(text: str) -> tuple[str, str]:
    """The value inside the quotes, and what is behind them."""
    end = _closing(text) or 0
    value = text[1:end]
    if text[0] == '"':
        value = re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), value, flags=re.DOTALL)
    return value, text[end + 1 :].strip()
