from job_runner import Cancelled, Context, DataError, job_handler
from job_runner.connections.postgresql import open_postgresql

# In batches: one statement for a million sessions would hold its locks for as long as it takes.
REMOVE = """
DELETE FROM web_session WHERE id IN (
    SELECT id FROM web_session WHERE expires_at <= now() ORDER BY expires_at LIMIT %s FOR UPDATE SKIP LOCKED
)
"""


@job_handler("session-cleanup")
def session_cleanup(context: Context, batch: int = 1000) -> dict[str, int]:
    """Removes the sessions of the web site that have expired, some at a time."""
    if not 1 <= batch <= 100_000:
        raise DataError("batch is not from 1 to 100000")
    removed = 0
    try:
        with open_postgresql(context, autocommit=True) as connection:
            found = batch
            while found == batch:
                with context.shield():
                    found = connection.execute(REMOVE, (batch,)).rowcount
                    removed += found
    except Cancelled:
        context.logger.warning("stopped early")
    return {"removed": removed}
