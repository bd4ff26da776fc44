from __future__ import annotations

import psycopg
import pytest

from tests.handlers.fetch_insert.tokens import ITEM, SCHEMA
from tests.servers.sample_api import SampleApi


@pytest.fixture
def database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DATABASE_URL", database_url)
    with psycopg.connect(database_url) as connection:
        connection.execute(SCHEMA)
    return database_url


@pytest.fixture
def api(sample_api: SampleApi) -> SampleApi:
    """An API with 1,000 tokens."""
    sample_api.serve(tokens={"generate": {"count": 1000, "item": ITEM}})
    return sample_api
