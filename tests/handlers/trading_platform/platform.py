"""The trading platform on this machine: its handlers, real servers, its schema and its data."""

from __future__ import annotations

import importlib.util
import json
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
import pytest
import redis

from job_runner.testing import Outcome, Result, run_handler
from tests.cluster.paths import CHECKOUT
from tests.runner.process import Ended, Runner, Running
from tests.servers.process import plain_http
from tests.servers.sample_api import SampleApi
from tests.servers.smtp_sink import SmtpSink

FOLDER = CHECKOUT / "examples" / "trading-platform"
GONE = "127.0.0.1:1"
"""Where nothing listens."""


def handler(name: str) -> Callable[..., Any]:
    """The function `name` of the handler file `name`.py."""
    module_name = f"trading_platform_{name}"
    if module_name not in sys.modules:
        spec = importlib.util.spec_from_file_location(module_name, FOLDER / "handlers" / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        with pytest.MonkeyPatch.context() as imports:
            imports.syspath_prepend(FOLDER / "handlers")
            spec.loader.exec_module(module)
        sys.modules[module_name] = module
    function: Callable[..., Any] = getattr(sys.modules[module_name], name)
    return function


@dataclass
class Platform:
    """Its servers, and a way to run its handlers."""

    runner: Runner
    addresses: dict[str, str]
    api: SampleApi
    smtp: SmtpSink

    def start(self, name: str, **arguments: Any) -> Running:
        """Start a handler in a process of its own, to be stopped or to run beside others."""
        return self.runner.start("run", name, "--args", json.dumps(arguments), env=self.addresses)

    def run(
        self,
        name: str,
        *,
        slot: datetime | None = None,
        time_zone: str = "Etc/UTC",
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **arguments: Any,
    ) -> Outcome:
        with pytest.MonkeyPatch.context() as variables:
            for variable, value in {**self.addresses, **(env or {})}.items():
                variables.setenv(variable, value)
            return run_handler(handler(name), args=arguments, slot=slot, time_zone=time_zone, timeout=timeout)

    def value(self, name: str, **options: Any) -> Any:
        """What a run that succeeds has to report."""
        outcome = self.run(name, **options)
        assert outcome.exit_code == 0, outcome
        return outcome.value

    def error(self, name: str, **options: Any) -> tuple[int, str]:
        """(exit code, sentence) of a run that fails."""
        outcome = self.run(name, **options)
        assert outcome.result is Result.FAILED, outcome
        assert outcome.error is not None
        return outcome.exit_code, outcome.error.message

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of a query; none for any other statement."""
        with psycopg.connect(self.addresses["DATABASE_URL"], autocommit=True) as connection:
            done = connection.execute(statement.encode())
            return done.fetchall() if done.description else []

    def redis(self) -> Any:
        return redis.Redis.from_url(self.addresses["REDIS_URL"], decode_responses=True)

    def change(self, path: str, **fields: Any) -> None:
        """Change a record of the exchange, such as /v1/accounts/ACC-1."""
        plain_http("PATCH", self.api.url + path, json=fields)

    def asked(self, method: str, path: str) -> int:
        """How often the exchange was asked for it."""
        return sum(each["method"] == method and each["path"] == path for each in self.api.requests())


def terminate(running: Running) -> Ended:
    """End a run as Kubernetes does."""
    running.send(signal.SIGTERM)
    return running.end()
