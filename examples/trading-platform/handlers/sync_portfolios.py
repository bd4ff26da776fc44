from _exchange import open_exchange
from _failures import Failures
from _portfolios import write_account

from job_runner import Cancelled, Context, JobError, every_minutes, job_handler
from job_runner.connections.postgresql import open_postgresql

# The one that was synced longest ago is the first, so a run that is stopped is continued by the next.
_PORTFOLIOS = "SELECT id, account FROM portfolios ORDER BY synced_at NULLS FIRST, id"


@every_minutes(5)
@job_handler("sync_portfolios")
def sync_portfolios(context: Context) -> dict[str, int]:
    """Takes over cash and holdings of all portfolios; each one is written whole or not at all."""
    failures = Failures("portfolios")
    done = {"portfolios": 0, "synced": 0, "changedHoldings": 0}
    try:
        with open_postgresql(context, autocommit=True) as connection, open_exchange(context) as exchange:
            portfolios = connection.execute(_PORTFOLIOS).fetchall()
            done["portfolios"] = len(portfolios)
            for portfolio, account in portfolios:
                try:
                    found = exchange.account(account)
                except JobError as error:
                    failures.failed(f"portfolio {portfolio}", error)
                    continue
                done["changedHoldings"] += write_account(context, connection, portfolio, found)
                done["synced"] += 1
                failures.succeeded()
    except Cancelled:
        context.logger.warning("stopped early", extra=done)
        return done
    failures.raise_any()
    return done
