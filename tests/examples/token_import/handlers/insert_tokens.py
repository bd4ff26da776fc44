"""The obvious way: each record of a page is inserted by itself, and the page is one transaction."""

import time

from job_runner import Context, job_handler
from job_runner.connections.http_client import open_http
from job_runner.connections.postgresql import open_postgresql

INSERT = """
    INSERT INTO tokens (address, symbol, name, decimals, supply, price, listed)
    VALUES (%(address)s, %(symbol)s, %(name)s, %(decimals)s, %(supply)s, %(price)s, %(listed)s)
    ON CONFLICT (address) DO NOTHING
"""


@job_handler("insert_tokens")
def insert_tokens(context: Context, count: int, url: str) -> dict[str, float]:
    """Inserts the first tokens of the API, one after the other."""
    inserted, started, address = 0, time.monotonic(), url
    with open_http(context) as client, open_postgresql(context) as connection:
        while inserted < count:
            page = client.get_json(address)
            for token in page["items"]:
                inserted += connection.execute(INSERT, token).rowcount
            connection.commit()
            address = url.partition("/v1/")[0] + page["next"]
    return {"inserted": inserted, "seconds": round(time.monotonic() - started, 3)}
