"""A crontab becomes drafts: the format of crontab(1), and with a column for the user that of /etc/crontab."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from scheduledjob_operator.cli.importing.crontab_command import (
    has_input,
    name_of,
    shell_text,
    takes_here_document,
)
from scheduledjob_operator.cli.importing.crontab_comments import job_in, looks_like_command
from scheduledjob_operator.cli.importing.crontab_times import doubts, five_fields, macro_schedule
from scheduledjob_operator.cli.importing.findings import (
    Draft,
    Finding,
    Remark,
    UnreadableError,
    literal_dollars,
)
from scheduledjob_operator.cli.importing.manifests import Options
from scheduledjob_operator.models import ScheduledJobSpec
from scheduledjob_operator.schedule import ScheduleError
from scheduledjob_operator.wanted import schedule_of

_VARIABLE = re.compile(r"""("[^"]*"|'[^']*'|[A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)""")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\$?(:[A-Za-z0-9_.-]+)?")
_SECRET = re.compile(r"PASSW|SECRET|TOKEN|CREDENTIAL|API_?KEY|PRIVATE", re.IGNORECASE)
_LINE_ENDS = re.compile(r"\r\n|\r|\n")
_USERS = re.compile(
    "root|daemon|bin|sys|man|lp|mail|news|uucp|proxy|www-data|backup|list|irc|gnats|nobody|postgres|mysql|"
    "redis|nginx|apache|http|git|jenkins|deploy|ubuntu|debian|ec2-user|admin|munin|nagios"
)
"""Users of a system, whose names are no programs where an absolute path stands behind them."""

