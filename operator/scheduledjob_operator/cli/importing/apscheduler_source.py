"""Where jobs are in Python source: calls of add_job, decorators, and rows of a registry."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from scheduledjob_operator.cli.importing.python_literals import last_name

ADD_JOB = (
    "func",
    "trigger",
    "args",
    "kwargs",
    "id",
    "name",
    "misfire_grace_time",
    "coalesce",
    "max_instances",
    "next_run_time",
    "jobstore",
    "executor",
    "replace_existing",
)
"""Parameters of add_job in their order; the decorator has those from the second one on."""
_ROW = ("id", "func", "cron", "enabled")
_CALLED = {
    **dict.fromkeys(("func", "function", "handler", "callable", "callback", "job_func"), "func"),
    **dict.fromkeys(("cron", "cron_expression", "crontab", "schedule", "cron_schedule"), "cron"),
    **dict.fromkeys(("id", "job_id"), "id"),
}
"""What registries call their columns."""
_SETTINGS = ("timezone", "job_defaults")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A job as it is written, with what is said about it by name."""

    line: int
    words: dict[str, ast.expr]
    function: str | None = None
    """Of a decorator: what is decorated."""
    unpacked: bool = False
    """Whether some of it is in * or **."""
    conditional: bool = False
    """Whether it stands under an if or in a loop."""


@dataclass(slots=True)
class Source:
    """What was found in a module."""

    entries: list[Entry] = field(default_factory=list)
    settings: dict[str, ast.expr] = field(default_factory=dict)
    """Keywords of the scheduler's constructor."""
    parameters: dict[str, list[str]] = field(default_factory=dict)
    """Of each function that can be called with positional arguments: their names."""


def read_source(tree: ast.Module) -> Source:
    """The jobs, in the order of their lines."""
    source = Source()
    for node, conditional in _walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
            source.parameters[node.name] = names
            source.entries += _decorated(node, conditional=conditional)
        elif isinstance(node, ast.Call):
            if last_name(node.func).endswith("Scheduler"):
                given = {word.arg: word.value for word in node.keywords if word.arg in _SETTINGS}
                source.settings.update(given)
            source.entries += _called(node, conditional=conditional)
        elif isinstance(node, ast.Dict):
            source.entries += _listed(node, conditional=conditional)
        elif isinstance(node, ast.Tuple) and _is_row(node.elts):
            words = dict(zip(_ROW, node.elts, strict=False))
            source.entries.append(Entry(line=node.lineno, words=words, conditional=conditional))
    source.entries.sort(key=lambda entry: entry.line)
    return source


def _walk(tree: ast.Module) -> Iterator[tuple[ast.AST, bool]]:
    """Every node, and whether it stands under a condition or in a loop."""
    waiting: list[tuple[ast.AST, bool]] = [(tree, False)]
    while waiting:
        node, conditional = waiting.pop()
        yield node, conditional
        inside = conditional or (isinstance(node, ast.If | ast.For | ast.While) and not _is_main(node))
        waiting += [(child, inside) for child in ast.iter_child_nodes(node)]


def _is_main(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "__name__" in ast.dump(node.test)


def _decorated(node: ast.FunctionDef | ast.AsyncFunctionDef, *, conditional: bool) -> Iterator[Entry]:
    for call in node.decorator_list:
        if isinstance(call, ast.Call) and last_name(call.func) == "scheduled_job":
            yield _entry(call, names=ADD_JOB[1:], function=node.name, conditional=conditional)


def _called(call: ast.Call, *, conditional: bool) -> Iterator[Entry]:
    if last_name(call.func) == "add_job":
        yield _entry(call, names=ADD_JOB, conditional=conditional)
        return
    columns = {_CALLED.get(word.arg) for word in call.keywords if word.arg is not None}
    if _is_row(call.args) or ("cron" in columns and ("func" in columns or len(call.args) == 2)):
        yield _entry(call, names=_ROW, aliases=True, conditional=conditional)


def _listed(node: ast.Dict, *, conditional: bool) -> Iterator[Entry]:
    """A row of a registry as a dict."""
    words = {
        _CALLED.get(key.value, key.value): value
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }
    if "func" in words and words.keys() & {"cron", "trigger"}:
        unpacked = None in node.keys
        yield Entry(line=node.lineno, words=words, unpacked=unpacked, conditional=conditional)


def _is_row(elements: Sequence[ast.expr]) -> bool:
    """Whether it is an id, a function and five fields."""
    if not 3 <= len(elements) <= len(_ROW):
        return False
    key, function, cron = elements[:3]
    texts = [one.value for one in (key, cron) if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    named = isinstance(function, ast.Name | ast.Attribute)
    return named and len(texts) == 2 and len(texts[1].split()) == 5


def _entry(
    call: ast.Call,
    *,
    names: tuple[str, ...],
    conditional: bool,
    function: str | None = None,
    aliases: bool = False,
) -> Entry:
    words = dict(zip(names, call.args, strict=False))
    for word in call.keywords:
        if word.arg is not None:
            words[_CALLED.get(word.arg, word.arg) if aliases else word.arg] = word.value
    unpacked = any(isinstance(one, ast.Starred) for one in call.args) or any(
        word.arg is None for word in call.keywords
    )
    return Entry(line=call.lineno, words=words, function=function, unpacked=unpacked, conditional=conditional)
