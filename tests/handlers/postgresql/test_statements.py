"""Which error each statement becomes that fails."""

from __future__ import annotations

import threading

import psycopg
import pytest

from job_runner.connections.postgresql_errors import without_values
from tests.handlers.postgresql.two_accounts import query, run
from tests.servers.postgresql import PostgresqlServer

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


def test_what_a_sentence_quotes_is_left_out_to_its_last_quote() -> None:
    assert without_values('invalid input for type x: "a "b" c"') == 'invalid input for type x: "…"'
    assert without_values("nothing\nquoted") == "nothing quoted"
