"""Values in Python source, where they are literals or say a moment or a time zone; nothing is executed."""

import ast
from datetime import UTC, date, datetime
from typing import Any

from scheduledjob_operator.cli.importing.findings import UnreadableError
from scheduledjob_operator.cron.fields import ScheduleError
from scheduledjob_operator.cron.zones import load_zone
from scheduledjob_operator.models.types import format_time

_ZONES = {"ZoneInfo", "timezone", "gettz"}
_UTC = {"utc", "UTC", "pytz.utc", "pytz.UTC", "timezone.utc", "datetime.timezone.utc", "datetime.UTC"}


def dotted(node: ast.AST) -> str:
    """`scheduler.add_job` as it is written; empty for anything but names and dots."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        parts.append(node.id)
    elif parts:
        parts.append("?")
    return ".".join(reversed(parts))


def last_name(node: ast.AST) -> str:
    """The name behind the last dot."""
    return dotted(node).rpartition(".")[2]


def literal(node: ast.expr, *, of: str) -> Any:
    """Raises UnreadableError."""
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise UnreadableError(f"{of} is not a literal: write its value in place of the expression") from None


def zone_name(node: ast.expr) -> str:
    """The IANA name of a time zone that is a text, ZoneInfo("..."), pytz.timezone("...") or UTC."""
    if dotted(node) in _UTC:
        return "Etc/UTC"
    if isinstance(node, ast.Call) and last_name(node.func) in _ZONES and len(node.args) == 1:
        node = node.args[0]
    name = literal(node, of="timezone")
    if not isinstance(name, str):
        raise UnreadableError("timezone is no name: write for example Europe/Berlin", malformed=True)
    return "Etc/UTC" if name.upper() == "UTC" else name


def moment(node: ast.expr, *, of: str, time_zone: str) -> str:
    """A moment, as a manifest has it: from a text, or from datetime(...) or date(...) with literals."""
    value: Any
    if isinstance(node, ast.Call) and last_name(node.func) in {"datetime", "date"}:
        value = _constructed(node, of=of)
        zone = next((word.value for word in node.keywords if word.arg == "tzinfo"), None)
        time_zone = zone_name(zone) if zone is not None else time_zone
    else:
        value = literal(node, of=of)
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else value
        if not isinstance(at, datetime):
            raise UnreadableError(f"{of} is no time: write for example 2026-12-24 08:00:00", malformed=True)
        zoned = at.replace(tzinfo=load_zone(time_zone)) if at.tzinfo is None else at
        return format_time(zoned.astimezone(UTC))
    except ScheduleError as error:
        raise UnreadableError(str(error), malformed=True) from None
    except (ValueError, OverflowError):
        text = f"{of} is no time: write for example 2026-12-24 08:00:00"
        raise UnreadableError(text, malformed=True) from None


def depends_on_zone(node: ast.expr, *, of: str) -> bool:
    """Whether a moment is another one in another time zone."""
    return moment(node, of=of, time_zone="Etc/UTC") != moment(node, of=of, time_zone="Etc/GMT+5")


def number(value: Any, *, of: str) -> float:
    """A number from 0 up. Raises UnreadableError."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 10**9:
        raise UnreadableError(f"{of} is no number from 0 to 999999999: write for example 60", malformed=True)
    return value


def _constructed(node: ast.Call, *, of: str) -> datetime:
    numbers = [literal(argument, of=of) for argument in node.args]
    named = {
        word.arg: literal(word.value, of=of)
        for word in node.keywords
        if word.arg not in {None, "tzinfo", "fold"}
    }
    try:
        if last_name(node.func) == "date":
            day = date(*numbers, **named)
            return datetime(day.year, day.month, day.day)  # noqa: DTZ001  # its zone is the caller's
        return datetime(*numbers, **named)  # noqa: DTZ001
    except (TypeError, ValueError, OverflowError):
        raise UnreadableError(f"{of} is no time that exists: correct it", malformed=True) from None
