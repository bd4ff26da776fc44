from _reports import day_of_report, write_reports

from job_runner import Context, job_handler
from job_runner.connections.postgresql import open_postgresql


@job_handler("generate_daily_report")
def generate_daily_report(context: Context, day: str | None = None) -> dict[str, object]:
    """Writes down what each portfolio was worth at both ends of a day, by default yesterday."""
    chosen = day_of_report(context, day)
    with open_postgresql(context, autocommit=True) as connection, context.shield():
        written, unpriced = write_reports(context, connection, chosen)
    return {"day": chosen.isoformat(), "new": written, "unpriced": unpriced}
