from _exchange import open_exchange
from _portfolios import write_account

from job_runner import Context, DataError, job_handler
from job_runner.connections.postgresql import open_postgresql


@job_handler("sync_portfolio")
def sync_portfolio(context: Context, portfolio: int) -> dict[str, int]:
    """Takes over one portfolio's cash and holdings from the exchange."""
    with open_postgresql(context, autocommit=True) as connection, open_exchange(context) as exchange:
        row = connection.execute("SELECT account FROM portfolios WHERE id = %s", [portfolio]).fetchone()
        if row is None:
            raise DataError("there is no such portfolio: give the number of one of the table portfolios")
        changed = write_account(context, connection, portfolio, exchange.account(row[0]))
    return {"portfolio": portfolio, "changedHoldings": changed}
