from job_runner import Context, job_handler
from job_runner.connections.postgresql import open_postgresql

# One statement: an alert is triggered once, and then its mail waits, whatever happens to this run.
_TRIGGER = """
    WITH latest AS (
        SELECT DISTINCT ON (symbol) symbol, price FROM quotes ORDER BY symbol, at DESC, trade DESC
    ), triggered AS (
        UPDATE alerts SET triggered_at = now() FROM latest
        WHERE alerts.triggered_at IS NULL AND alerts.symbol = latest.symbol AND (
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


@job_handler("check_price_alerts")
def check_price_alerts(context: Context) -> dict[str, object]:
    """Triggers the alerts whose price is reached and puts their mails down for send_price_notification."""
    with open_postgresql(context, autocommit=True) as connection, context.shield(), connection.transaction():
        triggered = [alert for (alert,) in connection.execute(_TRIGGER)]
        row = connection.execute(_WAITING).fetchone()
    assert row is not None
    return {"triggered": triggered, "waiting": row[0]}
