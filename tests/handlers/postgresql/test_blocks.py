"""What is done in a block of open_postgresql is committed or rolled back as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from job_runner import Context
from job_runner.connections.postgresql import open_postgresql
from job_runner.errors import ExitCode
from job_runner.testing import Result
from tests.handlers.cancelling import cancelled_when
from tests.handlers.postgresql.two_accounts import query, run, value_of

if TYPE_CHECKING:
    from job_runner.values import Json

SLEEPERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
)


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
