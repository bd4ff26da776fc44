"""An env file becomes drafts: one for each prefix, such as JOB_CACHE_CLEANUP, that has a schedule.

The handler is called as the prefix. Values of variables that are not about a schedule go nowhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from scheduledjob_operator.cli.importing.dotenv import Variable, read_variables
from scheduledjob_operator.cli.importing.env_parts import (
    CRON,
    FALSE,
    INTERVALS,
    LONGEST_FIRST,
    PARTS,
    TRUE,
    WITHOUT_UNIT,
    Part,
    checked,
)
from scheduledjob_operator.cli.importing.findings import Draft, Finding, Remark, UnreadableError
from scheduledjob_operator.cli.importing.manifests import Options, slug

_JOB = "JOB_"
_SWITCHES = {"JOBS", "BACKGROUND_JOBS", "CRON", "CRON_JOBS", "SCHEDULER", "SCHEDULED_JOBS"}
"""Prefixes of a switch for all jobs, such as BACKGROUND_JOBS_ENABLED."""
_ORDER = ("enabled", "schedule", "every", "timeZone")


_LONGEST_HANDLER = 128

Values = dict[str, tuple[Variable, Any]]
"""Of each field of a spec: its value, and the variable that says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Setting:
    """What holds for all jobs of the file."""

    enabled: bool
    time_zone: str | None
    zone_is_wrong: bool
    image: str | None


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
    switches = [variable for variable in others if _is_switch(variable)]
    yield from map(_on_switch, switches)
    yield from (_on_other(one) for one in others if one not in switches and one.name != "TZ")
    own = None if options.time_zone else variables.get("TZ")
    wrong = _on_zone(own) if own is not None and groups else None
    if wrong:
        yield wrong
    setting = _Setting(
        enabled=all(variable.value.lower() in TRUE for variable in switches),
        time_zone=options.time_zone or (own.value if own is not None else None) or None,
        zone_is_wrong=wrong is not None,
        image=options.image,
    )
    for name, group in groups.items():
        yield from _job(name, group, setting=setting)


def _grouped(variables: dict[str, Variable]) -> tuple[dict[str, list[Variable]], list[Variable]]:
    """The variables of each job that has a schedule, and those that belong to none.

    JOB_SYNC and SYNC are one job: nobody has two handlers of one name.
    """
    groups: dict[str, list[Variable]] = {}
    for variable in variables.values():
        prefix, suffix = _split(variable.name)
        if suffix in PARTS and _handler(prefix):
            groups.setdefault(_handler(prefix), []).append(variable)
    groups = {name: group for name, group in groups.items() if _is_job(group)}
    taken = {variable.name for group in groups.values() for variable in group}
    return groups, [variable for variable in variables.values() if variable.name not in taken]


def _handler(prefix: str) -> str:
    """What the handler of a prefix is called; may be empty."""
    return slug(prefix.removeprefix(_JOB))


def _split(name: str) -> tuple[str, str]:
    """A name as prefix and suffix; without a suffix that is known the latter is empty."""
    suffix = next((suffix for suffix in LONGEST_FIRST if name.endswith(suffix)), "")
    return name.removesuffix(suffix), suffix


def _is_switch(variable: Variable) -> bool:
    prefix, suffix = _split(variable.name)
    return prefix in _SWITCHES and suffix == "_ENABLED"


def _is_job(group: list[Variable]) -> bool:
    """A cron expression is for a job; an interval may be for anything, unless something says it is a job."""
    suffixes = {_split(variable.name)[1] for variable in group}
    if suffixes & CRON.keys():
        return True
    of_job = any(variable.name.startswith(_JOB) for variable in group)
    return bool(suffixes & INTERVALS.keys()) and (of_job or "_ENABLED" in suffixes)


def _job(name: str, group: list[Variable], *, setting: _Setting) -> Iterator[Finding]:
    found: Values = {}
    remarks = [*_read(group, found), *_conflicts(found)]
    yield from remarks
    if not any(remark.malformed for remark in remarks):
        yield _draft(name, found, line=group[0].line, setting=setting)


def _read(group: list[Variable], found: Values) -> Iterator[Remark]:
    """What the variables of a job say goes into `found`."""
    for variable in group:
        try:
            field, value = _part(variable)
        except UnreadableError as error:
            yield _remark(variable, str(error), malformed=True)
            continue
        if field not in found:
            found[field] = (variable, value)
            if _split(variable.name)[1] in WITHOUT_UNIT and variable.value.isdecimal():
                yield _remark(variable, f"does not say of what: it is read as seconds, {value}")
            continue
        former, said = found[field]
        if value == said:
            yield _remark(variable, f"says what {former.name} says already: it is left out")
        else:
            text = f"and {former.name} say two different things: keep {former.name} or {variable.name}"
            yield _remark(variable, text, malformed=True)


def _conflicts(found: Values) -> Iterator[Remark]:
    if "schedule" in found and "every" in found:
        one, other = found["schedule"][0].name, found["every"][0]
        yield _remark(other, f"and {one} are two schedules: keep {one} or {other.name}", malformed=True)


def _draft(name: str, found: Values, *, line: int, setting: _Setting) -> Finding:
    """The job, or why there is none."""
    values = {field: value for field, (_, value) in found.items()}
    if len(name) > _LONGEST_HANDLER:
        text = (
            f"{name} is not imported: a handler's name has {_LONGEST_HANDLER} characters at most: rename it"
        )
        return Remark(line=line, text=text)
    if "schedule" in values and "timeZone" not in values:
        if setting.zone_is_wrong:
            return Remark(
                line=line, text=f"{name} is not imported: nobody knows its time zone, which is TZ's"
            )
        if setting.time_zone:
            values["timeZone"] = setting.time_zone
    values["enabled"] = values.get("enabled", True) and setting.enabled
    spec = {field: values[field] for field in _ORDER if field in values and values[field] is not True}
    thing = {"handler": name} | ({"image": setting.image} if setting.image else {})
    return Draft(line=line, name=name, spec={**spec, **thing, **_rest(values)})


def _part(variable: Variable) -> Part:
    """What a variable says in a spec. Raises UnreadableError."""
    # Quotes that were left open may hold lines that are nobody's business.
    if "\n" in variable.value:
        raise UnreadableError("goes over several lines: close the quotes on the first one")
    return checked(PARTS[_split(variable.name)[1]](variable.value))


def _rest(values: dict[str, Any]) -> dict[str, Any]:
    return {field: values[field] for field in ("timeout", "retry") if field in values}


def _on_zone(variable: Variable) -> Remark | None:
    """What is wrong with TZ; an empty one is none."""
    try:
        if variable.value:
            checked(("timeZone", variable.value.partition("\n")[0]))
    except UnreadableError as error:
        return _remark(variable, str(error), malformed=True)
    return None


def _on_switch(variable: Variable) -> Remark:
    value = variable.value.lower()
    if value not in TRUE | FALSE:
        return _remark(
            variable,
            "is neither on nor off, so all jobs would be imported with enabled: false: write true or false",
            malformed=True,
        )
    also = "" if value in TRUE else ", and as it is off here all jobs are imported with enabled: false"
    return _remark(
        variable,
        "switches all jobs and is not carried over: annotate the namespace with scheduledjob.dev/suspend to "
        f"hold them back{also}",
    )


def _on_other(variable: Variable) -> Remark:
    suffix = _split(variable.name)[1]
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