_MAIL = (
    "nobody gets the output by mail, which is in the log and the status of each run, and alerts come from "
    "the metrics"
)
_NO_ZONE = (
    "no CRON_TZ names the time zone of this schedule: it and others like it are read in UTC, unless "
    "--time-zone names another"
)
_REPORTED = {
    "MAILTO": _MAIL,
    "MAILFROM": _MAIL,
    "CONTENT_TYPE": _MAIL,
    "CONTENT_TRANSFER_ENCODING": _MAIL,
    "RANDOM_DELAY": "a schedule knows no delay at random: write H for the minute to spread the load",
    "START_HOURS_RANGE": "it is for anacron: write the hours into the schedule",
    "LOGNAME": "it says who the user is: set runAsUser in podTemplate",
    "USER": "it says who the user is: set runAsUser in podTemplate",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Setting:
    """What the lines so far say about the jobs below."""

    shell: str = "/bin/sh"
    time_zone: str | None = None
    variables: dict[str, str] = field(default_factory=dict)


def read_crontab(text: str, *, options: Options, system: bool = False) -> Iterator[Finding]:
    """The jobs of a crontab; `system`: the user's name stands before the command."""
    zoneless = False
    for finding in _findings(text, options=options, system=system):
        yield finding
        if isinstance(finding, Draft) and not zoneless and "timeZone" not in finding.spec:
            zoneless = True
            yield Remark(line=finding.line, text=_NO_ZONE)


def _findings(text: str, *, options: Options, system: bool) -> Iterator[Finding]:
    setting = _Setting(time_zone=options.time_zone)
    for number, raw in enumerate(_LINE_ENDS.split(text), start=1):
        line = raw.strip()
        try:
            if line.startswith("#"):
                yield from _commented(line, number, setting=setting, options=options, system=system)
            elif match := _VARIABLE.fullmatch(line):
                name = match[1].strip("\"'")
                value = _unquoted(match[2], name=name)
                setting = _set(setting, name, value)
                yield from _remarks_on(name, value, line=number)
            elif line:
                yield from _job(line, number, setting=setting, options=options, system=system)
        except UnreadableError as error:
            yield error.at(number)


def _unquoted(value: str, *, name: str) -> str:
    """Raises UnreadableError for a quote that is not closed, or not at the end."""
    quote = value[:1]
    if quote not in ("'", '"'):
        return value.rstrip()
    inside, end, behind = value[1:].partition(quote)
    if not end:
        raise UnreadableError(
            f"the quotes around the value of {name} are not closed: write {name}={quote}value{quote}",
            malformed=True,
        )
    if behind:
        raise UnreadableError(
            f"there is something behind the closing quote of {name}: cron takes the line for no variable",
            malformed=True,
        )
    return inside


def _set(setting: _Setting, name: str, value: str) -> _Setting:
    if name == "SHELL":
        if not value:
            raise UnreadableError("SHELL is empty: write for example SHELL=/bin/sh", malformed=True)
        return replace(setting, shell=value)
    if name == "CRON_TZ":
        return replace(setting, time_zone=value)
    if name in _REPORTED:
        return setting
    return replace(setting, variables={**setting.variables, name: value})


def _remarks_on(name: str, value: str, *, line: int) -> Iterator[Remark]:
    if name in _REPORTED and value:
        yield Remark(line=line, text=f"{name} is not carried over, as {_REPORTED[name]}")
    if name == "SHELL" and value != "/bin/sh":
        yield Remark(
            line=line, text=f"SHELL is {value}, which the image has to hold: choose one with --image"
        )
    if name == "HOME":
        yield Remark(
            line=line,
            text="HOME is a variable only, and no run starts in it: begin the commands with cd, or set "
            "workingDir in podTemplate",
        )
    if _SECRET.search(name) and value:
        yield Remark(
            line=line,
            text=f"the value of {name} looks like a secret and stands in the manifests now: put it into a "
            "Secret and write valueFrom.secretKeyRef",
        )


def _commented(
    line: str, number: int, *, setting: _Setting, options: Options, system: bool
) -> Iterator[Finding]:
    """A job that somebody has switched off; any other comment is nothing, and none is an error."""
    job = job_in(line)
    if job is None:
        return
    try:
        findings = list(_job(job, number, setting=setting, options=options, system=system, commented=True))
    except UnreadableError:
        return
    if not all(_is_right(finding.spec) for finding in findings if isinstance(finding, Draft)):
        return
    for finding in findings:
        if isinstance(finding, Draft):
            yield replace(finding, spec={"enabled": False, **finding.spec})
            text = "the job is commented out, and is imported with enabled: false"
            yield Remark(line=number, text=text)
        else:
            yield finding


def _is_right(spec: dict[str, Any]) -> bool:
    """Whether the operator would take it."""
    try:
        schedule_of(ScheduledJobSpec.model_validate(spec), spread="")
    except (ValidationError, ScheduleError):
        return False
    return True


def _job(
    line: str, number: int, *, setting: _Setting, options: Options, system: bool, commented: bool = False
) -> Iterator[Finding]:
    """Raises UnreadableError."""
    line = line.removeprefix("-")  # cron's sign for "do not log"
    times = 1 if line.startswith("@") else 5
    columns = line.split(None, times + system)
    if len(columns) <= times + system:
        raise UnreadableError(_too_short(system=system), malformed=True)
    schedule = macro_schedule(columns[0]) if times == 1 else five_fields(columns[:5])
    _check_user(columns[times], system=system, command=columns[-1])
    if commented and not looks_like_command(columns[-1]):
        return
    command = shell_text(columns[-1])
    draft = Draft(
        line=number,
        name=name_of(command),
        spec=_spec(command, schedule=schedule, setting=setting, options=options),
    )
    yield draft
    remarks = list(doubts(columns[:5])) if times == 5 else []
    if system:
        remarks.append(
            f"the user {columns[times]} is not carried over: runs have the user of podTemplate's runAsUser, "
            "or else 65532"
        )
    if has_input(columns[-1]) and not takes_here_document(setting.shell):
        remarks.append(
            f"{draft.name}: what follows % is a here-document, and {setting.shell} knows none like it: write "
            "the command for /bin/sh"
        )
    yield from (Remark(line=number, text=text) for text in remarks)


def _check_user(word: str, *, system: bool, command: str) -> None:
    """Raises UnreadableError where the column for the user is missing, or is one too many."""
    if system and not _USER.fullmatch(word):
        raise UnreadableError(
            "there is no user before the command: write one, or leave out --system for a user's own crontab",
            malformed=True,
        )
    first, _, rest = command.partition(" ")
    if system or not _USERS.fullmatch(first) or not rest.strip():
        return
    # Some of them are programs, too, which get no absolute path for their first argument.
    if first == "root" or (rest.lstrip().startswith("/") and first not in {"mail", "git", "man"}):
        raise UnreadableError(
            f"the command begins with {first}, as a line of /etc/crontab does: give --system, or take it "
            "away",
            malformed=True,
        )


def _too_short(*, system: bool) -> str:
    columns = "the user and the command" if system else "the command"
    return f"the line is too short: write five fields or a macro such as @daily, then {columns}"


def _spec(command: str, *, schedule: str, setting: _Setting, options: Options) -> dict[str, Any]:
    names = frozenset(setting.variables)
    spec: dict[str, Any] = {"schedule": schedule}
    if setting.time_zone:
        spec["timeZone"] = setting.time_zone
    spec["command"] = [setting.shell, "-c", literal_dollars(command, variables=names)]
    if options.image:
        spec["image"] = options.image
    if setting.variables:
        spec["env"] = [
            {"name": name, "value": literal_dollars(value, variables=names)}
            for name, value in setting.variables.items()
        ]
    # cron starts a command whether or not the one before it has ended.
    return {**spec, "concurrencyPolicy": "Allow"}
