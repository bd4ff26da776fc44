from __future__ import annotations

import psycopg
import pytest

from tests.handlers.postgresql.two_accounts import SCHEMA


@pytest.fixture
def accounts(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a database with two accounts, which is DATABASE_URL."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    with psycopg.connect(database_url) as connection:
        connection.execute(SCHEMA)
    return database_url
