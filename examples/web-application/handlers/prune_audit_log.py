from job_runner import Cancelled, Context, DataError, job_handler
from job_runner.connections.postgresql import open_postgresql

_OLDEST = """
    DELETE FROM audit_log WHERE id IN (
        SELECT id FROM audit_log
        WHERE happened_at < now() - make_interval(days => %s)
        ORDER BY happened_at
        LIMIT %s
    )
"""


@job_handler("prune_audit_log")
def prune_audit_log(context: Context, keep_days: int = 90, batch: int = 1000) -> dict[str, int]:
    """Deletes what the audit log has beyond some days, the oldest first and never much in one transaction."""
    if keep_days < 1 or batch < 1:
        raise DataError("keep_days and batch have to be at least 1")
    removed = 0
    try:
        with open_postgresql(context, autocommit=True) as connection:
            gone = batch
            while gone == batch:
                with context.shield():
                    gone = connection.execute(_OLDEST, [keep_days, batch]).rowcount
                    removed += gone
    except Cancelled:
        context.logger.warning("stopped early: the rest is for the next run")
    return {"removed": removed}
