from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.handlers.trading_platform.platform import FOLDER, Platform
from tests.runner.process import Runner
from tests.servers.sample_api import SampleApi
from tests.servers.smtp_sink import SmtpSink


@pytest.fixture
def platform(
    tmp_path: Path, database_url: str, redis_url: str, sample_api: SampleApi, smtp_sink: SmtpSink
) -> Iterator[Platform]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute((FOLDER / "schema.sql").read_bytes())
    sample_api.serve(**{path.stem: json.loads(path.read_text()) for path in (FOLDER / "data").glob("*.json")})
    runner = Runner(tmp_path)
    shutil.copytree(FOLDER / "handlers", runner.handlers, dirs_exist_ok=True)
    addresses = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SMTP_URL": smtp_sink.url,
        "EXCHANGE_URL": sample_api.url,
    }
    yield Platform(runner, addresses, sample_api, smtp_sink)
    runner.close()
