"""An async handler that writes all it has read in one transaction, or nothing."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from _shared import Api, open_api

from job_runner import Context, DataError, job_handler
from job_runner.connections.postgresql import open_postgresql

_UPSERT = """
    INSERT INTO rates AS known (currency, euro, as_of) VALUES (%s, %s, %s)
    ON CONFLICT (currency) DO UPDATE SET euro = excluded.euro, as_of = excluded.as_of
    WHERE known.as_of < excluded.as_of
"""
_MOST = 1_000_000
_PATH = "/v1/rates"


class _Rate(NamedTuple):
    currency: str
    euro: Decimal
    as_of: datetime


@job_handler("refresh_rates")
async def refresh_rates(context: Context, page: int = 50) -> dict[str, int]:
    """Takes the exchange rates over from the API; older ones than we have are left alone."""
    if page < 1:
        raise DataError("page is below 1")
    async with open_api(context) as api:
        rates = [rate async for rate in _rates(api, page)]
    # In a thread: while it waits for its server, the event loop stays free for other things.
    changed = await asyncio.to_thread(_store, context, rates)
    return {"rates": len(rates), "changed": changed}


async def _rates(api: Api, size: int) -> AsyncIterator[_Rate]:
    path: str | None = f"{_PATH}?limit={size}"
    asked: list[str] = []
    while path:
        asked.append(path)
        number = len(asked)
        page = await api.get_json(path)
        items = page.get("items") if isinstance(page, dict) else None
        if not isinstance(items, list):
            raise DataError(f"page {number} has no list of items")
        for place, item in enumerate(items, start=1):
            yield _rate(item, where=f"record {place} of page {number}")
        path = _next(page, asked)


def _next(page: dict[str, Any], asked: list[str]) -> str | None:
    """The address of the page behind this one: of the same API, and none that was asked for already."""
    path = page.get("next")
    if path is None:
        return None
    if not isinstance(path, str) or not path.startswith(f"{_PATH}?"):
        raise DataError(f"page {len(asked)}: next is no address of rates")
    if path in asked:
        raise DataError(f"page {len(asked)} names an earlier page as the next one")
    return path


def _rate(item: Any, *, where: str) -> _Rate:
    """The record as we keep it. The error says where it is and what is wrong, and not what it holds."""
    if not isinstance(item, dict):
        raise DataError(f"{where} is not an object")
    currency = item.get("currency")
    if not isinstance(currency, str) or len(currency) != 3 or not (currency.isascii() and currency.isupper()):
        raise DataError(f"{where}: currency is not three capital letters")
    try:
        euro = Decimal(str(item.get("euro")))
    except InvalidOperation:
        euro = Decimal(0)
    if not euro.is_finite() or not 0 < euro < _MOST:
        raise DataError(f"{where}: euro is not a number above 0 and below a million")
    try:
        as_of = datetime.fromisoformat(item.get("as_of", ""))
    except (TypeError, ValueError):
        as_of = datetime.min  # noqa: DTZ901  (it has no time zone, which is what is looked at)
    if as_of.tzinfo is None:
        raise DataError(f"{where}: as_of is not a time with its time zone")
    return _Rate(currency, euro, as_of)


def _store(context: Context, rates: list[_Rate]) -> int:
    """How many were new or newer."""
    with (
        open_postgresql(context) as connection,
        connection.transaction(),
        connection.cursor() as cursor,
    ):
        cursor.executemany(_UPSERT, rates)
        return max(cursor.rowcount, 0)
