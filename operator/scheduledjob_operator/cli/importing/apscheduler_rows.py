"""Rows of a registry in Python source: dicts, tuples, lists and calls with an id, a function and a schedule.

A list that has one row is a registry, and so whatever else stands in it is a job, too, or a mistake.
"""

import ast
import re
from collections.abc import Iterator, Sequence

from scheduledjob_operator.cli.importing.apscheduler_entry import Entry, Place
from scheduledjob_operator.cli.importing.python_literals import last_name

_ROW = ("id", "func", "cron", "enabled")
_CALLED = {
    **dict.fromkeys(("func", "function", "handler", "callable", "callback", "job_func"), "func"),
    **dict.fromkeys(("cron", "cron_expression", "crontab", "schedule", "cron_schedule"), "cron"),
    **dict.fromkeys(("id", "job_id"), "id"),
}
"""What registries call their columns."""
_FUNCTION = re.compile(r"[A-Za-z_][\w.]*[.:][A-Za-z_]\w*")
_FIELD = re.compile(
    r"[\d*?][\w*,/?#-]*|(?:L|mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
    r"[\w,/#-]*",
    re.IGNORECASE,
)
_MACRO = re.compile(
    r"@(?:hourly|daily|midnight|weekly|monthly|yearly|annually|reboot|every\b.*)", re.IGNORECASE
)
_OTHERS = {"add_job", "scheduled_job"}
"""Calls that are jobs by themselves."""


def rows_in(node: ast.AST, place: Place, *, seen: set[int]) -> Iterator[Entry]:
    """The rows that a node is or holds. Nodes that belong to one are `seen`, and not read again."""
    if id(node) in seen:
        return
    if isinstance(node, ast.Dict | ast.Tuple | ast.List | ast.Call) and _is_row(node, key=None):
        yield _entry(node, place, key=None)
        return
    elements = list(_elements(node))
    if not any(_is_row(one, key=key) or _is_nearly(one, key=key) for key, one in elements):
        return
    for key, one in elements:
        if isinstance(one, ast.Call) and last_name(one.func) in _OTHERS:
            continue
        if key is not None and isinstance(one, ast.Constant):
            continue  # a setting beside the jobs
        seen.add(id(one))
        yield _entry(one, place, key=key)


def words_of(call: ast.Call, *, names: Sequence[str], aliases: bool = False) -> dict[str, ast.expr]:
    """The arguments of a call by their names."""
    words = dict(zip(names, call.args, strict=False))
    for word in call.keywords:
        if word.arg is not None:
            words[_CALLED.get(word.arg, word.arg) if aliases else word.arg] = word.value
    return words


def is_unpacked(call: ast.Call) -> bool:
    """Whether some of the arguments are in * or **."""
    return any(isinstance(one, ast.Starred) for one in call.args) or any(
        word.arg is None for word in call.keywords
    )


def _elements(node: ast.AST) -> Iterator[tuple[ast.expr | None, ast.expr]]:
    """What a container holds, each with its key, if it has one."""
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        yield from ((None, one) for one in node.elts)
    elif isinstance(node, ast.Dict):
        yield from ((key, one) for key, one in zip(node.keys, node.values, strict=True) if _text(key))


def _is_row(node: ast.expr, *, key: ast.expr | None) -> bool:
    words = _words(node, key=key)
    if isinstance(node, ast.Dict):
        return "func" in words and bool(words.keys() & {"cron", "trigger"})
    if isinstance(node, ast.Call) and last_name(node.func) in _OTHERS:
        return False
    if isinstance(node, ast.Call) and any(_CALLED.get(word.arg or "") == "cron" for word in node.keywords):
        return "func" in words
    return (
        bool(_text(words.get("id"))) and _is_function(words.get("func")) and _is_schedule(words.get("cron"))
    )


def _is_nearly(node: ast.expr, *, key: ast.expr | None) -> bool:
    """Whether it has an id and something that can only be a schedule, whatever else is missing."""
    if isinstance(node, ast.Call) and last_name(node.func) in _OTHERS:
        return False
    if isinstance(node, ast.Tuple | ast.List):
        own = node.elts if key is not None else node.elts[1:]
        named = key if key is not None else next(iter(node.elts), None)
        return bool(_text(named)) and any(_is_schedule(one) and "*" in (_text(one) or "*") for one in own)
    words = _words(node, key=key)
    return bool(_text(words.get("id"))) and _is_schedule(words.get("cron"))


def _words(node: ast.expr, *, key: ast.expr | None) -> dict[str, ast.expr]:
    """The columns of a row by their names; none of what cannot be one."""
    words: dict[str, ast.expr] = {}
    if isinstance(node, ast.Dict):
        words = {
            _CALLED.get(name, name): value
            for name, value in (
                (_text(one), value) for one, value in zip(node.keys, node.values, strict=True)
            )
            if name
        }
    elif isinstance(node, ast.Call):
        words = words_of(node, names=_ROW[1:] if key is not None else _ROW, aliases=True)
    elif isinstance(node, ast.Tuple | ast.List):
        columns = list(node.elts)
        first = [] if key is not None else columns[:1]
        rest = columns[len(first) :]
        if len(rest) > 1 and _is_schedule(rest[0]) and _is_function(rest[1]):
            rest[:2] = rest[1::-1]
        words = dict(zip(_ROW if first else _ROW[1:], (*first, *rest), strict=False))
    if key is not None and (words or isinstance(node, ast.Dict)):
        words.setdefault("id", key)
    return words


def _entry(node: ast.expr, place: Place, *, key: ast.expr | None) -> Entry:
    words = _words(node, key=key)
    problem, malformed = _problem(node, words)
    unpacked = is_unpacked(node) if isinstance(node, ast.Call) else False
    columns = 0
    if isinstance(node, ast.Dict):
        unpacked = None in node.keys
    elif isinstance(node, ast.Tuple | ast.List):
        unpacked = any(isinstance(one, ast.Starred) for one in node.elts)
        columns = max(0, len(node.elts) - len(_ROW) + (key is not None))
    return Entry(
        line=node.lineno,
        column=node.col_offset,
        words=words,
        place=place,
        unpacked=unpacked,
        row=True,
        columns=columns,
        problem=problem,
        malformed=malformed,
    )


def _problem(node: ast.expr, words: dict[str, ast.expr]) -> tuple[str | None, bool]:
    """What is wrong with something that stands among rows, and whether it is a mistake."""
    if isinstance(node, ast.Name | ast.Attribute | ast.Starred | ast.Subscript | ast.ListComp):
        return "what stands among the jobs here is not written out: write the row in its place", False
    if not isinstance(node, ast.Dict | ast.Tuple | ast.List | ast.Call):
        return "this stands among the jobs and is none: write an id, a function and a schedule", True
    if "func" not in words:
        return "it has no function: write one beside its id and its schedule", True
    if not words.keys() & {"cron", "trigger"}:
        return "it has no schedule: write five fields such as 0 3 * * *", True
    return None, False


def _text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _is_function(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Name | ast.Attribute) or bool(_FUNCTION.fullmatch(_text(node) or ""))


def _is_schedule(node: ast.expr | None) -> bool:
    """Whether it can only have been meant as a schedule, be it right or wrong."""
    text = (_text(node) or "").strip()
    fields = text.split()
    return bool(_MACRO.fullmatch(text)) or (4 <= len(fields) <= 6 and all(map(_FIELD.fullmatch, fields)))
