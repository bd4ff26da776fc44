from datetime import UTC, datetime

from job_runner import Context, job_handler
from job_runner.connections.postgresql import open_postgresql

_DAY = """
    CREATE TEMPORARY TABLE day ON COMMIT DROP AS
    SELECT symbol, (array_agg(price ORDER BY at, trade))[1] AS opening,
        (array_agg(price ORDER BY at DESC, trade DESC))[1] AS closing,
        min(price) AS low, max(price) AS high, count(*)::integer AS quotes
    FROM quotes WHERE at > %(until)s - interval '24 hours' AND at <= %(until)s
    GROUP BY symbol
"""
_WRITE = """
    INSERT INTO market_stats (symbol, opening, closing, low, high, quotes)
    SELECT symbol, opening, closing, low, high, quotes FROM day
    ON CONFLICT (symbol) DO UPDATE SET opening = excluded.opening, closing = excluded.closing,
        low = excluded.low, high = excluded.high, quotes = excluded.quotes
    WHERE market_stats IS DISTINCT FROM excluded
"""
_REMOVE = "DELETE FROM market_stats WHERE symbol NOT IN (SELECT symbol FROM day)"


@job_handler("update_24h_stats")
def update_24h_stats(context: Context) -> dict[str, int]:
    """Opening, closing, lowest and highest price of each symbol in the 24 hours before the run's slot."""
    until = context.slot or datetime.now(UTC)
    with open_postgresql(context, autocommit=True) as connection, context.shield(), connection.transaction():
        symbols = connection.execute(_DAY, {"until": until}).rowcount
        changed = connection.execute(_WRITE).rowcount
        removed = connection.execute(_REMOVE).rowcount
    return {"symbols": symbols, "changed": changed, "removed": removed}
