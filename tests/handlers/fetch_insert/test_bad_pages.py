"""Pages and lines that are not what they should be."""

from __future__ import annotations

import pytest

from tests.handlers.fetch_insert.tokens import count, run
from tests.servers.sample_api import SampleApi

PAGES: dict[str, tuple[str, str]] = {
    "no JSON": ("<html>canary</html>", "page 3: it is not JSON"),
    "no list": ('{"items": {"canary": 1}}', "page 3: its field 'items' is no list of records"),
    "another shape": ('["canary"]', "page 3: its field 'items' is no list of records"),
    "another server": (
        '{"items": [], "next": "http://canary.invalid/"}',
        "page 3: its link to the next page leads to another server",
    ),
    "a circle": (
        '{"items": [], "next": "/v1/tokens?limit=150"}',
        "page 3: the page after it was there before: the pages go in a circle",
    ),
}


@pytest.mark.parametrize("paging", [{"page": "page"}, {"offset": "offset"}])
def test_an_api_that_does_not_turn_pages_is_not_asked_for_ever(
    database: str, api: SampleApi, paging: dict[str, str]
) -> None:
    api.fail(body='{"items": [{"address": "0x1", "decimals": 1}]}')
    ended = run(api, paging=paging)
    assert ended.error is not None
    assert (ended.exit_code, ended.error.message) == (
        65,
        "page 2: it is the page before once more: the API takes no notice of which one is asked for",
    )
    assert len(api.requests()) == 2


@pytest.mark.parametrize(("body", "message"), PAGES.values(), ids=PAGES)
def test_a_bad_page_is_named(database: str, api: SampleApi, body: str, message: str) -> None:
    api.fail(body=body, after=2)
    ended = run(api)
    assert ended.error is not None
    assert (ended.exit_code, ended.error.message) == (65, message)
    assert count(database) == 200


def test_a_bad_line_is_named(database: str, api: SampleApi) -> None:
    api.fail(body='{"address": "0x1", "decimals": 1}\n{"address": canary}\n')
    ended = run(api, url=f"{api.url}/v1/tokens.ndjson", format="ndjson", paging=None, records="")
    assert ended.error is not None
    assert (ended.exit_code, ended.error.message) == (65, "record 2 on page 1: it is not JSON")
    assert count(database) == 0
