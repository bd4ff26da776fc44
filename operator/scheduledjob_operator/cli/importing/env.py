"""An env file becomes drafts: one for each prefix, such as JOB_CACHE_CLEANUP, that has a schedule.

The handler is called as the prefix. Values of variables that are not about a schedule go nowhere.
"""

from collections.abc import Iterator
from typing import Any

from scheduledjob_operator.cli.importing.dotenv import Variable, read_variables
from scheduledjob_operator.cli.importing.env_parts import (
    CRON,
    INTERVALS,
    LONGEST_FIRST,
    PARTS,
    TRUE,
    WITHOUT_UNIT,
    Part,
)
from scheduledjob_operator.cli.importing.findings import Draft, Finding, Remark, UnreadableError
from scheduledjob_operator.cli.importing.manifests import Options, label

_JOB = "JOB_"
_SWITCHES = {"JOBS", "BACKGROUND_JOBS", "CRON", "CRON_JOBS", "SCHEDULER", "SCHEDULED_JOBS"}
"""Prefixes of a switch for all jobs, such as BACKGROUND_JOBS_ENABLED."""
_ORDER = ("enabled", "schedule", "every", "timeZone")


def read_env(text: str, *, options: Options) -> Iterator[Finding]:
    """The jobs of an env file."""
    variables: dict[str, Variable] = {}
    for entry in read_variables(text):
        if isinstance(entry, Remark):
            yield entry
            continue
        if entry.name in variables:
            former = variables[entry.name].line
            yield _remark(entry, f"stands on line {former}, too: the later one is taken")
        variables[entry.name] = entry
    groups, others = _grouped(variables)
    enabled = True
    for variable in others:
        prefix, suffix = _split(variable.name)
        if prefix in _SWITCHES and suffix == "_ENABLED":
            switched_on = variable.value.lower() in TRUE
            enabled = enabled and switched_on
            yield _on_switch(variable, enabled=switched_on)
        elif variable.name != "TZ":
            yield _on_other(variable, suffix=suffix)
    own = variables["TZ"].value.partition("\n")[0] if "TZ" in variables else None
    time_zone = options.time_zone or own
    for prefix, group in groups.items():
        yield from _job(prefix, group, enabled=enabled, time_zone=time_zone, image=options.image)


def _grouped(variables: dict[str, Variable]) -> tuple[dict[str, list[Variable]], list[Variable]]:
    """The variables of each prefix that has a schedule, and those that belong to none."""
    groups: dict[str, list[Variable]] = {}
    for variable in variables.values():
        prefix, suffix = _split(variable.name)
        if suffix in PARTS and label(prefix.removeprefix(_JOB)):
            groups.setdefault(prefix, []).append(variable)
    groups = {prefix: group for prefix, group in groups.items() if _is_job(prefix, group)}
    taken = {variable.name for group in groups.values() for variable in group}
    return groups, [variable for variable in variables.values() if variable.name not in taken]


def _split(name: str) -> tuple[str, str]:
    """A name as prefix and suffix; without a suffix that is known the latter is empty."""
    suffix = next((suffix for suffix in LONGEST_FIRST if name.endswith(suffix)), "")
    return name.removesuffix(suffix), suffix


def _is_job(prefix: str, group: list[Variable]) -> bool:
    """A cron expression is for a job; an interval may be for anything, unless something says it is a job."""
    suffixes = {_split(variable.name)[1] for variable in group}
    if suffixes & CRON.keys():
        return True
    return bool(suffixes & INTERVALS.keys()) and (prefix.startswith(_JOB) or "_ENABLED" in suffixes)


def _job(
    prefix: str, group: list[Variable], *, enabled: bool, time_zone: str | None, image: str | None
) -> Iterator[Finding]:
    found: dict[str, tuple[Variable, Any]] = {}
    broken = False
    for variable in group:
        try:
            field, value = _part(variable)
        except UnreadableError as error:
            broken = True
            yield _remark(variable, str(error), malformed=True)
            continue
        if field in found:
            yield _remark(variable, f"says what {found[field][0].name} says already: it is left out")
            continue
        if _split(variable.name)[1] in WITHOUT_UNIT and variable.value.isdecimal():
            yield _remark(variable, f"does not say of what: it is read as seconds, {value}")
        found[field] = (variable, value)
    values = {field: value for field, (_, value) in found.items()}
    if "schedule" in values and "every" in values:
        broken = True
        one, other = found["schedule"][0].name, found["every"][0].name
        yield _remark(
            found["every"][0], f"and {one} are two schedules: keep {one} or {other}", malformed=True
        )
    if not broken and values.keys() & {"schedule", "every"}:
        name = label(prefix.removeprefix(_JOB))
        if time_zone and "schedule" in values:
            values.setdefault("timeZone", time_zone)
        values["enabled"] = values.get("enabled", True) and enabled
        spec = {field: values[field] for field in _ORDER if field in values and values[field] is not True}
        thing = {"handler": name} | ({"image": image} if image else {})
        yield Draft(line=group[0].line, name=name, spec={**spec, **thing, **_rest(values)})


def _part(variable: Variable) -> Part:
    """What a variable says in a spec. Raises UnreadableError."""
    # Quotes that were left open may hold lines that are nobody's business.
    if "\n" in variable.value:
        raise UnreadableError("goes over several lines: close the quotes on the first one")
    return PARTS[_split(variable.name)[1]](variable.value)


def _rest(values: dict[str, Any]) -> dict[str, Any]:
    return {field: values[field] for field in ("timeout", "retry") if field in values}


def _on_switch(variable: Variable, *, enabled: bool) -> Remark:
    also = "" if enabled else ", and as it is off here all jobs are imported with enabled: false"
    return _remark(
        variable,
        "switches all jobs and is not carried over: annotate the namespace with scheduledjob.dev/suspend to "
        f"hold them back{also}",
    )


def _on_other(variable: Variable, *, suffix: str) -> Remark:
    name = variable.name
    if suffix in INTERVALS or (name.startswith(_JOB) and suffix):
        prefix = _split(name)[0].removeprefix(_JOB)
        return _remark(
            variable,
            "may be about a job, but nothing says when that runs: write "
            f"JOB_{prefix}_INTERVAL_SECONDS or {prefix}_CRON, too",
        )
    if name.startswith(_JOB):
        return _remark(
            variable,
            "says nothing that a job has: write an ending such as _CRON, _INTERVAL_SECONDS, _ENABLED, "
            "_TIMEOUT_SECONDS, _RETRY_COUNT or _TIME_ZONE, or give it to the job in env",
        )
    return _remark(variable, "is not about a schedule: what needs it gets it by env or envFrom")


def _remark(variable: Variable, text: str, *, malformed: bool = False) -> Remark:
    return Remark(line=variable.line, text=f"{variable.name} {text}", malformed=malformed)
