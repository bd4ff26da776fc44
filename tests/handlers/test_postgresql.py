"""open_postgresql against a real server: what comes back, and which error each failure becomes."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from job_runner import Context
from job_runner.connections.postgresql import open_postgresql
from job_runner.connections.postgresql_errors import without_values
from job_runner.errors import ExitCode
from job_runner.handlers.sql import sql
from job_runner.testing import Outcome, Result, run_handler
from tests.handlers.breaking_proxy import breaking_proxy
from tests.handlers.cancelling import cancelled_when
from tests.handlers.web_server import make_certificate
from tests.servers.postgresql import PASSWORD, PostgresqlServer
from tests.servers.postgresql import postgresql_server as postgresql_server_of_its_own
from tests.servers.process import free_port
from tests.waiting import wait_until

if TYPE_CHECKING:
    from job_runner.values import Json

Work = Callable[[psycopg.Connection], object]

SLEEPERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
)
SCHEMA = """
    CREATE TABLE accounts (id int PRIMARY KEY, balance numeric(5, 2) NOT NULL CHECK (balance >= 0));
    INSERT INTO accounts VALUES (1, 10), (2, 20);
"""


@pytest.fixture
def accounts(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a database with two accounts, which is DATABASE_URL."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    with psycopg.connect(database_url) as connection:
        connection.execute(SCHEMA)
    return database_url


def run(work: Work, *, timeout: float | None = 30) -> Outcome:
    def job(context: Context) -> object:
        with open_postgresql(context) as connection:
            return work(connection)

    return run_handler(job, timeout=timeout)


def query(text: str) -> Work:
    return lambda connection: connection.execute(text).fetchall()


def value_of(url: str, text: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(text).fetchone()
    return row and row[0]


def test_a_block_sees_the_database(accounts: str) -> None:
    ended = run(query("SELECT id, balance::text FROM accounts ORDER BY id"))
    expected: Json = [[1, "10.00"], [2, "20.00"]]
    assert ended.value == expected


def test_what_a_block_did_is_committed_at_its_end(accounts: str) -> None:
    run(lambda connection: connection.execute("DELETE FROM accounts").rowcount)
    assert value_of(accounts, "SELECT count(*) FROM accounts") == 0


def test_what_a_block_did_is_rolled_back_when_it_raises(accounts: str) -> None:
    def work(connection: psycopg.Connection) -> None:
        connection.execute("DELETE FROM accounts")
        raise RuntimeError("no")

    assert run(work).exit_code == ExitCode.SOFTWARE
    assert value_of(accounts, "SELECT count(*) FROM accounts") == 2


def test_a_cancellation_ends_a_running_statement_and_rolls_back(accounts: str) -> None:
    def job(context: Context) -> None:
        with open_postgresql(context) as connection:
            connection.execute("DELETE FROM accounts")
            connection.execute("SELECT pg_sleep(60)")

    ended = cancelled_when(lambda: value_of(accounts, SLEEPERS) == 1, job)
    assert (ended.result, ended.exit_code) == (Result.CANCELLED, ExitCode.TERMINATED)
    assert value_of(accounts, SLEEPERS) == 0
    assert value_of(accounts, "SELECT count(*) FROM accounts") == 2


def test_the_server_knows_the_job_by_name_and_how_long_it_may_take(accounts: str) -> None:
    ended = run(query("SELECT current_setting('application_name')"))
    assert ended.value == [["job"]]
    limit = run(query("SELECT setting::int FROM pg_settings WHERE name = 'statement_timeout'"), timeout=20)
    assert isinstance(limit.value, list)
    assert isinstance(limit.value[0], list)
    assert 16_000 < int(str(limit.value[0][0])) <= 21_000  # a second after the run is cancelled


def test_without_a_time_limit_a_statement_has_none(accounts: str) -> None:
    assert run(query("SHOW statement_timeout"), timeout=None).value == [["0"]]


STATEMENTS = {
    "a missing table": ("SELECT * FROM nothing", 78, 'relation "nothing" does not exist'),
    "a missing column": ("SELECT wrong FROM accounts", 78, 'column "wrong" does not exist'),
    "a missing function": ("SELECT wrong()", 78, "function wrong() does not exist"),
    "a missing schema": ("CREATE TABLE no.no (a int)", 78, 'schema "no" does not exist'),
    "a twin": (
        "INSERT INTO accounts VALUES (1, 4)",
        65,
        'duplicate key value violates unique constraint "accounts_pkey"',
    ),
    "a null": (
        "INSERT INTO accounts VALUES (3, NULL)",
        65,
        'null value in column "balance" of relation "accounts" violates not-null constraint',
    ),
    "a forbidden value": (
        "INSERT INTO accounts VALUES (3, -87)",
        65,
        'new row for relation "accounts" violates check constraint "accounts_balance_check"',
    ),
    "a wrong type": (
        "SELECT 'canary'::int",
        65,
        'invalid input syntax for type integer: "…" at character 8 of the statement',
    ),
    "a wrong statement": ("SELEKT canary", 65, 'syntax error at or near "…" at character 1 of the statement'),
    "an exception of a function": (
        "DO $$BEGIN RAISE EXCEPTION 'canary % owes', 7; END$$",
        65,
        "an exception raised by a trigger or function",
    ),
    "an exception with a code": (
        "DO $$BEGIN RAISE unique_violation USING MESSAGE = 'canary'; END$$",
        65,
        "an exception raised by a trigger or function",
    ),
    "a slow statement": (
        "SET statement_timeout = 50; SELECT pg_sleep(9)",
        75,
        "canceling statement due to statement timeout",
    ),
    "a server that reads only": (
        "SET transaction_read_only = on; DELETE FROM accounts",
        69,
        "cannot execute DELETE in a read-only transaction",
    ),
    "an ended backend": (
        "SELECT pg_terminate_backend(pg_backend_pid())",
        69,
        "terminating connection due to administrator command",
    ),
}


@pytest.mark.parametrize(("statement", "exit_code", "message"), STATEMENTS.values(), ids=STATEMENTS)
def test_a_failed_statement_chooses_the_exit_code(
    accounts: str, statement: str, exit_code: int, message: str
) -> None:
    ended = run(query(statement))
    assert ended.error is not None
    assert (ended.exit_code, ended.error.message) == (exit_code, message)


def test_a_parameter_that_is_missing_is_named(accounts: str) -> None:
    ended = run(lambda connection: connection.execute("SELECT %(one)s", {"two": 2}))
    assert ended.error is not None
    assert (ended.exit_code, ended.error.message) == (65, "query parameter missing: one")


def test_a_lock_that_others_hold_is_worth_another_attempt(accounts: str) -> None:
    with psycopg.connect(accounts) as other:
        other.execute("LOCK TABLE accounts")
        ended = run(query("SET lock_timeout = 50; SELECT * FROM accounts"))
    assert ended.error is not None
    assert (ended.exit_code, ended.error.message) == (75, "canceling statement due to lock timeout")


def test_a_deadlock_is_worth_another_attempt(accounts: str) -> None:
    raise_by = "UPDATE accounts SET balance = balance + 1 WHERE id ="
    first_has_its_row = threading.Event()

    with psycopg.connect(accounts) as other:
        other.execute(f"SET deadlock_timeout = '10s'; {raise_by} 2".encode())

        def cross() -> None:
            assert first_has_its_row.wait(10)
            other.execute(f"{raise_by} 1".encode())

        def work(connection: psycopg.Connection) -> None:
            connection.execute(f"SET deadlock_timeout = '50ms'; {raise_by} 1".encode())
            first_has_its_row.set()
            connection.execute(f"{raise_by} 2".encode())

        crossing = threading.Thread(target=cross)
        crossing.start()
        ended = run(work)
        crossing.join()
    assert ended.error is not None
    assert (ended.exit_code, ended.error.message) == (75, "deadlock detected")


def test_a_role_without_the_privilege(postgresql_server: PostgresqlServer, accounts: str) -> None:
    name = accounts.rpartition("/")[2]
    postgresql_server.psql("CREATE ROLE reader LOGIN PASSWORD 'reader-password'")
    try:
        with pytest.MonkeyPatch.context() as patch:
            url = postgresql_server.url_of(name, role="reader", password="reader-password")
            patch.setenv("DATABASE_URL", url)
            ended = run(query("SELECT * FROM accounts"))
    finally:
        postgresql_server.psql("DROP ROLE reader")
    assert ended.error is not None
    assert (ended.exit_code, ended.error.message) == (78, "permission denied for table accounts")


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


def test_what_a_sentence_quotes_is_left_out_to_its_last_quote() -> None:
    assert without_values('invalid input for type x: "a "b" c"') == 'invalid input for type x: "…"'
    assert without_values("nothing\nquoted") == "nothing quoted"


@pytest.fixture(scope="module")
def tls_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PostgresqlServer, Path]]:
    """A server that speaks TLS too, and its certificate, which nobody trusts by itself."""
    certificate = make_certificate(tmp_path_factory.mktemp("tls"))
    with postgresql_server_of_its_own() as server:
        file = server.data / "server.pem"
        file.write_bytes(certificate.read_bytes())
        shutil.chown(file, server.data.owner())
        file.chmod(0o600)
        for setting in (f"ssl_cert_file = '{file}'", f"ssl_key_file = '{file}'", "ssl = on"):
            server.psql(f"ALTER SYSTEM SET {setting}")
        server.psql("SELECT pg_reload_conf()")
        wait_until(lambda: server.psql("SHOW ssl") == "on")
        yield server, certificate


NOT_TRUSTED = (
    "the database server of DATABASE_URL: its certificate is not trusted (unknown authority): "
    "name the file of its authority in SSL_CERT_FILE"
)
VERIFIED = {
    "without a word": ("", False, 0, ""),
    "an authority that is not known": (
        "?sslmode=verify-full",
        False,
        78,
        NOT_TRUSTED,
    ),
    "an authority that is known": ("?sslmode=verify-full", True, 0, ""),
    "those of the system": ("?sslmode=verify-full&sslrootcert=system", True, 0, ""),
    "another host": (
        "?sslmode=verify-full&host=localhost",
        True,
        78,
        "the certificate of the database server of DATABASE_URL is another host's",
    ),
}


@pytest.mark.parametrize(("query_part", "known", "exit_code", "message"), VERIFIED.values(), ids=VERIFIED)
def test_a_certificate_is_checked_where_the_connection_string_says_so(
    tls_server: tuple[PostgresqlServer, Path],
    monkeypatch: pytest.MonkeyPatch,
    query_part: str,
    known: bool,
    exit_code: int,
    message: str,
) -> None:
    server, certificate = tls_server
    url = server.url + query_part
    if "host=" in query_part:
        url = url.replace("127.0.0.1", "localhost").replace("&host=localhost", "&hostaddr=127.0.0.1")
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("HOME", str(certificate.parent))
    if known:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    ended = run(query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))
    assert (ended.exit_code, ended.error.message if ended.error else "") == (exit_code, message)
    assert ended.value == ([[True]] if exit_code == 0 else None)
