"""The report of a day: what each portfolio was worth at its beginning and at its end, as it is held now."""

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from job_runner import Context, DataError

if TYPE_CHECKING:
    from psycopg import Connection

_WRITE = """
    INSERT INTO daily_reports (day, portfolio_id, opening_value, closing_value, unpriced)
    SELECT %(day)s, opening.portfolio_id, opening.value, closing.value, ARRAY(
        SELECT symbol FROM positions_at(%(begin)s) AS positions
        WHERE positions.portfolio_id = opening.portfolio_id AND positions.value IS NULL ORDER BY symbol
    )
    FROM values_at(%(begin)s) AS opening JOIN values_at(%(end)s) AS closing USING (portfolio_id)
    ON CONFLICT (day, portfolio_id) DO UPDATE SET opening_value = excluded.opening_value,
        closing_value = excluded.closing_value, unpriced = excluded.unpriced
    WHERE cardinality(daily_reports.unpriced) > cardinality(excluded.unpriced)
"""
_UNPRICED = """
    SELECT DISTINCT symbol FROM daily_reports, unnest(unpriced) AS symbol WHERE day = %(day)s ORDER BY symbol
"""


def day_of_report(context: Context, day: str | None) -> date:
    """The day that is asked for, else the one before the run's. Raises DataError for one that is not over."""
    today = (context.slot or datetime.now(UTC)).astimezone(context.time_zone).date()
    if day is None:
        return today - timedelta(days=1)
    try:
        chosen = date.fromisoformat(day)
    except ValueError:
        raise DataError("day is no date: write for instance 2026-11-21") from None
    if chosen >= today:
        raise DataError(f"the day is not over: the last one to report on is {today - timedelta(days=1)}")
    return chosen


def write_reports(context: Context, connection: "Connection", day: date) -> tuple[int, list[str]]:
    """Write what is not there of the day's reports, and anew what has prices now that were missing.

    (how many were written, the symbols that count for nothing as they had no price at the day's beginning)
    """
    begin = datetime.combine(day, time.min, tzinfo=context.time_zone)
    end = datetime.combine(day + timedelta(days=1), time.min, tzinfo=context.time_zone)
    written = connection.execute(_WRITE, {"day": day, "begin": begin, "end": end}).rowcount
    unpriced = [symbol for (symbol,) in connection.execute(_UNPRICED, {"day": day})]
    if unpriced:
        context.logger.warning("symbols without a quote count for nothing", extra={"symbols": unpriced})
    return written, unpriced
