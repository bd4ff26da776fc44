"""Fixtures of tests against real servers on this machine. A server starts when the first test wants it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cluster.progress import ClusterError
from tests.servers import postgresql
from tests.servers import redis_server as redis_servers
from tests.servers import sample_api as sample_apis
from tests.servers import smtp_sink as smtp_sinks
from tests.servers.postgresql import PostgresqlServer
from tests.servers.programs import prometheus_program
from tests.servers.redis_server import RedisServer
from tests.servers.sample_api import SampleApi
from tests.servers.smtp_sink import SmtpSink


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    """A PostgreSQL server; most tests want the fixture `database_url`."""
    with _or_skip(), postgresql.postgresql_server() as server:
        yield server


@pytest.fixture
def database_url(postgresql_server: PostgresqlServer) -> Iterator[str]:
    """The URL of a database of this test's own."""
    with postgresql_server.database() as url:
        yield url


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A Redis server; most tests want the fixture `redis_url`."""
    with _or_skip(), redis_servers.redis_server() as server:
        yield server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The URL of a Redis server without any key."""
    with redis_server.client() as client:
        client.flushall()
    return redis_server.url


@pytest.fixture(scope="session")
def sample_api_process() -> Iterator[SampleApi]:
    """The process behind the fixture `sample_api`."""
    with sample_apis.sample_api() as server:
        yield server


@pytest.fixture
def sample_api(sample_api_process: SampleApi) -> SampleApi:
    """The sample API without any collection: `sample_api.serve(tokens=[...])` gives it some."""
    sample_api_process.serve()
    return sample_api_process


@pytest.fixture(scope="session")
def smtp_sink_process() -> Iterator[SmtpSink]:
    """The process behind the fixture `smtp_sink`."""
    with smtp_sinks.smtp_sink() as server:
        yield server


@pytest.fixture
def smtp_sink(smtp_sink_process: SmtpSink) -> SmtpSink:
    """A mail server that has no mail yet and refuses none."""
    smtp_sink_process.clear()
    return smtp_sink_process


@pytest.fixture(scope="session")
def promtool() -> str:
    """Path of Prometheus' own tool that checks and tests rules."""
    with _or_skip():
        return str(prometheus_program("promtool"))


@contextmanager
def _or_skip() -> Iterator[None]:
    """A test whose server cannot be installed here is skipped, with the command to run; in CI it fails."""
    try:
        yield
    except ClusterError as error:
        if os.environ.get("CI", "").lower() in {"true", "1"}:
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))
