"""What the handlers have in common: the network's API, page by page."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from job_runner import Context, DataError
from job_runner.connections.http_client import HttpClient, open_http
from job_runner.connections.variables import from_variable

MOST_PAGES = 1000
"""More than there are is a server that does not come to an end."""
LARGEST_PAGE = 1000
LONGEST_REQUEST = 120.0


def check_range(value: float, name: str, *, least: float, most: float) -> None:
    """Raises DataError for an argument beyond its bounds."""
    if not least <= value <= most:
        raise DataError(f"{name} is {least:g} to {most:g}")


@contextmanager
def open_network(context: Context, *, request_timeout: float) -> Iterator[HttpClient]:
    """The HTTP API whose address is in API_URL. request_timeout: seconds for an answer."""
    check_range(request_timeout, "request_timeout", least=0.01, most=LONGEST_REQUEST)
    with open_http(
        context, base_url=from_variable("API_URL"), timeout=request_timeout, attempts=3
    ) as network:
        yield network


def pages(network: HttpClient, path: str, *, limit: int) -> Iterator[list[Any]]:
    """The items of each page. Raises DataError for a page that is none, and for pages without an end."""
    check_range(limit, "page_size", least=1, most=LARGEST_PAGE)
    address: str | None = f"{path}?limit={limit}"
    seen: set[str] = set()
    while address is not None:
        seen.add(address)
        page = network.get_json(address)
        if not isinstance(page, dict) or not isinstance(page.get("items"), list):
            raise DataError(f"{path}: a page has no list of items")
        yield page["items"]
        address = _following(page.get("next"), path=path, seen=seen)


def _following(address: object, *, path: str, seen: set[str]) -> str | None:
    """The address of the next page, which is on the same server and one that was not there before."""
    if address is None:
        return None
    if not isinstance(address, str) or not address.startswith(f"{path}?"):
        raise DataError(f"{path}: next of a page is no address of the next one")
    if address in seen or len(seen) == MOST_PAGES:
        raise DataError(f"{path}: page {len(seen)} leads on to one more, or to one before, without an end")
    return address
