from _limits import evaluate_limits

from job_runner import Context, job_handler
from job_runner.connections.postgresql import open_postgresql


@job_handler("evaluate_risk_limits")
def evaluate_risk_limits(context: Context, portfolio: int | None = None) -> dict[str, int]:
    """Compares the latest measurements with the limits, after somebody has changed one."""
    with open_postgresql(context, autocommit=True) as connection, context.shield():
        return evaluate_limits(connection, portfolio)
