"""Keeps the prices of all mapped assets warm."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

from _shared import check_range, open_network, pages

from job_runner import (
    Cancelled,
    ConfigurationError,
    Context,
    DataError,
    JobError,
    TryAgain,
    Unavailable,
    job_handler,
)
from job_runner.connections.http_client import HttpClient
from job_runner.connections.redis_server import open_redis

MOST_AT_ONCE = 64
LONGEST_LIFE = 7 * 24 * 3600


@job_handler("price-feed-update")
def price_feed_update(
    context: Context, at_once: int = 4, time_to_live: int = 1800, request_timeout: float = 10.0
) -> dict[str, Any]:
    """Fetches the prices, `at_once` of them at a time, into keys that live for `time_to_live` seconds."""
    check_range(at_once, "at_once", least=1, most=MOST_AT_ONCE)
    check_range(time_to_live, "time_to_live", least=1, most=LONGEST_LIFE)
    failed: dict[str, JobError] = {}
    updated = assets = 0
    try:
        with open_network(context, request_timeout=request_timeout) as network, open_redis(context) as cache:
            names = _assets(network)
            assets = len(names)
            for name, price in _prices(network, names, at_once=at_once):
                if isinstance(price, JobError):
                    failed[name] = price
                    context.logger.warning("%s has no new price: %s", name, price)
                else:
                    with context.shield():  # what is written is counted
                        cache.set(f"price:{name}", str(price), ex=time_to_live)
                        updated += 1
    except Cancelled:
        context.logger.warning("stopped early")  # what is written stays, and is good
    else:
        _end(failed, assets=assets)
    return {"assets": assets, "updated": updated}


def _assets(network: HttpClient) -> list[str]:
    items = [item for page in pages(network, "/v1/assets", limit=100) for item in page]
    for number, item in enumerate(items, start=1):
        if not isinstance(item, dict) or not isinstance(item.get("id"), str):
            raise DataError(f"asset {number} of /v1/assets has no id")
    return [item["id"] for item in items if item.get("mapped")]


def _prices(
    network: HttpClient, names: list[str], *, at_once: int
) -> Iterator[tuple[str, Decimal | JobError]]:
    """Each asset with its price or with what went wrong, as they come in."""
    with ThreadPoolExecutor(max_workers=at_once) as pool:
        asked: dict[Future[Decimal], str] = {pool.submit(_price, network, name): name for name in names}
        try:
            for done in as_completed(asked):
                error = done.exception()
                if error is not None and not isinstance(error, JobError):
                    raise error
                yield asked[done], error or done.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _price(network: HttpClient, name: str) -> Decimal:
    content = network.get_json(f"/v1/prices/{quote(name, safe='')}")
    try:
        price = Decimal(str(content["usd"]))
    except (TypeError, KeyError, InvalidOperation):
        raise DataError("the answer has no price in usd") from None
    if not price.is_finite() or price <= 0:
        raise DataError("the price is not above 0")
    return price


def _end(failed: dict[str, JobError], *, assets: int) -> None:
    """The run has failed when an asset has no new price: another attempt may find one.

    Not where the network lets us have none: that is for somebody to change.
    """
    if not failed:
        return
    told = "; ".join(f"{name} ({reason})" for name, reason in sorted(failed.items()))
    sentence = f"{len(failed)} of {assets} assets have no new price: {told}"
    if len(failed) < assets:
        raise TryAgain(sentence)
    refused = all(isinstance(error, ConfigurationError) for error in failed.values())
    raise ConfigurationError(sentence) if refused else Unavailable(sentence)
