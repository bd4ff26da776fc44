"""A connection to PostgreSQL for the length of a block."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from job_runner.connections.postgresql_errors import connecting, statements
from job_runner.connections.variables import from_variable
from job_runner.context import Context
from job_runner.errors import ConfigurationError

if TYPE_CHECKING:
    import psycopg

CONNECT_SECONDS = 10
_LEAST_CONNECT_SECONDS = 2  # libpq takes a smaller number for this one
_RESERVE_SECONDS = 1.0
"""What a statement may take beyond the deadline: the run is cancelled at it, and does not fail."""


@contextmanager
def open_postgresql(
    context: Context, *, variable: str = "DATABASE_URL", autocommit: bool = False
) -> Iterator["psycopg.Connection"]:
    """Connect to the database whose connection string is in the environment variable `variable`.

    What was not committed by the end of the block is committed there, and rolled back when the block raises;
    `with connection.transaction():` makes that explicit. A statement may take as long as the run may.
    Errors of the database leave the block as those of job_runner, with the server's sentence and no value of
    a row: Unavailable, ConfigurationError, TryAgain or DataError.
    """
    try:
        import psycopg  # noqa: PLC0415  (110 ms that other handlers do not pay)
    except ModuleNotFoundError:
        raise ConfigurationError(
            'psycopg is not installed: pip install "scheduledjob-job-runner[postgresql]"'
        ) from None
    url = from_variable(variable)
    # What it logs names host, user and database.
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)
    left = context.remaining_seconds
    patience = CONNECT_SECONDS if left is None else min(CONNECT_SECONDS, int(left))
    with connecting(variable):
        connection = psycopg.connect(
            url,
            autocommit=True,
            application_name=context.name,
            connect_timeout=max(patience, _LEAST_CONNECT_SECONDS),
        )
    with statements(), connection:
        _limit_statements(connection, context)
        connection.autocommit = autocommit
        yield connection


def _limit_statements(connection: "psycopg.Connection", context: Context) -> None:
    left = context.remaining_seconds
    if left is not None:
        milliseconds = int((left + _RESERVE_SECONDS) * 1000)
        connection.execute("SELECT set_config('statement_timeout', %s, false)", [str(milliseconds)])
