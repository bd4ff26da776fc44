"""The trading platform on this machine: its handlers as processes, real servers, its schema and its data."""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg
import redis

from tests.cluster.paths import CHECKOUT
from tests.runner.process import Ended, Runner, Running
from tests.servers.sample_api import SampleApi
from tests.servers.smtp_sink import SmtpSink

FOLDER = CHECKOUT / "examples" / "trading-platform"
GONE = "127.0.0.1:1"
"""Where nothing listens."""


@dataclass
class Platform:
    """Its servers, and a way to run its handlers."""

    runner: Runner
    addresses: dict[str, str]
    api: SampleApi
    smtp: SmtpSink

    def start(self, handler: str, *, env: dict[str, str] | None = None, **arguments: Any) -> Running:
        """Start a handler in a process of its own. The runner's folder has all handlers of the platform."""
        return self.runner.start(
            "run", handler, "--args", json.dumps(arguments), env={**self.addresses, **(env or {})}
        )

    def run(self, handler: str, *, env: dict[str, str] | None = None, **arguments: Any) -> Ended:
        return self.start(handler, env=env, **arguments).end()

    def value(self, handler: str, *, env: dict[str, str] | None = None, **arguments: Any) -> Any:
        """What a run that succeeds has to report."""
        ended = self.run(handler, env=env, **arguments)
        assert ended.exit_code == 0, (ended.message, ended.errors)
        assert ended.message is not None
        return ended.message["value"]

    def error(self, handler: str, *, env: dict[str, str] | None = None, **arguments: Any) -> tuple[int, str]:
        """(exit code, sentence) of a run that fails."""
        ended = self.run(handler, env=env, **arguments)
        assert ended.message is not None
        assert ended.message["result"] == "Failed", ended.message
        return ended.exit_code, ended.message["error"]["message"]

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of a query; none for any other statement."""
        with psycopg.connect(self.addresses["DATABASE_URL"], autocommit=True) as connection:
            done = connection.execute(statement.encode())
            return done.fetchall() if done.description else []

    def redis(self) -> Any:
        return redis.Redis.from_url(self.addresses["REDIS_URL"], decode_responses=True)

    def change(self, path: str, **fields: Any) -> None:
        """Change a record of the exchange, such as /v1/accounts/ACC-1."""
        httpx.patch(self.api.url + path, json=fields).raise_for_status()

    def asked(self, method: str, path: str) -> int:
        """How often the exchange was asked for it."""
        return sum(each["method"] == method and each["path"] == path for each in self.api.requests())


def terminate(running: Running) -> Ended:
    """End a run as Kubernetes does."""
    running.send(signal.SIGTERM)
    return running.end()
