from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from _limits import evaluate_limits

from job_runner import Context, every_minutes, job_handler
from job_runner.connections.postgresql import open_postgresql
from job_runner.connections.redis_server import open_redis

if TYPE_CHECKING:
    from psycopg import Connection

KEPT_SECONDS = 300
"""A dashboard that shows a figure of five minutes ago would be wrong: it shows none instead."""

_MEASURE = """
    INSERT INTO risks (portfolio_id, value, largest_symbol, largest_share_percent, measured_at)
    SELECT worth.portfolio_id, worth.value, largest.symbol,
        CASE WHEN worth.value > 0 THEN round(coalesce(largest.value, 0) / worth.value * 100, 2) ELSE 0 END,
        %(now)s
    FROM values_at(%(now)s) AS worth
    LEFT JOIN LATERAL (
        SELECT positions.symbol, positions.value FROM positions_at(%(now)s) AS positions
        WHERE positions.portfolio_id = worth.portfolio_id AND positions.value IS NOT NULL
        ORDER BY positions.value DESC, positions.symbol LIMIT 1
    ) AS largest ON true
    ON CONFLICT (portfolio_id) DO UPDATE SET value = excluded.value, largest_symbol = excluded.largest_symbol,
        largest_share_percent = excluded.largest_share_percent, measured_at = excluded.measured_at
    RETURNING portfolio_id, value, largest_symbol, largest_share_percent
"""
_UNPRICED = "SELECT DISTINCT symbol FROM positions_at(%(now)s) WHERE value IS NULL ORDER BY symbol"


@every_minutes(1)
@job_handler("monitor_risk")
def monitor_risk(context: Context) -> dict[str, Any]:
    """Measures the risk of all portfolios, opens and closes breaches of limits, publishes the figures.

    What is in the database is the truth and is written first; Redis is what dashboards read.
    """
    with open_postgresql(context, autocommit=True) as connection, context.shield(), connection.transaction():
        measured, unpriced = _measure(connection)
        breaches = evaluate_limits(connection)
    if unpriced:
        context.logger.warning("symbols without a quote count for nothing", extra={"symbols": unpriced})
    _publish(context, measured)
    return {"portfolios": len(measured), "unpriced": unpriced, **breaches}


def _measure(connection: "Connection") -> tuple[list[tuple[Any, ...]], list[str]]:
    now = {"now": datetime.now(UTC)}
    unpriced = [symbol for (symbol,) in connection.execute(_UNPRICED, now)]
    return connection.execute(_MEASURE, now).fetchall(), unpriced


def _publish(context: Context, measured: list[tuple[Any, ...]]) -> None:
    with open_redis(context) as client, client.pipeline(transaction=True) as together:
        for portfolio, value, symbol, share in measured:
            key = f"risk:portfolio:{portfolio}"
            together.hset(
                key,
                mapping={
                    "value": str(value),
                    "largest_symbol": symbol or "",
                    "largest_share_percent": str(share),
                },
            )
            together.expire(key, KEPT_SECONDS)
        together.execute()
