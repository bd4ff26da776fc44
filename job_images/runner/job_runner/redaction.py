"""Keeps values of the environment and of the arguments out of what leaves the process.

Text is searched for the values themselves, so it does not matter how they got into it. Values shorter than
six characters are left alone: they would turn every message into a row of blanks. The user and the path of an
address are searched for as whole words: a database called `portfolio` does not blank a job's name.
"""

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import SplitResult, quote, quote_plus, unquote, urlsplit

MARK = "[redacted]"
SHORTEST = 6
_SHORTEST_TOKEN, _LONG = 8, 20

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
_COMMON_USERS = {"postgres", "default", "apikey"}
_NAME_OF_VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
_NAMES = {
    "variable": _NAME_OF_VARIABLE,
    "variables": _NAME_OF_VARIABLE,
    "handler": re.compile(r"[a-z][a-z0-9_.-]*"),
    "table": re.compile(r"[a-z_][a-z0-9_.]*"),
    "columns": re.compile(r"[a-z_][a-z0-9_]*"),
}
"""What a name looks like in an argument that is called so, such as `url_variable`."""
_CREDENTIAL = re.compile(
    r"""(?:password|passwd|pwd|secret|token|key|signature|sig)\s*=\s*(?:'([^']*)'|([^\s;&'"]+))""",
    re.IGNORECASE,
)
_PUBLIC_PREFIXES = ("PYTHON", "LC_", "KUBERNETES_SERVICE_", "KUBERNETES_PORT", "SCHEDULEDJOB_")


class Redactor:
    """Replaces every one of `secrets` in a text, in the spellings it can take in a message."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = list(secrets)
        self._spellings = {spelling for secret in known for spelling in _spellings(_parts(secret))}
        self._words = {spelling for secret in known for spelling in _spellings(_words(secret))}
        self._words -= self._spellings

    def __call__(self, text: str) -> str:
        # Looking for thousands of texts one by one takes a tenth of the time of a pattern of all of them.
        spellings = [one for one in self._spellings if one in text]
        words = [one for one in self._words if one in text]
        patterns = [
            _any_of(spellings),
            rf"(?<![\w.-])(?:{_any_of(words)})(?![\w-])" if words else "",
        ]
        pattern = "|".join(filter(None, patterns))
        return re.sub(pattern, MARK, text) if pattern else text


def environment_values(environment: Mapping[str, str]) -> Iterator[str]:
    """The values of a container's environment that may be secret: all but a few well-known variables."""
    for name, value in environment.items():
        if name not in _PUBLIC and not name.startswith(_PUBLIC_PREFIXES):
            yield value
            if value.lstrip().startswith("{"):  # credentials are often one JSON document
                yield from argument_values(value)


def argument_values(text: str) -> Iterator[str]:
    """The values inside a JSON document of arguments; the whole text when it is no JSON.

    Names of variables, handlers, tables and columns, as in `url_variable`, are not among them: whoever has
    to set one right must read which.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        yield text
        return
    pending = [document]
    while pending:
        match pending.pop():
            case dict() as members:
                pending.extend(_secret_members(members))
            case list() as items:
                pending.extend(items)
            case str() as value:
                yield value
            case bool() | None:
                continue
            case number:
                yield json.dumps(number)


def _spellings(parts: Iterable[str]) -> Iterator[str]:
    """Each part also as repr(), JSON, an address and Base64 would write it."""
    for part in parts:
        if len(part) < SHORTEST:
            continue
        yield part
        yield repr(part)[1:-1]
        yield json.dumps(part)[1:-1]
        yield json.dumps(part, ensure_ascii=False)[1:-1]
        content = part.encode(errors="surrogatepass")
        yield quote(content, safe="")
        yield quote(content)
        yield quote_plus(content)
        yield from _in_base64(content)


def _in_base64(content: bytes) -> Iterator[str]:
    """What Base64 makes of it within anything, such as `user:` in front: three texts, by where it begins."""
    for before, unsure in ((0, 0), (1, 2), (2, 3)):
        size = (before + len(content)) * 8 // 6  # characters that say nothing of what comes behind
        for encode in (b64encode, urlsafe_b64encode):
            yield encode(bytes(before) + content).decode()[unsure:size]


def _any_of(texts: Iterable[str]) -> str:
    """A pattern that finds the longest of them."""
    return "|".join(map(re.escape, sorted(texts, key=lambda text: (-len(text), text))))


def _secret_members(members: Mapping[str, object]) -> Iterator[object]:
    for name, value in members.items():
        kind = "columns" if name == "key" and isinstance(value, list) else name.rpartition("_")[2]
        known = _NAMES.get(kind)
        if known is None:
            yield value
            continue
        values = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
        yield from (one for one in values if not known.fullmatch(str(one)))


def _parts(secret: str) -> list[str]:
    """The value, its lines, and the passwords inside it, as written and decoded: drivers quote them alone."""
    found = [quoted or bare for quoted, bare in _CREDENTIAL.findall(secret)]
    if (address := _address(secret)) and address.password:
        found.append(address.password)
    return [secret, secret.strip(), *secret.splitlines(), *found, *map(unquote, found)]


def _words(secret: str) -> list[str]:
    """The user of an address, and what looks like a token in its path, as written and decoded."""
    address = _address(secret)
    if address is None:
        return []
    found = [part for part in address.path.split("/") if _is_token(part)]
    if address.username and address.username not in _COMMON_USERS:
        found.append(address.username)
    return [*found, *map(unquote, found)]


def _address(secret: str) -> SplitResult | None:
    if "://" not in secret:
        return None
    try:
        return urlsplit(secret.strip())
    except ValueError:
        return None


def _is_token(part: str) -> bool:
    """Whether a part of a path can be what lets somebody in: `v1` and `orders` are not, an id may be."""
    return len(part) >= _SHORTEST_TOKEN and (any(map(str.isdigit, part)) or len(part) >= _LONG)
