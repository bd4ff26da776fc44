"""The text for COPY is read by PostgreSQL as it was meant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from job_runner.fetching.copy_text import Column, Kind, copy_text
from job_runner.fetching.flaws import NotAsPromised
from tests.handlers.fetch_insert.any_json import COLUMNS, JSON
from tests.servers.postgresql import PostgresqlServer

SENDABLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
SCALARS = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | SENDABLE
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SENDABLE, inner, max_size=3)
)


@pytest.fixture(scope="module")
def connection(postgresql_server: PostgresqlServer) -> Iterator[psycopg.Connection]:
    with postgresql_server.database() as url, psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE copied (plain text, tree jsonb, several text[])")
        yield connection


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.tuples(SENDABLE | st.none(), TREES, st.lists(SENDABLE | st.none()) | st.none()), min_size=1)
)
def test_postgresql_reads_what_was_meant(
    connection: psycopg.Connection, rows: list[tuple[Any, Any, Any]]
) -> None:
    columns = [
        *(Column("plain", ("plain",)), Column("tree", ("tree",), Kind.JSON)),
        Column("several", ("several",), Kind.ARRAY),
    ]
    records = [dict(zip(("plain", "tree", "several"), row, strict=True)) for row in rows]
    with connection.transaction(force_rollback=True), connection.cursor() as cursor:
        with cursor.copy("COPY copied FROM STDIN") as copy:
            copy.write(copy_text(records, columns))
        assert cursor.execute("SELECT * FROM copied ORDER BY ctid").fetchall() == rows


@given(st.lists(st.dictionaries(st.sampled_from("ab"), JSON), max_size=5))
def test_any_records_become_a_line_each_or_a_flaw(records: list[dict[str, Any]]) -> None:
    try:
        text = copy_text(records, COLUMNS)
    except NotAsPromised as flaw:
        assert 0 <= flaw.row < len(records)  # noqa: PT017
    else:
        assert text.count(b"\n") == len(records)
        assert text.count(b"\t") == len(records)
