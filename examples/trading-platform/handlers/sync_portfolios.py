from typing import TYPE_CHECKING

from _exchange import Exchange, open_exchange
from _failures import Failures
from _portfolios import write_account

from job_runner import Cancelled, Context, JobError, every_minutes, job_handler
from job_runner.connections.postgresql import open_postgresql

if TYPE_CHECKING:
    from psycopg import Connection

# The one that was tried longest ago is the first, so a run that is stopped is continued by the next, and one
# that fails each time keeps no other from its turn.
_PORTFOLIOS = "SELECT id, account FROM portfolios ORDER BY tried_at NULLS FIRST, id"
_TRIED = "UPDATE portfolios SET tried_at = now() WHERE id = %s"


@every_minutes(5)
@job_handler("sync_portfolios")
def sync_portfolios(context: Context) -> dict[str, int]:
    """Takes over cash and holdings of all portfolios; each one is written whole or not at all."""
    done = {"portfolios": 0, "synced": 0, "changedHoldings": 0}
    try:
        with open_postgresql(context, autocommit=True) as connection, open_exchange(context) as exchange:
            failures = _sync_all(context, connection, exchange, done)
    except Cancelled:
        context.logger.warning("stopped early", extra=done)
        return done
    failures.raise_any()
    return done


def _sync_all(
    context: Context, connection: "Connection", exchange: Exchange, done: dict[str, int]
) -> Failures:
    """Sync one after the other. done: is kept up to date, for a run that is stopped."""
    failures = Failures("portfolios")
    portfolios = connection.execute(_PORTFOLIOS).fetchall()
    done["portfolios"] = len(portfolios)
    for portfolio, account in portfolios:
        try:
            found = exchange.account(account)
            with context.shield():
                done["changedHoldings"] += write_account(context, connection, portfolio, found)
                done["synced"] += 1
        except JobError as error:
            connection.execute(_TRIED, [portfolio])
            failures.failed(f"portfolio {portfolio}", error)
        else:
            failures.succeeded()
    return failures
