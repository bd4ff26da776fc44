from job_runner import Context, DataError, job_handler
from job_runner.connections.postgresql import open_postgresql

# One statement: an alert is triggered once, and then its mail waits, whatever happens to this run.
_TRIGGER = """
    WITH latest AS (
        SELECT DISTINCT ON (symbol) symbol, price, seen_at FROM quotes ORDER BY symbol, at DESC, trade DESC
    ), triggered AS (
        UPDATE alerts SET triggered_at = now() FROM latest
        WHERE alerts.triggered_at IS NULL AND alerts.symbol = latest.symbol
            AND latest.seen_at >= now() - make_interval(mins => %(oldest)s) AND (
            (alerts.direction = 'above' AND latest.price >= alerts.price)
            OR (alerts.direction = 'below' AND latest.price <= alerts.price)
        )
        RETURNING alerts.id, alerts.user_id, alerts.symbol, alerts.direction, alerts.price,
            latest.price AS seen
    ), mailed AS (
        INSERT INTO mails (key, kind, user_id, subject, body)
        SELECT 'price-alert-' || id, 'price-alert', user_id,
            symbol || ' is ' || direction || ' ' || trim_scale(price),
            symbol || ' was traded at ' || trim_scale(seen) || '; your alert was for '
                || direction || ' ' || trim_scale(price) || '.'
        FROM triggered
        ON CONFLICT (key) DO NOTHING
    )
    SELECT id FROM triggered ORDER BY id
"""
_WAITING = "SELECT count(*) FROM alerts WHERE triggered_at IS NULL"
_OUTDATED = """
    SELECT symbol FROM quotes WHERE symbol IN (SELECT symbol FROM alerts WHERE triggered_at IS NULL)
    GROUP BY symbol HAVING max(seen_at) < now() - make_interval(mins => %(oldest)s) ORDER BY symbol
"""
LONGEST = 7 * 24 * 60


@job_handler("check_price_alerts")
def check_price_alerts(context: Context, oldest_quote_minutes: int = 60) -> dict[str, object]:
    """Triggers the alerts whose price is reached and puts their mails down for send_price_notification.

    A price that the exchange has not confirmed for longer than oldest_quote_minutes triggers none.
    """
    if not 1 <= oldest_quote_minutes <= LONGEST:
        raise DataError(f"oldest_quote_minutes is 1 to {LONGEST}")
    values = {"oldest": oldest_quote_minutes}
    with open_postgresql(context, autocommit=True) as connection, context.shield(), connection.transaction():
        triggered = [alert for (alert,) in connection.execute(_TRIGGER, values)]
        outdated = [symbol for (symbol,) in connection.execute(_OUTDATED, values)]
        row = connection.execute(_WAITING).fetchone()
    assert row is not None
    if outdated:
        context.logger.warning("quotes are too old to trigger an alert", extra={"symbols": outdated})
    return {"triggered": triggered, "waiting": row[0]}
