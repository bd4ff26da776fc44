"""ScheduledJobs as YAML, from what was read: named, checked as the operator would, written out."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import ValidationError

from scheduledjob_operator import names
from scheduledjob_operator.cli.importing.findings import Draft, Finding, Remark
from scheduledjob_operator.models import ScheduledJobSpec
from scheduledjob_operator.schedule import ScheduleError
from scheduledjob_operator.wanted import schedule_of, sentence_of

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


def imported(files: Iterable[tuple[str, list[Finding]]], *, options: Options) -> Imported:
    """What became of the findings of all files, given by the files' names."""
    result = Imported(manifests=[], remarks=[], malformed=[])
    taken: set[tuple[str | None, str]] = set()
    for file, findings in files:
        for finding in sorted(findings, key=lambda one: one.line):
            outcome = _manifest(finding, taken=taken, options=options)
            if isinstance(outcome, dict):
                result.manifests.append(outcome)
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


def label(text: str) -> str:
    """A text as a name that a ScheduledJob can have; may be empty."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[: names.MAX_NAME_LENGTH].rstrip("-")


def _manifest(
    finding: Finding, *, taken: set[tuple[str | None, str]], options: Options
) -> dict[str, Any] | Remark:
    """The ScheduledJob of a draft, or why there is none."""
    if isinstance(finding, Remark):
        return finding
    namespace = options.namespace or finding.namespace
    used = {name for place, name in taken if place == namespace}
    name = finding.name if finding.exact else _unused(finding.name, used=used)
    if (problem := _name_problem(name, used=used)) or (problem := _spec_problem(finding, namespace, name)):
        return Remark(line=finding.line, text=f"{name} is not imported: {problem}", malformed=True)
    taken.add((namespace, name))
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": names.API_VERSION, "kind": names.KIND, "metadata": metadata, "spec": finding.spec}


def _unused(wanted: str, *, used: set[str]) -> str:
    """The name, with a number behind it when another job has it already."""
    first = label(wanted) or "job"
    for number in range(1, len(used) + 2):
        suffix = "" if number == 1 else f"-{number}"
        name = first[: names.MAX_NAME_LENGTH - len(suffix)].rstrip("-") + suffix
        if name not in used:
            break
    return name


def _name_problem(name: str, *, used: set[str]) -> str | None:
    if name in used:
        return "another job has that name already: rename one of them"
    if len(name) > names.MAX_NAME_LENGTH or not _LABEL.fullmatch(name):
        return (
            f"the name of a ScheduledJob has {names.MAX_NAME_LENGTH} characters at most: small letters, "
            "digits and hyphens"
        )
    return None


def _spec_problem(draft: Draft, namespace: str | None, name: str) -> str | None:
    """What the operator would say about the spec."""
    try:
        spec = ScheduledJobSpec.model_validate(draft.spec)
        schedule_of(spec, spread=f"{namespace or 'default'}/{name}")
    except ValidationError as error:
        return sentence_of(error)
    except ScheduleError as error:
        return str(error)
    return None


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
