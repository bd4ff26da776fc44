"""What the schedulers of a module say about all their jobs: the time zone and the defaults."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from scheduledjob_operator.cli.importing.findings import Remark, UnreadableError
from scheduledjob_operator.cli.importing.python_literals import dotted, last_name, literal, zone_name

_CLASSES = {
    f"{kind}Scheduler" for kind in ("Background", "Blocking", "AsyncIO", "Gevent", "Tornado", "Twisted", "Qt")
}
_FLASK = "APScheduler"
"""A class around a scheduler, which is given to it."""
_SETTINGS = ("timezone", "job_defaults")
_PREFIX = "apscheduler."
_OF_FLASK = {"SCHEDULER_TIMEZONE", "SCHEDULER_JOB_DEFAULTS"}
_BOOLEANS = {
    **dict.fromkeys(("true", "yes", "on", "y", "t", "1"), True),
    **dict.fromkeys(("false", "no", "off", "n", "f", "0"), False),
}
"""Texts that APScheduler takes for these in a configuration."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for a job that says nothing else."""

    time_zone: str | None = None
    defaults: dict[str, Any] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Statement:
    line: int
    settings: Settings


@dataclass(slots=True)
class Schedulers:
    """Those of a module, by the names that they are assigned to."""

    statements: dict[str, list[_Statement]] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)
    _targets: dict[int, str] = field(default_factory=dict)
    _dicts: dict[str, ast.Dict] = field(default_factory=dict)

    def visit(self, node: ast.AST) -> None:
        """Take notice of a node; they come in the order of the text."""
        self._note_flask(node)
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            name = last_name(targets[0])
            if isinstance(node.value, ast.Call):
                self._targets[id(node.value)] = name
            elif isinstance(node.value, ast.Dict):
                self._dicts[name] = node.value
        elif isinstance(node, ast.Call):
            self._visit_call(node)

    def settings_for(self, scheduler: str | None) -> Settings:
        """Those of a scheduler by its name, or of all where nobody knows which one it is."""
        every = [statement for several in self.statements.values() for statement in several]
        statements = self.statements.get(scheduler or "", every)
        if not statements:
            return Settings()
        first = statements[0].settings
        zones_differ = any(one.settings.time_zone != first.time_zone for one in statements)
        defaults_differ = any(one.settings.defaults != first.defaults for one in statements)
        lines = " and ".join(str(one.line) for one in statements)
        remarks = [
            f"nothing says which of the schedulers of lines {lines} runs it, and their {word} differ: "
            f"neither is taken, correct the {field} where it matters"
            for word, field, differ in (
                ("time zones", "timeZone", zones_differ),
                ("job_defaults", "startingDeadline and the like", defaults_differ),
            )
            if differ
        ]
        return Settings(
            None if zones_differ else first.time_zone,
            {} if defaults_differ else first.defaults,
            tuple(remarks),
        )

    def _visit_call(self, call: ast.Call) -> None:
        name = last_name(call.func)
        if name == _FLASK:
            inner = [*call.args, *(word.value for word in call.keywords)]
            target = self._targets.get(id(call), "")
            self._targets.update({id(one): target for one in inner if isinstance(one, ast.Call)})
        elif name.endswith("Scheduler"):
            given = self._given(call)
            if given or name in _CLASSES:
                statement = self._statement(call, given)
                self.statements.setdefault(self._targets.get(id(call), ""), []).append(statement)
        elif name == "configure" and isinstance(call.func, ast.Attribute):
            receiver = last_name(call.func.value)
            given = self._given(call, ours=receiver in self.statements)
            if given or receiver in self.statements:
                self._configure(receiver, self._statement(call, given))

    def _configure(self, receiver: str, statement: _Statement) -> None:
        """APScheduler forgets what was configured before."""
        for former in self.statements.get(receiver, []):
            before, now = former.settings, statement.settings
            if before.time_zone not in {None, now.time_zone}:
                text = f"configure takes the place of all that line {former.line} says, also of its timezone"
                self.remarks.append(Remark(line=statement.line, text=text))
            elif before.defaults and before.defaults != now.defaults:
                text = (
                    f"configure takes the place of all that line {former.line} says, also of its job_defaults"
                )
                self.remarks.append(Remark(line=statement.line, text=text))
        self.statements[receiver] = [statement]

    def _given(self, call: ast.Call, *, ours: bool = True) -> dict[str, ast.expr]:
        """The settings of a call by their names; those of a dict carry a prefix."""
        given: dict[str, ast.expr] = {}
        words = {word.arg: word.value for word in call.keywords}
        config = call.args[0] if call.args else words.get("gconfig")
        if isinstance(config, ast.Name):
            config = self._dicts.get(config.id, config)
        if isinstance(config, ast.Dict):
            for key, value in zip(config.keys, config.values, strict=True):
                if isinstance(key, ast.Constant) and str(key.value).startswith(_PREFIX):
                    given[str(key.value).removeprefix(_PREFIX)] = value
        elif ours and (config is not None or None in words):
            text = "the scheduler's configuration is not written out here: timezone and defaults are not read"
            self.remarks.append(Remark(line=call.lineno, text=text))
        given |= {word: value for word, value in words.items() if word in _SETTINGS}
        return {
            word: value
            for word, value in given.items()
            if word in _SETTINGS or word.startswith("job_defaults.")
        }

    def _statement(self, call: ast.Call, given: dict[str, ast.expr]) -> _Statement:
        time_zone: str | None = None
        defaults: dict[str, Any] = {}
        for word, node in given.items():
            try:
                if word == "timezone":
                    is_none = isinstance(node, ast.Constant) and node.value is None
                    time_zone = None if is_none else zone_name(node)
                    continue
                value = literal(node, of=word)
            except UnreadableError as error:
                self.remarks.append(error.at(node.lineno))
                continue
            if word == "job_defaults":
                defaults |= value if isinstance(value, dict) else {}
            else:
                defaults[word.partition(".")[2]] = value
        defaults = {str(word): _plain(value) for word, value in defaults.items()}
        return _Statement(line=call.lineno, settings=Settings(time_zone, defaults))

    def _note_flask(self, node: ast.AST) -> None:
        for name in _names_set(node):
            if name in _OF_FLASK and isinstance(node, ast.expr | ast.stmt | ast.keyword):
                where = "give the zone with --time-zone" if "ZONE" in name else "correct the ScheduledJobs"
                self.remarks.append(Remark(line=node.lineno, text=f"{name} is not read: {where}"))


def _names_set(node: ast.AST) -> Iterator[str]:
    """The names that a node gives a value to, be they keys, keywords or variables."""
    targets: list[ast.expr | None] = []
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets += node.targets if isinstance(node, ast.Assign) else [node.target]
    elif isinstance(node, ast.Dict):
        targets += node.keys
    elif isinstance(node, ast.keyword) and node.arg:
        yield node.arg
    for target in targets:
        key = target.slice if isinstance(target, ast.Subscript) else target
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            yield key.value
        elif key is not None and dotted(key):
            yield last_name(key)


def _plain(value: Any) -> Any:
    """A value of a configuration, in which numbers and switches may be texts."""
    if not isinstance(value, str):
        return value
    text = value.strip().lower()
    if text.isascii() and text.isdecimal() and len(text) < 10 and text not in {"0", "1"}:
        return int(text)
    return _BOOLEANS.get(text, value)
