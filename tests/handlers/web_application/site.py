"""The web application here: its servers and its handlers, as processes of their own or in ours."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from job_runner.testing import Outcome, run_handler
from tests.cluster.paths import CHECKOUT
from tests.handlers.loading import function_of
from tests.runner.process import Runner, Running
from tests.servers.redis_server import RedisServer
from tests.servers.sample_api import SampleApi
from tests.servers.smtp_sink import SmtpSink
from tests.waiting import wait_until

FOLDER = CHECKOUT / "examples" / "web-application"
MONDAY = "2026-11-23T07:00:00Z"


@dataclass(frozen=True)
class Site:
    """The application's servers, and its handlers run on them."""

    runner: Runner
    database_url: str
    redis_server: RedisServer
    api: SampleApi
    mail: SmtpSink

    @property
    def addresses(self) -> dict[str, str]:
        """The variables that the handlers read."""
        return {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_server.url,
            "API_URL": self.api.url,
            "SMTP_URL": self.mail.url,
        }

    def start(self, handler: str, **arguments: Any) -> Running:
        """Start a handler in a process of its own, to be stopped or to run beside others."""
        env = {
            "SCHEDULEDJOB_HANDLERS_PATH": str(FOLDER / "handlers"),
            "SCHEDULEDJOB_SLOT": MONDAY,
            **self.addresses,
        }
        return self.runner.start("run", handler, "--args", json.dumps(arguments), env=env)

    def run(
        self, handler: str, *, slot: str = MONDAY, timeout: float | None = None, **arguments: Any
    ) -> Outcome:
        """Run a handler in this process."""
        function = function_of(FOLDER / "handlers" / f"{handler}.py")
        with pytest.MonkeyPatch.context() as variables:
            for name, value in self.addresses.items():
                variables.setenv(name, value)
            return run_handler(function, args=arguments, slot=datetime.fromisoformat(slot), timeout=timeout)

    def value(self, handler: str, **arguments: Any) -> Any:
        """What the handler returns."""
        outcome = self.run(handler, **arguments)
        assert outcome.exit_code == 0, outcome
        return outcome.termination_message["value"]

    def error(self, handler: str, **arguments: Any) -> tuple[int, str]:
        """Exit code and text of a run that fails."""
        outcome = self.run(handler, **arguments)
        return outcome.exit_code, outcome.error.message if outcome.error else ""

    def sql(self, query: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database_url) as connection:
            cursor = connection.execute(query.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def number(self, query: str) -> int:
        ((count,),) = self.sql(query)
        return int(count)

    @property
    def redis(self) -> redis.Redis:
        return self.redis_server.client()

    def stopped_in_a_batch(self, handler: str, *, table: str, **arguments: Any) -> dict[str, Any]:
        """What a run returns that gets SIGTERM while it waits for a lock, in the middle of a statement."""
        waiting = (
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        with psycopg.connect(self.database_url) as connection:
            connection.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
            running = self.start(handler, **arguments)
            wait_until(lambda: self.number(waiting), describe="a statement waits for the lock")
            running.send(signal.SIGTERM)
            wait_until(lambda: "ShdPnd:\t0000000000000000" in running_status(running))
        ended = running.end()
        assert ended.exit_code == 143
        assert ended.message is not None
        value: dict[str, Any] = ended.message["value"]
        return value


def running_status(running: Running) -> str:
    """What the kernel says about the process, the signals that it has not seen yet among it."""
    return Path(f"/proc/{running.process.pid}/status").read_text()


@contextmanager
def filled(site: Site) -> Iterator[Site]:
    """The site with its tables and its API's data; its handlers' processes end with the block."""
    site.sql((FOLDER / "schema.sql").read_text())
    site.api.serve(**{path.stem: json.loads(path.read_text()) for path in (FOLDER / "data").iterdir()})
    yield site
    site.runner.close()
