"""What the exchange says about an account becomes what is known about its portfolio."""

from typing import TYPE_CHECKING

from _exchange import Account

from job_runner import Context
from job_runner.connections.postgresql_errors import statements

if TYPE_CHECKING:
    from psycopg import Connection

_LOCK = "SELECT id FROM portfolios WHERE id = %(id)s FOR UPDATE"
_CASH = "UPDATE portfolios SET cash = %(cash)s, synced_at = now(), tried_at = now() WHERE id = %(id)s"
_REMOVE = "DELETE FROM holdings WHERE portfolio_id = %(id)s AND symbol <> ALL (%(symbols)s)"
_WRITE = """
    INSERT INTO holdings (portfolio_id, symbol, quantity)
    SELECT %(id)s, * FROM unnest(%(symbols)s::text[], %(quantities)s::numeric[])
    ON CONFLICT (portfolio_id, symbol) DO UPDATE SET quantity = excluded.quantity
    WHERE holdings.quantity <> excluded.quantity
"""


def write_account(context: Context, connection: "Connection", portfolio: int, account: Account) -> int:
    """Write all of an account, in one transaction that no cancellation cuts; how many holdings changed.

    Raises JobError when the database refuses it; the connection is good for the next one.
    """
    values = {
        "id": portfolio,
        "cash": account.cash,
        "symbols": list(account.balances),
        "quantities": list(account.balances.values()),
    }
    with statements(), context.shield(), connection.transaction():
        connection.execute(_LOCK, values)
        connection.execute(_CASH, values)
        removed = connection.execute(_REMOVE, values).rowcount
        return removed + connection.execute(_WRITE, values).rowcount
