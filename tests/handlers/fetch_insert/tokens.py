"""A thousand tokens of the sample API, the table that they go to, and runs that bring them there."""

from __future__ import annotations

from typing import Any

import psycopg

from job_runner.handlers.fetch_insert import fetch_insert
from job_runner.testing import Outcome, run_handler
from tests.servers.sample_api import SampleApi

SCHEMA = """
    CREATE SCHEMA market;
    CREATE TABLE market.tokens (
        address text PRIMARY KEY,
        decimals int NOT NULL CHECK (decimals >= 0),
        price numeric,
        tags text[],
        quote jsonb,
        seen timestamptz NOT NULL DEFAULT now(),
        number int GENERATED ALWAYS AS IDENTITY
    );
"""
ITEM = {
    "id": "token-{n}",
    "address": "0x{n}",
    "decimals": 9,
    "price": 0.5,
    "tags": ["a b", 'c"d', None],
    "quote": {"usd": 1.50, "at": [1, None, "{n}"]},
}


def arguments(api: SampleApi, **others: Any) -> dict[str, Any]:
    """Pages of 150 records, which neither the batches nor the whole are a multiple of."""
    return {
        "url": f"{api.url}/v1/tokens?limit=150",
        "records": "items",
        "paging": {"link": "next"},
        "table": "market.tokens",
        "key": ["address"],
        "batch": 200,
        **others,
    }


def run(api: SampleApi, **others: Any) -> Outcome:
    return run_handler(fetch_insert, args=arguments(api, **others), timeout=60)


def rows(url: str, sql: str = "SELECT count(*) FROM market.tokens") -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(sql).fetchall()


def count(url: str) -> int:
    return int(rows(url)[0][0])
