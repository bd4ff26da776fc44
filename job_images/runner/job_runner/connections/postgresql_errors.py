"""What went wrong with PostgreSQL, as the error that chooses the exit code.

Texts are the server's own sentence without its DETAIL, which shows values of rows. Where that sentence
itself quotes what was sent, the quotation is left out. Of connection strings nothing is repeated.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from job_runner.connections.quotations import without_quotations
from job_runner.connections.sentences import not_trusted
from job_runner.errors import ConfigurationError, DataError, JobError, TryAgain, Unavailable

if TYPE_CHECKING:
    import psycopg

NOT_ANSWERING = "the database server does not answer"
GONE = "the connection to the database server was lost"
UNKNOWN = f"{GONE} while committing: it may have been done or not"

# By SQLSTATE, the longest beginning that fits. Everything else is about the data: DataError.
_MEANINGS: dict[str, type[JobError]] = {
    **dict.fromkeys(["08", "53", "57P", "58", "XX", "25006"], Unavailable),
    **dict.fromkeys(["28", "3D", "3F", "0P"], ConfigurationError),
    **dict.fromkeys(["42501", "42P01", "42P02", "42703", "42704", "42883", "42P10"], ConfigurationError),
    **dict.fromkeys(["40", "53200", "53300", "55006", "55P03", "57014", "25P03", "25P04"], TryAgain),
}
_LONGEST = 5

RAISED = "an exception raised by a trigger or function"

# Classes whose sentences quote values of rows (22) or pieces of a statement (42601).
_QUOTING = ("22", "42601")

# What the server says when it refuses a connection, which comes without an SQLSTATE.
_REFUSALS: tuple[tuple[str, type[JobError], str], ...] = (
    (r"too many (clients|connections)|remaining connection slots", TryAgain, "too many connections"),
    (r"is (starting up|shutting down|not accepting|in recovery)|not yet accepting", Unavailable, "not ready"),
    (
        r"password authentication failed|no password supplied|authentication failed",
        ConfigurationError,
        "the user or the password is wrong",
    ),
    (r"database .* does not exist", ConfigurationError, "there is no database of that name"),
    (r"role .* does not exist", ConfigurationError, "there is no role of that name"),
    (r"permission denied for database", ConfigurationError, "the role may not connect to that database"),
    (r"not permitted to log in", ConfigurationError, "the role may not log in"),
    (r"no pg_hba.conf entry", ConfigurationError, "its pg_hba.conf does not let this client in"),
    (r"FATAL: ", ConfigurationError, "the server's log says why"),
)


@contextmanager
def connecting(variable: str) -> Iterator[None]:
    """Failures to connect with the connection string in `variable`, translated."""
    import psycopg  # noqa: PLC0415

    try:
        yield
    except psycopg.ProgrammingError:
        raise ConfigurationError(
            f"{variable} is no connection string: write postgresql://USER:PASSWORD@HOST:5432/DATABASE"
        ) from None
    except psycopg.Error as error:
        raise _refused(str(error), variable) from None


@dataclass
class Block:
    """commits: set when all that is left of the block is the commit at its end."""

    commits: bool = False


@contextmanager
def statements() -> Iterator[Block]:
    """Failures of statements and of the connection they run on, translated."""
    import psycopg  # noqa: PLC0415

    block = Block()
    try:
        yield block
    except psycopg.Error as error:
        if block.commits and is_lost(error):
            raise Unavailable(UNKNOWN) from None
        raise job_error(error) from None


def job_error(error: "psycopg.Error", *, where: str = "") -> JobError:
    """The error of job_runner for one of psycopg's; `where` begins its sentence."""
    state = error.sqlstate
    if state is None:
        if is_lost(error):
            return Unavailable(f"{where}{GONE}")
        return DataError(f"{where}{without_values(str(error))}")
    kind = next(
        (_MEANINGS[state[:size]] for size in range(_LONGEST, 1, -1) if state[:size] in _MEANINGS), DataError
    )
    return kind(f"{where}{sentence(error)}")


def is_lost(error: "psycopg.Error") -> bool:
    """Whether the connection broke, or the server took it away."""
    import psycopg  # noqa: PLC0415

    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return error.sqlstate.startswith(("08", "57P"))


def is_raised(error: "psycopg.Error") -> bool:
    """Whether RAISE or ASSERT of a function made it: its sentence is the function's, of whatever it likes."""
    return (error.sqlstate or "").startswith("P0") or (error.diag.source_function or "") == "exec_stmt_raise"


def sentence(error: "psycopg.Error") -> str:
    """What the server says, on one line, without what it quotes of rows and statements."""
    if is_raised(error):
        return RAISED
    text = error.diag.message_primary or type(error).__name__
    if not (error.sqlstate or "").startswith(_QUOTING):
        return text
    position = error.diag.statement_position
    return without_values(text) + (f" at character {position} of the statement" if position else "")


def without_values(text: str) -> str:
    """A sentence of PostgreSQL's without what stands in quotes."""
    return without_quotations(text, marks="\"'")


def _refused(text: str, variable: str) -> JobError:
    for pattern, kind, reason in _REFUSALS:
        if re.search(pattern, text):
            return kind(f"the database server of {variable} refuses the connection: {reason}")
    if "certificate verify failed" in text:
        return not_trusted(f"the database server of {variable}", "unknown authority")
    if re.search(r"server certificate for .* does not match", text):
        return ConfigurationError(f"the certificate of the database server of {variable} is another host's")
    if re.search(r"certificate|SSL", text):
        return ConfigurationError(
            f"the database server of {variable} and this client do not agree on TLS: see sslmode"
        )
    if "resolve host" in text or "translate host" in text:
        return Unavailable(f"the host of {variable} is not found")
    if "invalid port" in text:
        return ConfigurationError(f"the port in {variable} is no port")
    return Unavailable(f"{NOT_ANSWERING}: no connection with {variable}")
