"""Fixtures of tests against real servers on this machine. A server starts when the first test wants it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cluster.progress import ClusterError
from tests.servers import postgresql
from tests.servers import redis_server as redis_servers
from tests.servers.postgresql import PostgresqlServer
from tests.servers.redis_server import RedisServer


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


@contextmanager
def _or_skip() -> Iterator[None]:
    """A test whose server cannot be installed here is skipped, with the command to run; in CI it fails."""
    try:
        yield
    except ClusterError as error:
        if os.environ.get("CI", "").lower() in {"true", "1"}:
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))
