from job_runner import Cancelled, Context, DataError, daily_at, job_handler
from job_runner.connections.postgresql import open_postgresql

BATCH = 1000
"""Rows a transaction: nobody waits long for it, and a run that is stopped has lost nothing."""
MOST_DAYS = 36_500

# The latest quote of a symbol stays, however old: it is the price until there is another.
_STATEMENTS = {
    "sessions": """
        DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at < now() LIMIT %(batch)s)
    """,
    "auditRows": """
        DELETE FROM audit_log WHERE id IN (
            SELECT id FROM audit_log WHERE at < now() - make_interval(days => %(audit)s) LIMIT %(batch)s
        )
    """,
    "quotes": """
        DELETE FROM quotes WHERE (symbol, trade) IN (
            SELECT symbol, trade FROM quotes AS old
            WHERE at < now() - make_interval(days => %(quotes)s) AND EXISTS (
                SELECT FROM quotes AS newer
                WHERE newer.symbol = old.symbol AND (newer.at, newer.trade) > (old.at, old.trade)
            )
            LIMIT %(batch)s
        )
    """,
    "breaches": """
        DELETE FROM breaches WHERE id IN (
            SELECT id FROM breaches WHERE closed_at < now() - make_interval(days => %(audit)s) LIMIT %(batch)s
        )
    """,
}


@daily_at(3, 0)
@job_handler("cleanup_data")
def cleanup_data(context: Context, audit_days: int = 90, quote_days: int = 30) -> dict[str, int]:
    """Removes expired sessions, and audit rows, closed breaches and quotes that are too old.

    Mails stay: their keys are what keeps a mail from being sent twice.
    """
    if not 1 <= audit_days <= MOST_DAYS or not 2 <= quote_days <= MOST_DAYS:
        raise DataError(
            "audit_days is 1 at least, and quote_days 2, as the figures of a day need its quotes; "
            f"{MOST_DAYS} is the most of both"
        )
    removed = dict.fromkeys(_STATEMENTS, 0)
    values = {"audit": audit_days, "quotes": quote_days, "batch": BATCH}
    try:
        with open_postgresql(context, autocommit=True) as connection:
            for name, statement in _STATEMENTS.items():
                rows = BATCH
                while rows:
                    with context.shield():
                        rows = connection.execute(statement, values).rowcount
                        removed[name] += rows
    except Cancelled:
        context.logger.warning("stopped early: the next run removes the rest")
    return removed
