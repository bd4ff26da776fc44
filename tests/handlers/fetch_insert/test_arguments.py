"""Arguments that make no sense, and those that are secret."""

from __future__ import annotations

import json
from typing import Any

import pytest

from job_runner.errors import ExitCode
from job_runner.handlers.fetch_insert import fetch_insert
from job_runner.testing import run_handler
from tests.handlers.fetch_insert.tokens import count, run
from tests.handlers.web_server import Answer, web_server
from tests.servers.sample_api import SampleApi


def test_a_user_in_the_address_is_one_for_all_pages(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with web_server() as web:
        monkeypatch.setenv("API_URL", web.url.replace("//", "//user:canary-password@") + "/x")
        link = {"next": f"{web.url}/y"}
        pages = [{"items": [{"address": "0x1", "decimals": 1}], **link}, {"items": []}]
        web.answers = [Answer(body=json.dumps(page).encode()) for page in pages]
        ended = run_handler(
            fetch_insert,
            args={
                "url_variable": "API_URL",
                "records": "items",
                "paging": {"link": "next"},
                "table": "market.tokens",
                "key": ["address"],
            },
        )
        assert ended.error is None
        assert [request.path for request in web.requests] == ["/x", "/y"]
        assert len({request.headers["Authorization"] for request in web.requests}) == 1


def test_a_run_sends_its_token_and_never_shows_it(
    database: str, api: SampleApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKENS_URL", f"{api.url}/v1/tokens?key=canary-key")
    monkeypatch.setenv("API_TOKEN", "Bearer canary-token")
    api.fail(status=401)
    ended = run(api, url=None, url_variable="TOKENS_URL", header_variables={"Authorization": "API_TOKEN"})
    assert ended.exit_code == ExitCode.CONFIGURATION
    assert "canary" not in str(ended)


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "no address": ({"url": None}, 65, "give url or url_variable"),
    "no batch": ({"batch": 0}, 65, "batch is below 1"),
    "another format": ({"format": "csv"}, 65, "format is none that is known: give json or ndjson"),
    "pages of lines": (
        {"format": "ndjson"},
        65,
        "paging and records are about pages: leave them out where each line is a record",
    ),
    "no table": ({"table": "market."}, 65, "table is no name of a table: write TABLE or SCHEMA.TABLE"),
    "another table": ({"table": "x.y"}, 78, "there is no table x.y"),
    "an injection": ({"table": 'tokens"; --'}, 78, "there is no table [redacted]"),
    "no key": ({"key": []}, 65, "key is empty: name the columns that tell records apart"),
    "another column": ({"key": ["no"]}, 78, "table market.tokens has no column 'no'"),
    "a column that is not ours": (
        {"columns": {"address": "address", "number": "decimals"}},
        78,
        "column 'number' of table market.tokens is always filled by the database",
    ),
    "a key that is left out": (
        {"columns": {"price": "price"}},
        65,
        "columns has no field for 'address', which is in the key",
    ),
    "a key that is not unique": (
        {"key": ["price"]},
        78,
        "the table has no primary key or unique constraint over exactly the columns of `key`",
    ),
}


@pytest.mark.parametrize(("others", "exit_code", "message"), REFUSED.values(), ids=REFUSED)
def test_arguments_that_make_no_sense(
    database: str, api: SampleApi, others: dict[str, Any], exit_code: int, message: str
) -> None:
    ended = run(api, **others)
    assert ended.error is not None
    assert (ended.exit_code, ended.error.message) == (exit_code, message)
    assert count(database) == 0
