"""The pages of an API, read one after the other and never more than one at a time."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from job_runner.errors import DataError
from job_runner.fetching.batches import Page
from job_runner.fetching.fields import Path, field
from job_runner.fetching.flaws import NotAsPromised
from job_runner.fetching.paging import Paging
from job_runner.fetching.parsing import parsed

if TYPE_CHECKING:
    from job_runner.connections.http_client import HttpClient

LINES, BYTES = 1000, 2**20
"""Lines of NDJSON that are handed on together, and their bytes."""
LONGEST_LINE = 16 * 2**20
_SAME = "it is the page before once more: the API takes no notice of which one is asked for"
_CIRCLE = "the page after it was there before: the pages go in a circle"


def json_pages(
    client: "HttpClient", url: str, *, paging: Paging, records: Path, turn: AbstractContextManager[object]
) -> Iterator[Page]:
    """Pages of JSON. records: where the list is in one; () when the page is the list. turn: see `ahead`."""
    address: str | None = paging.first(url)
    seen: set[int] = set()
    number = before = 0
    while address is not None:
        number += 1
        seen.add(hash(address))
        content = client.request("GET", address).content
        size, same, before = len(content), hash(content) == before, hash(content)
        found: list[Any] = []
        try:
            with turn:
                page = parsed(_text(content))
            listed = _list(page, records)
            if listed and same:
                raise NotAsPromised(_SAME)  # noqa: TRY301
            found = listed
            address = paging.following(address, page, len(found))
            if address is not None and hash(address) in seen:
                raise NotAsPromised(_CIRCLE)  # noqa: TRY301
        except NotAsPromised as error:
            yield Page(number, found, error, size=size)
            return
        del content  # before the next one comes
        yield Page(number, found, size=size)


def lines(client: "HttpClient", url: str) -> Iterator[Page]:
    """NDJSON, one record a line, as it comes; all of it counts as page 1."""
    with client.stream("GET", url) as response:
        yield from pages_of_lines(response.iter_bytes())


def pages_of_lines(pieces: Iterable[bytes]) -> Iterator[Page]:
    """The same of the bytes of an answer, cut anywhere."""
    waiting: list[Any] = []
    size = 0
    for line in _lines(pieces):
        if not line or line.isspace():
            continue
        try:
            waiting.append(parsed(_text(line)))
        except NotAsPromised as error:
            yield Page(1, waiting, error, next_is_bad=True, size=size)
            return
        size += len(line)
        if len(waiting) == LINES or size >= BYTES:
            yield Page(1, waiting, size=size)
            waiting, size = [], 0
    yield Page(1, waiting, size=size)


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The last line may come without its end."""
    begun = bytearray()
    for piece in pieces:
        rest, *following = piece.split(b"\n")
        begun += rest
        if following:
            yield bytes(begun)
            yield from following[:-1]
            begun = bytearray(following[-1])
        if len(begun) > LONGEST_LINE:
            raise DataError(f"a line of the answer is longer than {LONGEST_LINE} bytes")
    yield bytes(begun)


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotAsPromised("it is not UTF-8 text") from None


def _list(page: Any, records: Path) -> list[Any]:
    found = field(page, records)
    if not isinstance(found, list):
        raise NotAsPromised(
            f"its field {'.'.join(records)!r} is no list of records"
            if records
            else "it is no list of records"
        )
    return found
