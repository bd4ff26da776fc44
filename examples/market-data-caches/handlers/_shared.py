"""What the handlers have in common: the network's API, page by page."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from job_runner import Context, DataError
from job_runner.connections.http_client import HttpClient, open_http
from job_runner.connections.variables import from_variable


@contextmanager
def open_network(context: Context, *, request_timeout: float) -> Iterator[HttpClient]:
    """The HTTP API whose address is in API_URL."""
    with open_http(
        context, base_url=from_variable("API_URL"), timeout=request_timeout, attempts=3
    ) as network:
        yield network


def pages(network: HttpClient, path: str, *, limit: int) -> Iterator[list[Any]]:
    """The items of each page. Raises DataError for a page that is none."""
    address: str | None = f"{path}?limit={limit}"
    while address:
        page = network.get_json(address)
        if not isinstance(page, dict) or not isinstance(page.get("items"), list):
            raise DataError(f"{path}: a page has no list of items")
        yield page["items"]
        address = page.get("next")
