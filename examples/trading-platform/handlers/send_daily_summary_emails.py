from typing import Any

from _outbox import Delivery, deliver
from _reports import day_of_report, write_reports

from job_runner import Cancelled, Context, daily_at, job_handler
from job_runner.connections.postgresql import open_postgresql

_WRITE_MAILS = """
    INSERT INTO mails (key, kind, user_id, subject, body)
    SELECT 'summary-' || %(day)s || '-user-' || users.id, 'summary', users.id,
        'Your portfolios on ' || %(day)s,
        string_agg(
            'Portfolio ' || portfolios.id || ': ' || closing_value
            || ' (' || to_char(closing_value - opening_value, 'FMSG999999999990.00') || ')'
            || CASE WHEN unpriced = '{}' THEN '' ELSE ', without '
                || array_to_string(unpriced, ', ') || ', of which there was no price' END,
            E'\\n' ORDER BY portfolios.id
        )
    FROM users
    JOIN portfolios ON portfolios.user_id = users.id
    JOIN daily_reports ON daily_reports.portfolio_id = portfolios.id AND daily_reports.day = %(day)s::date
    WHERE users.daily_summary
    GROUP BY users.id
    ON CONFLICT (key) DO NOTHING
"""


@daily_at(8, 0)
@job_handler("send_daily_summary_emails")
def send_daily_summary_emails(context: Context, day: str | None = None) -> dict[str, Any]:
    """Mails the report of a day, by default yesterday, to everybody who wants it; each gets it once."""
    chosen = day_of_report(context, day)
    delivery = Delivery()
    try:
        with open_postgresql(context, autocommit=True) as connection:
            with context.shield(), connection.transaction():
                write_reports(context, connection, chosen)
                connection.execute(_WRITE_MAILS, {"day": chosen.isoformat()})
            deliver(context, connection, delivery, kind="summary")
    except Cancelled:
        context.logger.warning("stopped early: the next run sends the rest")
        return {"day": chosen.isoformat(), **delivery.value()}
    delivery.check()
    return {"day": chosen.isoformat(), **delivery.value()}
