from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.handlers.web_application.site import Site, filled
from tests.runner.process import Runner
from tests.servers.redis_server import RedisServer
from tests.servers.sample_api import SampleApi
from tests.servers.smtp_sink import SmtpSink


@pytest.fixture
def site(
    tmp_path: Path,
    database_url: str,
    redis_url: str,
    redis_server: RedisServer,
    sample_api: SampleApi,
    smtp_sink: SmtpSink,
) -> Iterator[Site]:
    with filled(Site(Runner(tmp_path), database_url, redis_server, sample_api, smtp_sink)) as site:
        yield site
