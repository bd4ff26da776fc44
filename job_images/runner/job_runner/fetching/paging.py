"""How one page of an API leads to the next."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import (
    SplitResult,
    parse_qsl,
    unquote_plus,
    urlencode,
    urljoin,
    urlsplit,
    urlunsplit,
)

from job_runner.errors import DataError
from job_runner.fetching.fields import Path, field, path_of
from job_runner.fetching.flaws import NotAsPromised

_PORTS = {"http": 80, "https": 443}


class Paging(ABC):
    """The addresses of pages."""

    def first(self, url: str) -> str:
        return url

    @abstractmethod
    def following(self, url: str, page: Any, count: int) -> str | None:
        """The address after `url`, which answered `page` with `count` records; None at the end."""


class OnePage(Paging):
    """There is only one."""

    def following(self, url: str, page: Any, count: int) -> str | None:
        del url, page, count
        return None


@dataclass(frozen=True)
class ByLink(Paging):
    """A field of each page holds the address of the next, whole or relative; none at the end."""

    link: Path

    def following(self, url: str, page: Any, count: int) -> str | None:
        del count
        link = field(page, self.link)
        if link in (None, "", False):
            return None
        if not isinstance(link, str):
            raise NotAsPromised("its link to the next page is no text")
        try:
            address, here = urlsplit(urljoin(url, link)), urlsplit(url)
            stays = _server(address) == _server(here)
        except ValueError:
            raise NotAsPromised("its link to the next page is no address") from None
        if not stays:  # our headers, tokens among them, would go there
            raise NotAsPromised("its link to the next page leads to another server")
        return urlunsplit(address._replace(netloc=here.netloc))  # with its user and password


@dataclass(frozen=True)
class ByCursor(Paging):
    """A field of each page holds what a query parameter of the next request is to be; none at the end."""

    cursor: Path
    parameter: str

    def following(self, url: str, page: Any, count: int) -> str | None:
        del count
        cursor = field(page, self.cursor)
        if cursor in (None, "", False):
            return None
        if not isinstance(cursor, str | int) or cursor is True:
            raise NotAsPromised("its cursor is neither a text nor a whole number")
        return with_parameter(url, self.parameter, cursor)


@dataclass(frozen=True)
class ByNumber(Paging):
    """A query parameter counts pages; an empty page is the end."""

    parameter: str
    start: int = 1

    def first(self, url: str) -> str:
        return with_parameter(url, self.parameter, self.start)

    def following(self, url: str, page: Any, count: int) -> str | None:
        del page
        return with_parameter(url, self.parameter, number_in(url, self.parameter) + 1) if count else None


@dataclass(frozen=True)
class ByOffset(Paging):
    """A query parameter counts the records so far; an empty page is the end."""

    parameter: str

    def first(self, url: str) -> str:
        return with_parameter(url, self.parameter, 0)

    def following(self, url: str, page: Any, count: int) -> str | None:
        del page
        return with_parameter(url, self.parameter, number_in(url, self.parameter) + count) if count else None


def paging_from(wanted: Mapping[str, Any] | None) -> Paging:
    """The argument `paging` of a handler. Raises DataError that says what to write."""
    size = len(wanted or {})
    match wanted:
        case None:
            return OnePage()
        case {"link": str(link)} if size == 1:
            return ByLink(path_of(link))
        case {"cursor": str(cursor), "parameter": str(name)} if name and size == 2:
            return ByCursor(path_of(cursor), name)
        case {"page": str(name)} if name and size == 1:
            return ByNumber(name)
        case {"page": str(name), "first": int(start)} if name and size == 2 and not isinstance(start, bool):
            return ByNumber(name, start)
        case {"offset": str(name)} if name and size == 1:
            return ByOffset(name)
    raise DataError(
        "paging is none that is known: give {link: FIELD}, {cursor: FIELD, parameter: NAME},"
        " {page: NAME, first: 1} or {offset: NAME}"
    )


def with_parameter(url: str, name: str, value: str | int) -> str:
    """The address with a query parameter set, in place of one of that name. The others stay as they are."""
    parts = urlsplit(url)
    others = [one for one in parts.query.split("&") if one and unquote_plus(one.partition("=")[0]) != name]
    return urlunsplit(parts._replace(query="&".join([*others, urlencode([(name, value)])])))


def _server(address: SplitResult) -> tuple[str, str | None, int | None]:
    return address.scheme, address.hostname, address.port or _PORTS.get(address.scheme)


def number_in(url: str, name: str) -> int:
    """A query parameter that `with_parameter` has set to a number."""
    return int(dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))[name])
