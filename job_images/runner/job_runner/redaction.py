"""Keeps values of the environment and of the arguments out of what leaves the process.

Text is searched for the values themselves, so it does not matter how they got into it. Values shorter than
six characters are left alone: they would turn every message into a row of blanks.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import unquote, urlsplit

MARK = "[redacted]"
SHORTEST = 6

_PUBLIC = {
    *(
        "HOME",
        "HOSTNAME",
        "LOGNAME",
        "OLDPWD",
        "PATH",
        "PWD",
        "SHELL",
        "SHLVL",
        "TERM",
        "TMPDIR",
        "USER",
        "_",
    ),
    *("LANG", "LANGUAGE", "TZ", "VIRTUAL_ENV", "GPG_KEY"),
}
_PUBLIC_PREFIXES = ("PYTHON", "LC_", "KUBERNETES_SERVICE_", "KUBERNETES_PORT", "SCHEDULEDJOB_")


class Redactor:
    """Replaces every one of `secrets` in a text, in the spellings it can take in a message."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        spellings = {spelling for secret in secrets for spelling in _spellings(secret)}
        longest_first = sorted(spellings, key=lambda text: (-len(text), text))
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def __call__(self, text: str) -> str:
        return self._pattern.sub(MARK, text) if self._pattern else text


def environment_values(environment: Mapping[str, str]) -> Iterator[str]:
    """The values of a container's environment that may be secret: all but a few well-known variables."""
    for name, value in environment.items():
        if name not in _PUBLIC and not name.startswith(_PUBLIC_PREFIXES):
            yield value
            if value.lstrip().startswith("{"):  # credentials are often one JSON document
                yield from argument_values(value)


def argument_values(text: str) -> Iterator[str]:
    """The values inside a JSON document of arguments; the whole text when it is no JSON."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        yield text
        return
    pending = [document]
    while pending:
        match pending.pop():
            case dict() as members:
                pending.extend(members.values())
            case list() as items:
                pending.extend(items)
            case str() as value:
                yield value
            case bool() | None:
                continue
            case number:
                yield json.dumps(number)


def _spellings(secret: str) -> Iterator[str]:
    """The value, its lines, a password inside it, each also as repr() and JSON would write them."""
    parts = [secret, secret.strip(), *secret.splitlines(), *_passwords(secret)]
    for part in parts:
        for spelling in (
            part,
            repr(part)[1:-1],
            json.dumps(part)[1:-1],
            json.dumps(part, ensure_ascii=False)[1:-1],
        ):
            if len(spelling) >= SHORTEST:
                yield spelling


def _passwords(secret: str) -> list[str]:
    """The password of a connection URL, as written and decoded: drivers quote it alone."""
    if "://" not in secret:
        return []
    try:
        password = urlsplit(secret).password
    except ValueError:
        return []
    return [password, unquote(password)] if password else []
