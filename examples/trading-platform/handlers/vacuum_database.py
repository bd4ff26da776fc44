from typing import TYPE_CHECKING

from job_runner import Cancelled, Context, DataError, cron, job_handler
from job_runner.connections.postgresql import open_postgresql

if TYPE_CHECKING:
    from psycopg import Connection

LONGEST_LOCK = 3600

_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename"


@cron("0 4 * * sun")
@job_handler("vacuum_database")
def vacuum_database(
    context: Context, tables: list[str] | None = None, lock_seconds: float = 5.0
) -> dict[str, object]:
    """Vacuums and analyses all tables, or some. It waits for a lock no longer than lock_seconds."""
    if not 0.001 <= lock_seconds <= LONGEST_LOCK:  # 0 would be for ever
        raise DataError(f"lock_seconds is 0.001 to {LONGEST_LOCK}")
    done: list[str] = []
    try:
        with open_postgresql(context, autocommit=True) as connection:
            chosen = _chosen(connection, tables)
            connection.execute(
                "SELECT set_config('lock_timeout', %s, false)", [f"{int(lock_seconds * 1000)}ms"]
            )
            for table in chosen:
                _vacuum(connection, table)
                done.append(table)
    except Cancelled:
        context.logger.warning("stopped early")  # what is vacuumed stays so
    return {"tables": done}


def _chosen(connection: "Connection", tables: list[str] | None) -> list[str]:
    known = [table for (table,) in connection.execute(_TABLES)]
    for number, table in enumerate(tables or [], start=1):
        if table not in known:
            raise DataError(f"table number {number} of tables is not there: there are {', '.join(known)}")
    return known if tables is None else tables


def _vacuum(connection: "Connection", table: str) -> None:
    from psycopg import sql  # noqa: PLC0415  (only this job pays for it)

    connection.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier(table)))
