from _exchange import Quote, open_exchange

from job_runner import Context, job_handler
from job_runner.connections.postgresql import open_postgresql
from job_runner.connections.redis_server import open_redis

KEPT_SECONDS = 600
_WRITE = """
    INSERT INTO quotes (symbol, trade, price)
    SELECT * FROM unnest(%(symbols)s::text[], %(trades)s::bigint[], %(prices)s::numeric[])
    ON CONFLICT (symbol, trade) DO NOTHING
"""
_SEEN = """
    UPDATE quotes SET seen_at = now()
    FROM unnest(%(symbols)s::text[], %(trades)s::bigint[]) AS latest (symbol, trade)
    WHERE quotes.symbol = latest.symbol AND quotes.trade = latest.trade
"""


@job_handler("fetch_market_data")
def fetch_market_data(context: Context) -> dict[str, int]:
    """Adds the exchange's latest quotes that are new, and publishes all of them in Redis.

    They are checked before the first is written: one that is no quote ends the run with nothing written.
    """
    with open_exchange(context) as exchange:
        quotes = exchange.quotes()
    values = {
        "symbols": [quote.symbol for quote in quotes],
        "trades": [quote.trade for quote in quotes],
        "prices": [quote.price for quote in quotes],
    }
    with open_postgresql(context, autocommit=True) as connection, context.shield(), connection.transaction():
        written = connection.execute(_WRITE, values).rowcount
        connection.execute(_SEEN, values)
    _publish(context, quotes)
    return {"quotes": len(quotes), "new": written}


def _publish(context: Context, quotes: list[Quote]) -> None:
    with open_redis(context) as client, client.pipeline(transaction=True) as together:
        for quote in quotes:
            together.set(f"quote:{quote.symbol}", str(quote.price), ex=KEPT_SECONDS)
        together.execute()
