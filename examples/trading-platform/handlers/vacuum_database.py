from typing import TYPE_CHECKING

from job_runner import Context, DataError, cron, job_handler
from job_runner.connections.postgresql import open_postgresql

if TYPE_CHECKING:
    from psycopg import Connection

_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename"


@cron("0 4 * * sun")
@job_handler("vacuum_database")
def vacuum_database(
    context: Context, tables: list[str] | None = None, lock_seconds: float = 5.0
) -> dict[str, object]:
    """Vacuums and analyses all tables, or some. It waits for a lock no longer than lock_seconds."""
    with open_postgresql(context, autocommit=True) as connection:
        known = [table for (table,) in connection.execute(_TABLES)]
        chosen = known if tables is None else tables
        for number, table in enumerate(chosen, start=1):
            if table not in known:
                raise DataError(f"table number {number} of tables is not there: there are {', '.join(known)}")
        connection.execute("SELECT set_config('lock_timeout', %s, false)", [f"{int(lock_seconds * 1000)}ms"])
        return {"tables": [_vacuum(connection, table) for table in chosen]}


def _vacuum(connection: "Connection", table: str) -> str:
    from psycopg import sql  # noqa: PLC0415  (only this job pays for it)

    connection.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier(table)))
    return table
