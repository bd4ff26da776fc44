"""Which error each connection becomes that cannot be had or is lost."""

from __future__ import annotations

import socket
from contextlib import closing

import psycopg
import pytest

from job_runner.errors import ExitCode
from job_runner.handlers.sql import sql
from job_runner.testing import Result, run_handler
from tests.handlers.breaking_proxy import breaking_proxy
from tests.handlers.postgresql.two_accounts import query, run, value_of
from tests.servers.postgresql import PASSWORD, PostgresqlServer
from tests.servers.process import free_port
from tests.waiting import wait_until


def test_a_connection_that_breaks_at_the_commit_says_that_nobody_knows(
    postgresql_server: PostgresqlServer, accounts: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with breaking_proxy(postgresql_server.port, at=b"COMMIT") as port:
        monkeypatch.setenv("DATABASE_URL", accounts.replace(str(postgresql_server.port), str(port)))
        blocks = run(query("DELETE FROM accounts WHERE id = 1 RETURNING 1"))
        statements = run_handler(sql, args={"statements": ["DELETE FROM accounts WHERE id = 2"]})
    assert [one.error and (one.exit_code, one.error.message) for one in (blocks, statements)] == [
        (
            69,
            "the connection to the database server was lost while committing: it may have been done or not",
        )
    ] * 2
    wait_until(lambda: value_of(accounts, "SELECT count(*) FROM accounts") == 0)


def refused(server: PostgresqlServer) -> dict[str, tuple[str, int, str]]:
    """Connection strings that lead nowhere, with what is said about each."""
    return {
        "a wrong password": (
            server.url_of("postgres", password="canary"),
            78,
            "the database server of DATABASE_URL refuses the connection: the user or the password is wrong",
        ),
        "no such database": (
            server.url_of("canary"),
            78,
            "the database server of DATABASE_URL refuses the connection: there is no database of that name",
        ),
        "nobody there": (
            f"postgresql://canary:canary@127.0.0.1:{free_port()}/canary",
            69,
            "the database server does not answer: no connection with DATABASE_URL",
        ),
        "no such host": (
            "postgresql://canary:canary@canary.invalid/canary",
            69,
            "the host of DATABASE_URL is not found",
        ),
        "no TLS": (
            server.url + "?sslmode=require",
            78,
            "the database server of DATABASE_URL and this client do not agree on TLS: see sslmode",
        ),
        "no connection string": (
            "canary",
            78,
            "DATABASE_URL is no connection string: write postgresql://USER:PASSWORD@HOST:5432/DATABASE",
        ),
        "no port": ("postgresql://canary:canary@127.0.0.1:99999/", 78, "the port in DATABASE_URL is no port"),
    }


CASES = (
    *("a wrong password", "no such database", "nobody there", "no such host", "no TLS"),
    *("no connection string", "no port"),
)


@pytest.mark.parametrize("case", CASES)
def test_a_connection_that_cannot_be_had(
    postgresql_server: PostgresqlServer, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    url, exit_code, message = refused(postgresql_server)[case]
    monkeypatch.setenv("DATABASE_URL", url)
    ended = run(query("SELECT 1"))
    assert ended.error is not None
    assert (ended.exit_code, ended.error.message) == (exit_code, message)
    assert "canary" not in ended.error.message
    assert PASSWORD not in ended.error.message


def test_too_many_connections_are_worth_another_attempt(
    postgresql_server: PostgresqlServer, accounts: str
) -> None:
    name = accounts.rpartition("/")[2]
    postgresql_server.psql("CREATE ROLE narrow LOGIN PASSWORD 'narrow-password' CONNECTION LIMIT 0")
    try:
        with pytest.MonkeyPatch.context() as patch:
            url = postgresql_server.url_of(name, role="narrow", password="narrow-password")
            patch.setenv("DATABASE_URL", url)
            ended = run(query("SELECT 1"))
    finally:
        postgresql_server.psql("DROP ROLE narrow")
    assert ended.exit_code == ExitCode.TRY_AGAIN


def test_a_server_that_is_stopped_in_the_middle(postgresql_server: PostgresqlServer, accounts: str) -> None:
    def work(connection: psycopg.Connection) -> None:
        connection.execute("DELETE FROM accounts")
        with postgresql_server.stopped():
            connection.execute("SELECT 1")

    assert run(work).exit_code == ExitCode.UNAVAILABLE
    assert value_of(accounts, "SELECT count(*) FROM accounts") == 2


def test_a_server_that_hangs_is_given_up_at_the_time_limit(
    postgresql_server: PostgresqlServer, accounts: str
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent, pytest.MonkeyPatch.context() as patch:
        port = silent.getsockname()[1]
        patch.setenv("DATABASE_URL", f"postgresql://nobody@127.0.0.1:{port}/nothing")
        ended = run(query("SELECT 1"), timeout=0.5)
    assert (ended.result, ended.exit_code) == (Result.TIMED_OUT, ExitCode.TIMED_OUT)
    assert ended.duration_seconds < 20, "the server says nothing for as long as one waits"
