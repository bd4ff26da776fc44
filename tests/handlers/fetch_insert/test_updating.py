"""What has changed is written over what is known."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.handlers.fetch_insert.tokens import rows, run
from tests.servers.sample_api import SampleApi


@pytest.mark.parametrize(("path", "exit_code"), [("quote.eur", 65), ("quote.eur?", 0)])
def test_a_field_that_the_api_no_longer_sends_does_not_empty_its_column(
    database: str, api: SampleApi, path: str, exit_code: int
) -> None:
    run(api)
    ended = run(api, update=True, columns={"address": "address", "decimals": "decimals", "price": path})
    assert ended.exit_code == exit_code
    kept = 0 if exit_code == 0 else 1000
    assert rows(database, "SELECT count(price) FROM market.tokens") == [(kept,)]
    if ended.error is not None:
        assert ended.error.message == (
            "record 1 on page 1, for column 'price': its field is missing in all 200 records of the batch: "
            "write ? behind its path if it may be"
        )


def test_an_update_writes_what_has_changed_and_the_last_twin_counts(
    database: str, sample_api: SampleApi
) -> None:
    def serve(*decimals: int) -> None:
        sample_api.serve(tokens=[{"address": f"0x{n % 3}", "decimals": d} for n, d in enumerate(decimals)])

    serve(1, 2, 3)
    assert run(sample_api, update=True).value == {
        "fetched": 3,
        "inserted": 3,
        "updated": 0,
        "known": 0,
        "batches": 1,
        "pages": 1,
    }
    serve(1, 2, 7, 1, 2, 8)
    before = rows(database, "SELECT address, xmin::text FROM market.tokens WHERE address <> '0x2' ORDER BY 1")
    assert run(sample_api, update=True).value == {
        "fetched": 6,
        "inserted": 0,
        "updated": 1,
        "known": 5,
        "batches": 1,
        "pages": 1,
    }
    assert rows(database, "SELECT decimals FROM market.tokens WHERE address = '0x2'") == [(8,)]
    after = rows(database, "SELECT address, xmin::text FROM market.tokens WHERE address <> '0x2' ORDER BY 1")
    assert before == after


@pytest.mark.parametrize("table", ["parted", "keys", "written", "known"])
def test_an_update_of_a_table_with_partitions_counts_what_is_new(
    database: str, sample_api: SampleApi, table: str
) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(
            f"CREATE TABLE {table} (id int, kind int, text text, PRIMARY KEY (id, kind))"
            " PARTITION BY LIST (kind);"
            f"CREATE TABLE odd PARTITION OF {table} FOR VALUES IN (1); "
            f"CREATE TABLE even PARTITION OF {table} FOR VALUES IN (0)"
        )

    def records(*texts: str) -> list[dict[str, Any]]:
        return [{"id": number, "kind": number % 2, "text": text} for number, text in enumerate(texts)]

    for served, figures in (
        (records("a", "b", "c"), (3, 0, 0)),
        (records("a", "B", "c", "d"), (1, 1, 2)),
        ([*records("a", "B", "C"), *records("a", "b", "C", "d", "e")], (1, 2, 5)),
    ):
        sample_api.serve(tokens=served)
        ended = run(sample_api, table=table, key=["id", "kind"], update=True)
        assert isinstance(ended.value, dict), ended.error
        assert tuple(ended.value[name] for name in ("inserted", "updated", "known")) == figures
    assert rows(database, f"SELECT string_agg(text, '' ORDER BY id) FROM {table}") == [("abCde",)]
