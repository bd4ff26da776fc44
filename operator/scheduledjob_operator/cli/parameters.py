"""What options say, read. What cannot be read is never repeated, as click would: it may be secret."""

import json
from datetime import datetime, timedelta
from typing import Any

import click

from scheduledjob_operator.models.types import parse_duration, parse_time


def json_object(text: str) -> dict[str, Any]:
    """A JSON object; `@FILE` is one in a file, `@-` on standard input. Raises BadParameter."""
    try:
        given = json.loads(_content(text[1:]) if text.startswith("@") else text)
        json.dumps(given, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise click.BadParameter("""this is not JSON: write an object such as '{"batch": 100}'""") from None
    if not isinstance(given, dict):
        raise click.BadParameter("""this is no JSON object: write for example '{"batch": 100}'""")
    return given


def _content(path: str) -> str:
    try:
        with click.open_file(path, encoding="utf-8") as file:
            return str(file.read())
    except OSError as error:
        raise click.BadParameter(f"the file behind @ cannot be read: {error.strerror}") from None


def variable(text: str) -> tuple[str, str]:
    """NAME=VALUE as a pair. Raises BadParameter."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise click.BadParameter("write NAME=VALUE, such as MODE=full")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise click.BadParameter("this is no text in UTF-8") from None
    return name, value


def moment(text: str) -> datetime:
    """A time with its zone, in whole seconds of UTC. Raises BadParameter."""
    try:
        return parse_time(text).replace(microsecond=0)
    except ValueError:
        raise click.BadParameter("write a time with its zone, such as 2026-12-24T08:00:00Z") from None


def duration(text: str) -> timedelta:
    """A length of time. Raises BadParameter."""
    try:
        return parse_duration(text)
    except ValueError:
        raise click.BadParameter("write a duration such as 90s, 5m or 1h30m") from None


def _refuse_more(_context: click.Context, _parameter: click.Parameter, more: tuple[str, ...]) -> None:
    if more:
        raise click.UsageError("There is one NAME: put the value of an option into quotes, '…'.")


nothing_more = click.argument(
    "more", nargs=-1, metavar="", expose_value=False, type=click.UNPROCESSED, callback=_refuse_more
)
"""For verbs whose options may hold secrets: click would repeat where an unquoted value goes on."""
