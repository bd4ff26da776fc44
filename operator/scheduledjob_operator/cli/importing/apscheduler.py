"""Jobs of APScheduler in Python source become drafts. The source is parsed and never executed."""

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from scheduledjob_operator.cli.importing.apscheduler_entry import ADD_JOB, Entry
from scheduledjob_operator.cli.importing.apscheduler_job import (
    RETRIES,
    TIMEOUTS,
    Job,
    args_of,
    enabled,
    function_of,
    handler_of,
    limits,
    policies,
)
from scheduledjob_operator.cli.importing.apscheduler_source import Source, read_source
from scheduledjob_operator.cli.importing.apscheduler_triggers import (
    JITTER,
    When,
    Zones,
    looks_like_field,
    read_crontab_text,
    read_trigger,
)
from scheduledjob_operator.cli.importing.findings import Draft, Finding, Remark, UnreadableError
from scheduledjob_operator.cli.importing.manifests import Options

_JOB = {*ADD_JOB, "cron", "enabled", "description"}
"""What is said about a job; anything else is about its trigger."""
_NO_ZONE = (
    "nothing names its time zone: it and others like it are read in UTC, unless --time-zone names another"
)


@dataclass(slots=True)
class _Ids:
    """Which jobs have which id, and which of them another one has taken the place of."""

    entries: dict[str, list[Entry]] = field(default_factory=dict)
    replaced: dict[int, Entry] = field(default_factory=dict)

    def claim(self, entry: Entry) -> None:
        """An id is one job's own. Raises UnreadableError."""
        if (identity := entry.identity) is None:
            return
        others = self.entries.setdefault(identity, [])
        replaces = _is_true(entry.words.get("replace_existing"))
        for other in [*others]:
            if entry.place.excludes(other.place):
                raise UnreadableError(
                    f"the job of line {other.line} has the same id on another branch: take its trigger and "
                    "arguments over into that one if this branch is meant"
                )
            if not replaces:
                raise UnreadableError(
                    f"the job of line {other.line} has the same id: give it another one", malformed=True
                )
            self.replaced[id(other)] = entry
            others.remove(other)
        others.append(entry)


def read_apscheduler(text: str, *, options: Options) -> Iterator[Finding]:
    """The jobs of a module."""
    for finding in _read(text, options=options):
        if isinstance(finding, Remark):
            shown = "".join(letter if letter.isprintable() else "?" for letter in finding.text)
            yield Remark(line=finding.line, text=shown, malformed=finding.malformed)
        else:
            yield finding


def _read(text: str, *, options: Options) -> Iterator[Finding]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its backslashes, which are its own affair
            tree = ast.parse(text)
    except SyntaxError as error:
        yield Remark(line=error.lineno or 1, text=f"this is not Python: {error.msg}", malformed=True)
        return
    except (ValueError, RecursionError, MemoryError):
        yield Remark(line=1, text="this is not Python: give the source of a module", malformed=True)
        return
    source = read_source(tree)
    ids = _Ids()
    findings = [
        (entry, list(_findings(entry, source=source, ids=ids, options=options))) for entry in source.entries
    ]
    yield from (*source.schedulers.remarks, *source.remarks)
    zoneless = False
    for entry, found in findings:
        if other := ids.replaced.get(id(entry)):
            text = f"is not imported: the job of line {other.line} takes its place (replace_existing)"
            yield Remark(line=entry.line, text=f"{_label(entry)} {text}")
            continue
        for finding, without_zone in found:
            yield finding
            if without_zone and not zoneless:
                zoneless = True
                yield Remark(line=entry.line, text=f"{_label(entry)}: {_NO_ZONE}")


def _findings(entry: Entry, *, source: Source, ids: _Ids, options: Options) -> Iterator[tuple[Finding, bool]]:
    """What becomes of a job, and with its draft whether it is read in UTC for want of a zone."""
    settings = source.schedulers.settings_for(entry.scheduler)
    job = Job(entry, defaults=settings.defaults)
    try:
        ids.claim(entry)
        zones = Zones(scheduler=settings.time_zone, option=options.time_zone)
        draft, when = _draft(job, source=source, zones=zones, image=options.image)
    except UnreadableError as error:
        text = f"{_label(entry)} is not imported: {error}"
        yield Remark(line=entry.line, text=text, malformed=error.malformed), False
        return
    yield draft, when.zoneless
    for text in (*job.remarks, *settings.remarks):
        yield Remark(line=entry.line, text=f"{_label(entry)}: {text}"), False


def _label(entry: Entry) -> str:
    """How a job is called in a sentence."""
    if entry.identity is not None:
        return entry.identity
    try:
        return function_of(entry)
    except UnreadableError:
        return "the job"


def _draft(job: Job, *, source: Source, zones: Zones, image: str | None) -> tuple[Draft, When]:
    """Raises UnreadableError."""
    entry = job.entry
    if entry.problem:
        raise UnreadableError(entry.problem, malformed=entry.malformed)
    if entry.unpacked:
        raise UnreadableError("some of its arguments are in * or **: write them one by one")
    function = function_of(entry)
    when = _when(job, zones=zones)
    job.remarks += when.remarks
    spec: dict[str, Any] = {} if enabled(job) else {"enabled": False}
    spec |= {**when.fields, "handler": handler_of(function, job=job)}
    if image:
        spec["image"] = image
    if args := args_of(entry, parameters=source.parameters):
        spec["args"] = args
    spec |= policies(job)
    if entry.row:
        spec |= limits(job)
    _remark_on_rest(job)
    return Draft(
        line=entry.line, name=function if entry.identity is None else entry.identity, spec=spec
    ), when


def _when(job: Job, *, zones: Zones) -> When:
    words = job.entry.words
    own = {word: node for word, node in words.items() if word not in _JOB}
    if job.entry.row:
        own = _own_of_row(own, job=job)
    if "cron" in words and "trigger" not in words:
        return read_crontab_text(words["cron"], zone=words.get("timezone"), time_zone=zones.named)
    return read_trigger(words.get("trigger"), own, zones=zones)


def _own_of_row(words: dict[str, ast.expr], *, job: Job) -> dict[str, ast.expr]:
    """The words of a row's trigger; a row has columns of its own, too, which are named when they are lost."""
    by_text = "trigger" not in job.entry.words
    own = {}
    for word, node in words.items():
        if word == "jitter" and by_text:
            job.remarks.append(JITTER)
        elif word in {*TIMEOUTS, *RETRIES} or (by_text and word == "timezone"):
            continue
        elif looks_like_field(word) and not by_text:
            own[word] = node
        else:
            job.remarks.append(f"{word} is not carried over, as APScheduler has nothing that is called so")
    if job.entry.columns:
        job.remarks.append(
            "its columns behind the one for enabled are not carried over, as they have no name"
        )
    return own


def _remark_on_rest(job: Job) -> None:
    words = job.entry.words
    for word in ("jobstore", "executor"):
        if word in words:
            job.remarks.append(f"{word} is not carried over: each run is a Pod of its own")
    if "id" in words and job.entry.identity is None and not _is_constant(words["id"], None):
        job.remarks.append("id is not a literal: it is named after its function")
    if job.entry.place.conditional:
        job.remarks.append(
            "it stands under a condition or in a loop, and is imported once, whatever that says"
        )


def _is_true(node: ast.expr | None) -> bool:
    return node is not None and _is_constant(node, True)


def _is_constant(node: ast.expr, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value
