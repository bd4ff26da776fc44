import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from job_runner import Cancelled, ConfigurationError, Context, DataError, job_handler
from job_runner.connections.postgresql import open_postgresql
from job_runner.connections.postgresql_errors import job_error
from job_runner.connections.postgresql_errors import statements as translated
from job_runner.statements.control import controls_transaction
from job_runner.statements.splitting import split

if TYPE_CHECKING:
    import psycopg

_COMMIT_SECONDS = 1.0
"""What a commit may take when the run has to end: a process that does not end is killed a little later."""
_LOOK_EVERY = 0.1


@job_handler("sql")
def sql(
    context: Context,
    statements: list[str] | None = None,
    file: str | None = None,
    parameters: dict[str, Any] | None = None,
    url_variable: str = "DATABASE_URL",
    transaction: bool = True,
    lock_timeout: float | None = None,
) -> dict[str, list[int]]:
    """Runs SQL statements on PostgreSQL, in one transaction, and says how many rows each was about."""
    if lock_timeout is not None and lock_timeout <= 0:
        raise DataError("lock_timeout is not above 0: leave it out to wait as long as the run may take")
    chosen = _statements(statements, file)
    if transaction:
        _refuse_control(chosen)
    rows: list[int] = []
    done = False
    with open_postgresql(context, variable=url_variable, autocommit=not transaction) as connection:
        try:
            with ExitStack() as committing:
                with translated() as block, connection.transaction() if transaction else nullcontext():
                    _limit_locks(connection, lock_timeout)
                    for number, statement in enumerate(chosen, start=1):
                        with _naming(number):
                            rows.append(_run(connection, statement, parameters))
                        context.logger.info("statement %d: %d rows", number, rows[-1])
                    if transaction:
                        committing.enter_context(_brought_to_an_end(connection, context))
                        block.commits = True
                done = True
        except Cancelled:
            if transaction and not done:
                raise  # nothing of it was done
    return {"rows": rows}


@contextmanager
def _brought_to_an_end(connection: "psycopg.Connection", context: Context) -> Iterator[None]:
    """Waits for the answer to what the block asks for, and has it cancelled a second after the run.

    Cut off in the middle of a commit, nobody would know what came of it.
    """
    import psycopg  # noqa: PLC0415  (loaded already; see open_postgresql)

    over = threading.Event()

    def watch() -> None:
        while not over.wait(_LOOK_EVERY):
            if context.cancelled:
                if not over.wait(_COMMIT_SECONDS):
                    with suppress(psycopg.Error):
                        connection.cancel_safe(timeout=_COMMIT_SECONDS)
                return

    with context.shield():
        watching = threading.Thread(target=watch, daemon=True)
        watching.start()
        try:
            yield
        finally:
            over.set()
            watching.join()


def _statements(statements: list[str] | None, file: str | None) -> list[str]:
    if (statements is None) == (file is None):
        raise DataError("give either `statements` or `file`")
    texts = [_text_of(file)] if file is not None else statements or []
    if any("\0" in text for text in texts):  # where the server takes a statement to end
        raise DataError("a statement has a NUL in it")
    chosen = [statement for text in texts for statement in split(text)]
    if not chosen:
        raise DataError("there is no statement to run")
    return chosen


def _text_of(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigurationError(
            f"the file of statements cannot be read: {error.strerror}; it comes with the image or a volume"
        ) from None
    except ValueError:
        raise DataError("the file of statements is not UTF-8 text") from None


def _refuse_control(statements: list[str]) -> None:
    for number, statement in enumerate(statements, start=1):
        if controls_transaction(statement):
            raise DataError(
                f"statement {number} begins or ends a transaction: leave it out, for all statements are in"
                " one, or give transaction: false"
            )


def _limit_locks(connection: "psycopg.Connection", seconds: float | None) -> None:
    if seconds is not None:
        milliseconds = str(max(int(seconds * 1000), 1))
        connection.execute("SELECT set_config('lock_timeout', %s, false)", [milliseconds])


def _run(connection: "psycopg.Connection", statement: str, parameters: dict[str, Any] | None) -> int:
    """Rows that the statement changed or found; 0 where it is about none."""
    import psycopg  # noqa: PLC0415  (loaded already; see open_postgresql)
    from psycopg.types.json import Jsonb  # noqa: PLC0415

    # Parameters are put into the text here, not by the server, which takes them in few kinds of statements.
    with psycopg.ClientCursor(connection) as cursor:
        given = parameters and {
            name: Jsonb(value) if isinstance(value, dict) else value for name, value in parameters.items()
        }
        try:
            cursor.execute(statement.encode(), given or None)  # without any, a percent sign means itself
        except (TypeError, psycopg.ProgrammingError) as error:
            if reason := _misuse(error):
                raise DataError(reason) from None
            raise
        return max(cursor.rowcount, 0)


def _misuse(error: Exception) -> str | None:
    """What is wrong with a statement that psycopg does not send as it is."""
    import psycopg  # noqa: PLC0415

    if isinstance(error, psycopg.Error) and error.sqlstate is not None:
        return None
    if any(words in str(error) for words in ("placeholders", "incomplete placeholder")):
        return "with parameters, only %(name)s may follow a percent sign: write %% for the sign itself"
    if "use copy() instead" in str(error):
        return "COPY FROM STDIN and COPY TO STDOUT have nobody to talk to here"
    return None


@contextmanager
def _naming(number: int) -> Iterator[None]:
    """Errors say which statement it was."""
    import psycopg  # noqa: PLC0415

    try:
        yield
    except psycopg.Error as error:
        raise job_error(error, where=f"statement {number}: ") from None
    except DataError as error:
        raise DataError(f"statement {number}: {error}") from None
