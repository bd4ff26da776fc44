"""The lines of an env file: names and values. No sentence from here has a value in it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from scheduledjob_operator.cli.importing.findings import Remark

_ASSIGNMENT = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*=\s*(.*)", re.DOTALL)
_LINE = re.compile(r"[^\S\n]*([^\n]*?)[^\S\n]*(?=\n|\Z)")
"""What is on a line, without the space around it."""
_QUOTED = {"'": re.compile(r"'[^']*'"), '"': re.compile(r'"(?:[^"\\]++|\\.)*+"', re.DOTALL)}
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
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    number = position = 0
    while position < len(text):
        match = _LINE.match(text, position)
        assert match is not None
        number, first, position = number + 1, number + 1, match.end() + 1
        if not match[1] or match[1].startswith("#"):
            continue
        assignment = _ASSIGNMENT.fullmatch(match[1])
        if assignment is None:
            yield Remark(line=first, text="the line is no variable: write NAME=value", malformed=True)
            continue
        name, rest = assignment[1], assignment[2]
        if not rest.startswith(('"', "'")):
            yield Variable(line=first, name=name, value=_COMMENT.sub("", f" {rest}").strip())
            continue
        begin = match.start(1) + assignment.start(2)
        quoted = _QUOTED[rest[0]].match(text, begin)
        if quoted is None:
            sentence = f"are not closed: write {name}={rest[0]}value{rest[0]}"
            yield Remark(line=first, text=f"the quotes around the value of {name} {sentence}", malformed=True)
            continue
        number += text.count("\n", begin, quoted.end())
        behind = _LINE.match(text, quoted.end())
        assert behind is not None
        position = behind.end() + 1
        if behind[1] and not behind[1].startswith("#"):
            sentence = f"there is something behind the closing quote of {name}: write it inside the quotes"
            yield Remark(line=first, text=sentence, malformed=True)
            continue
        yield Variable(line=first, name=name, value=_value(quoted[0]))


def _value(quoted: str) -> str:
    """What is inside the quotes."""
    if quoted[0] == "'":
        return quoted[1:-1]
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), quoted[1:-1], flags=re.DOTALL)
