"""SQL text into its statements, as psql divides it: at semicolons that are not inside of something."""

import re
from collections.abc import Iterator

from job_runner.errors import DataError

# What a semicolon may be inside of. Each begins with characters that begin nothing else.
_OPENING = re.compile(
    r"""
      [;()] | -- | /\*
    | (?<![A-Za-z0-9_$\x80-\U0010ffff]) [eE]'          # a text with backslashes
    | ' | "
    | (?<![A-Za-z0-9_$\x80-\U0010ffff]) \$ (?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)? \$
    """,
    re.VERBOSE,
)
_PLAIN_TEXT, _ESCAPED_TEXT, _NAME = (
    re.compile("'"),
    re.compile(r"(?:[^'\\]|\\.)*'", re.DOTALL),
    re.compile('"'),
)
_DEPTHS = {"(": 1, ")": -1, ";": 0}
_COMMENT_MARK = re.compile(r"/\*|\*/")


def split(text: str) -> Iterator[str]:
    """The statements of `text` in order, without their semicolons; comments between them are no statements.

    Functions whose body is written as BEGIN ATOMIC ... END are not understood: write AS $$...$$.
    Raises DataError for a quotation or comment that never ends.
    """
    start = place = depth = 0
    empty = True  # nothing but blanks and comments since the last semicolon
    while opening := _OPENING.search(text, place):
        empty = empty and not text[place : opening.start()].strip()
        mark = opening[0]
        if mark == ";" and depth == 0:
            if not empty:
                yield text[start : opening.start()].strip()
            start, empty, place = opening.end(), True, opening.end()
        elif mark in _DEPTHS:  # the statements of a rule are in parentheses
            empty, place = False, opening.end()
            depth = max(depth + _DEPTHS[mark], 0)
        else:
            empty = empty and mark in {"--", "/*"}
            place = _end_of(text, mark, opening.end())
    if not empty or text[place:].strip():
        yield text[start:].strip()


def _end_of(text: str, mark: str, inside: int) -> int:
    """Where what `mark` began has ended."""
    if mark == "--":
        line_end = text.find("\n", inside)
        return len(text) if line_end < 0 else line_end
    if mark == "/*":
        return _end_of_comment(text, inside)
    if mark.startswith("$"):
        closing = text.find(mark, inside)
        end = closing + len(mark) if closing >= 0 else None
    else:
        pattern = {"'": _PLAIN_TEXT, '"': _NAME}.get(mark)
        found = pattern.search(text, inside) if pattern else _ESCAPED_TEXT.match(text, inside)
        end = found.end() if found else None
    if end is None:
        raise DataError(f"a quotation that begins in line {_line(text, inside)} does not end")
    return end


def _end_of_comment(text: str, inside: int) -> int:
    """Comments of this kind may be inside each other."""
    depth, place = 1, inside
    while depth:
        mark = _COMMENT_MARK.search(text, place)
        if mark is None:
            raise DataError(f"a comment that begins in line {_line(text, inside)} does not end")
        depth += 1 if mark[0] == "/*" else -1
        place = mark.end()
    return place


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1
