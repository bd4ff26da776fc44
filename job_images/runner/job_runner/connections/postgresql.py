"""A connection to PostgreSQL for the length of a block."""

import logging
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from job_runner.connections.certificates import authorities
from job_runner.connections.limits import longest_wait
from job_runner.connections.postgresql_errors import connecting, statements
from job_runner.connections.variables import from_variable
from job_runner.context import Context
from job_runner.errors import ConfigurationError

if TYPE_CHECKING:
    import psycopg

CONNECT_SECONDS = 10
_LEAST_CONNECT_SECONDS = 2  # libpq takes a smaller number for this one
_VERIFYING = {"verify-ca", "verify-full"}


@contextmanager
def open_postgresql(
    context: Context, *, variable: str = "DATABASE_URL", autocommit: bool = False
) -> Iterator["psycopg.Connection"]:
    """Connect to the database whose connection string is in the environment variable `variable`.

    What was not committed by the end of the block is committed there, and rolled back when the block raises;
    `with connection.transaction():` makes that explicit. A statement may take as long as the run may.
    A server's certificate is checked where the connection string says sslmode=verify-full.
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
            _with_authorities(url),
            autocommit=True,
            application_name=context.name,
            connect_timeout=max(patience, _LEAST_CONNECT_SECONDS),
        )
    with statements() as block, connection:
        _limit_statements(connection, context)
        connection.autocommit = autocommit
        yield connection
        block.commits = not autocommit


def _with_authorities(url: str) -> str:
    """The connection string, with the authorities to trust where a certificate is to be checked.

    libpq knows none by itself, and "system" means a folder that the psycopg of PyPI brings without a content.
    """
    from psycopg.conninfo import conninfo_to_dict, make_conninfo  # noqa: PLC0415

    given = conninfo_to_dict(url)
    mode = given.get("sslmode") or os.environ.get("PGSSLMODE")
    named = given.get("sslrootcert") or os.environ.get("PGSSLROOTCERT") or "system"
    if mode not in _VERIFYING or named != "system" or Path("~/.postgresql/root.crt").expanduser().exists():
        return url
    return make_conninfo(url, sslrootcert=authorities() or "system")


def _limit_statements(connection: "psycopg.Connection", context: Context) -> None:
    limit = longest_wait(context)
    if limit < math.inf:
        milliseconds = int(limit * 1000)
        connection.execute("SELECT set_config('statement_timeout', %s, false)", [str(milliseconds)])
