"""Python code with jobs of APScheduler, and what the importer finds in it."""

from typing import Any

from scheduledjob_operator.cli.importing.apscheduler import read_apscheduler
from scheduledjob_operator.cli.importing.findings import Draft, Remark
from scheduledjob_operator.cli.importing.manifests import Options


def read(text: str, *, time_zone: str | None = None) -> tuple[list[Draft], list[Remark]]:
    found = list(read_apscheduler(text, options=Options(time_zone=time_zone)))
    drafts = [one for one in found if isinstance(one, Draft)]
    remarks = [one for one in found if isinstance(one, Remark)]
    return drafts, [one for one in remarks if "nothing names its time zone" not in one.text]


def zones(text: str, *, time_zone: str | None = None) -> dict[str, str | None]:
    return {draft.name: draft.spec.get("timeZone") for draft in read(text, time_zone=time_zone)[0]}


def sentences(text: str) -> str:
    return "\n".join(f"{one.line}: {one.text}" for one in read(text)[1])


def spec_of(arguments: str) -> dict[str, Any]:
    (draft,), _ = read(f"s.add_job(f, {arguments})")
    return {field: value for field, value in draft.spec.items() if field != "handler"}
