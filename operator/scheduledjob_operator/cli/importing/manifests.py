"""ScheduledJobs as YAML, from what was read: named, checked as they would be in a cluster, written out."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import yaml
from pydantic import ValidationError

from scheduledjob_operator import names
from scheduledjob_operator.cli.importing.definition import refusals
from scheduledjob_operator.cli.importing.findings import Draft, Finding, Remark, UnreadableError
from scheduledjob_operator.models import ScheduledJobSpec
from scheduledjob_operator.models.types import format_time
from scheduledjob_operator.status import Ready
from scheduledjob_operator.store import ScheduledJobSeen
from scheduledjob_operator.wanted import parse, sentence_of

_SIZES = {
    "greater_than_equal",
    "less_than_equal",
    "string_too_long",
    "string_too_short",
    "too_long",
    "too_short",
    "value_error",  # that of a duration
}
"""Kinds of errors that say: more or less of something than a ScheduledJob may have."""

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_SAFE = re.compile(r"[A-Za-z/][A-Za-z0-9_./@-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line says about all jobs of an import."""

    namespace: str | None = None
    time_zone: str | None = None
    image: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """The ScheduledJobs, and a sentence with file and line for each thing that was left behind."""

    manifests: list[dict[str, Any]]
    remarks: list[str]
    malformed: list[str]
    """Those of the remarks after which nothing should be applied."""


def imported(files: Iterable[tuple[str, list[Finding]]], *, options: Options, now: datetime) -> Imported:
    """What became of the findings of all files, given by the files' names."""
    result = Imported(manifests=[], remarks=[], malformed=[])
    taken: set[tuple[str | None, str]] = set()
    for file, findings in files:
        for finding in sorted(findings, key=lambda one: one.line):
            outcome = _manifest(finding, taken=taken, options=options, now=now)
            if isinstance(outcome, dict):
                result.manifests.append(outcome)
                result.remarks.extend(_on_name(finding, outcome["metadata"]["name"], file=file))
                continue
            sentence = f"{file}:{outcome.line}: {outcome.text}"
            result.remarks.append(sentence)
            if outcome.malformed:
                result.malformed.append(sentence)
    return result


def as_yaml(manifests: Iterable[dict[str, Any]]) -> str:
    """One document for each."""
    return yaml.dump_all(
        manifests, Dumper=_Dumper, explicit_start=True, sort_keys=False, allow_unicode=True, width=1000
    )


def _on_name(finding: Finding, name: str, *, file: str) -> Iterable[str]:
    """That a job is not called as it was, where more than signs and capitals are different."""
    wanted = slug(getattr(finding, "name", ""))
    if wanted and name != wanted:
        why = "is too long" if len(wanted) > names.MAX_NAME_LENGTH else "is another job's already"
        yield f"{file}:{finding.line}: {name} is called so, as {wanted} {why}"


def slug(text: str) -> str:
    """A text in small letters, digits and hyphens; may be empty."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def label(text: str) -> str:
    """A text as a name that a ScheduledJob can have; may be empty."""
    return slug(text)[: names.MAX_NAME_LENGTH].rstrip("-")


def _manifest(
    finding: Finding, *, taken: set[tuple[str | None, str]], options: Options, now: datetime
) -> dict[str, Any] | Remark:
    """The ScheduledJob of a draft, or why there is none."""
    if isinstance(finding, Remark):
        return finding
    namespace = options.namespace or finding.namespace
    used = {name for place, name in taken if place == namespace}
    name = finding.name if finding.exact else _unused(finding.name, used=used)
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    finding = _with_blanks(finding)
    try:
        _check_name(finding, name, used=used)
        _check_spec(finding, metadata=metadata, now=now)
    except UnreadableError as error:
        text = f"{name} is not imported: {error}"
        return Remark(line=finding.line, text=text, malformed=error.malformed)
    taken.add((namespace, name))
    return {"apiVersion": names.API_VERSION, "kind": names.KIND, "metadata": metadata, "spec": finding.spec}


def _with_blanks(draft: Draft) -> Draft:
    """Blanks are all that the definition takes between the fields of a schedule."""
    schedule = draft.spec.get("schedule")
    if not isinstance(schedule, str):
        return draft
    return replace(draft, spec={**draft.spec, "schedule": re.sub(r"[ \t]+", " ", schedule).strip()})


def _unused(wanted: str, *, used: set[str]) -> str:
    """The name, with a number behind it when another job has it already."""
    first = label(wanted) or "job"
    for number in range(1, len(used) + 2):
        suffix = "" if number == 1 else f"-{number}"
        name = first[: names.MAX_NAME_LENGTH - len(suffix)].rstrip("-") + suffix
        if name not in used:
            break
    return name


def _check_name(draft: Draft, name: str, *, used: set[str]) -> None:
    """Raises UnreadableError."""
    if name in used:
        raise UnreadableError("another job has that name already: rename one of them", malformed=True)
    if len(name) > names.MAX_NAME_LENGTH or not _LABEL.fullmatch(name):
        raise UnreadableError(
            f"the name of a ScheduledJob has {names.MAX_NAME_LENGTH} characters at most: small letters, "
            "digits and hyphens",
            malformed=not draft.exact or len(name) > names.MAX_NAME_LENGTH,
        )


def _check_spec(draft: Draft, *, metadata: dict[str, Any], now: datetime) -> None:
    """What the operator and the definition would say about the spec. Raises UnreadableError.

    What an API server takes elsewhere is not malformed, and neither is a time that has passed.
    """
    try:
        ScheduledJobSpec.model_validate(draft.spec)
    except ValidationError as error:
        sizes = {detail["type"] for detail in error.errors()} <= _SIZES
        raise UnreadableError(sentence_of(error), malformed=not (draft.exact and sizes)) from None
    identity = {"namespace": "default", **metadata, "uid": "", "resourceVersion": ""}
    first = {"generation": 1, "creationTimestamp": format_time(now)}
    wanted = parse(
        ScheduledJobSeen.from_body({"metadata": {**identity, **first}, "spec": draft.spec}), now=now
    )
    if isinstance(wanted, Ready):
        raise UnreadableError(wanted.message, malformed=not draft.exact and "at" not in draft.spec)
    if refused := "; ".join(refusals(draft.spec)):
        raise UnreadableError(refused, malformed=not draft.exact)


class _Dumper(yaml.SafeDumper):
    """Writes what every reader of YAML takes for the same text, be it of version 1.1 or 1.2."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None if _SAFE.fullmatch(text) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
