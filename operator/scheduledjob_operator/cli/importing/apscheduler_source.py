"""Where jobs are in Python source: calls of add_job, decorators, and rows of a registry."""

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from scheduledjob_operator.cli.importing.apscheduler_entry import ADD_JOB, Entry, Place, walk
from scheduledjob_operator.cli.importing.apscheduler_rows import is_unpacked, rows_in, words_of
from scheduledjob_operator.cli.importing.apscheduler_schedulers import Schedulers
from scheduledjob_operator.cli.importing.findings import Remark
from scheduledjob_operator.cli.importing.python_literals import dotted, last_name

_TRIGGERS = {"cron", "interval", "date", "CronTrigger", "IntervalTrigger", "DateTrigger", "from_crontab"}
_CHANGES = {
    **dict.fromkeys(("pause_job", "pause"), "write enabled: false where it was to stay paused"),
    **dict.fromkeys(("remove_job", "remove"), "delete its ScheduledJob where it is to be gone"),
    **dict.fromkeys(("modify_job", "modify", "reschedule_job", "reschedule"), "correct its ScheduledJob"),
}
"""Methods that change a job that is there already, and what to do in their place."""
_METHODS_OF_JOB = {"pause", "remove", "modify", "reschedule"}


@dataclass(slots=True)
class Source:
    """What was found in a module."""

    schedulers: Schedulers = field(default_factory=Schedulers)
    entries: list[Entry] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    parameters: dict[str, list[str]] = field(default_factory=dict)
    """Of each function whose bare name can mean nothing else: the names of its parameters."""


def read_source(tree: ast.Module) -> Source:
    """The jobs, in the order of the text."""
    source = Source(parameters=_parameters(tree))
    seen: set[int] = set()
    jobs: set[str] = set()
    for node, place in walk(tree):
        source.schedulers.visit(node)
        source.entries += rows_in(node, place, seen=seen)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            source.entries += _decorated(node, place)
        elif isinstance(node, ast.Assign) and _adds_job(node.value):
            jobs.update(dotted(target) for target in node.targets)
        elif isinstance(node, ast.Call):
            if last_name(node.func) == "add_job":
                source.entries.append(_added(node, place))
            source.remarks += _on_change(node, jobs=jobs)
    source.entries.sort(key=lambda entry: (entry.line, entry.column))
    return source


def _decorated(node: ast.FunctionDef | ast.AsyncFunctionDef, place: Place) -> Iterator[Entry]:
    for call in node.decorator_list:
        if isinstance(call, ast.Call) and _is_decorator(call):
            yield _entry(call, place, names=ADD_JOB[1:], function=node.name)


def _is_decorator(call: ast.Call) -> bool:
    """Flask-APScheduler has its decorator by the name that others have theirs by."""
    if last_name(call.func) != "task":
        return last_name(call.func) == "scheduled_job"
    trigger = words_of(call, names=("trigger",)).get("trigger")
    if isinstance(trigger, ast.Call):
        return last_name(trigger.func) in _TRIGGERS
    return isinstance(trigger, ast.Constant) and trigger.value in _TRIGGERS


def _added(call: ast.Call, place: Place) -> Entry:
    first = call.args[0] if len(call.args) > 1 else None
    # APScheduler's text for a function has a colon; Flask-APScheduler takes the id first.
    is_id = isinstance(first, ast.Constant) and isinstance(first.value, str) and ":" not in first.value
    return _entry(call, place, names=("id", "func") if is_id else ADD_JOB)


def _entry(call: ast.Call, place: Place, *, names: tuple[str, ...], function: str | None = None) -> Entry:
    scheduler = call.func.value if isinstance(call.func, ast.Attribute) else None
    return Entry(
        line=call.lineno,
        column=call.col_offset,
        words=words_of(call, names=names),
        place=place,
        function=function,
        unpacked=is_unpacked(call),
        scheduler=last_name(scheduler) if scheduler is not None else None,
    )


def _adds_job(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and last_name(node.func) == "add_job"


def _on_change(call: ast.Call, *, jobs: set[str]) -> Iterator[Remark]:
    """What the program does to its jobs later."""
    name = last_name(call.func)
    words = {word.arg: word.value for word in call.keywords}
    paused = words.get("paused")
    if name == "start" and isinstance(paused, ast.Constant) and paused.value is True:
        text = "start(paused=True) is not carried over: annotate the namespace with scheduledjob.dev/suspend"
        yield Remark(line=call.lineno, text=text)
    if name not in _CHANGES or not isinstance(call.func, ast.Attribute):
        return
    receiver = call.func.value
    if name in _METHODS_OF_JOB and not (_adds_job(receiver) or dotted(receiver) in jobs):
        return
    which = call.args[0] if call.args else words.get("job_id", words.get("id"))
    of = f"{which.value}: " if isinstance(which, ast.Constant) and isinstance(which.value, str) else ""
    yield Remark(line=call.lineno, text=f"{of}{name} is not carried over: {_CHANGES[name]}")


def _parameters(tree: ast.Module) -> dict[str, list[str]]:
    """Of functions of the module that have their name to themselves; a method's first is its own object."""
    methods = {id(one) for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for one in node.body}
    bound: Counter[str] = Counter()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            bound[node.name] += id(node) not in methods
        elif isinstance(node, ast.alias):
            bound[(node.asname or node.name).partition(".")[0]] += 1
        elif isinstance(node, ast.arg):
            bound[node.arg] += 1
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            bound[node.id] += 1
    return {
        node.name: [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and bound[node.name] == 1
    }
