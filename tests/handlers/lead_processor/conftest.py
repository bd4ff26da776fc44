from __future__ import annotations

import pytest

from tests.handlers.lead_processor.system import Database


@pytest.fixture
def database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setenv("DATABASE_URL", database_url)
    return Database.create(database_url)
