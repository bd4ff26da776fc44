"""The exchange's API: what it says is checked before anything of it is written down."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote as quoted

from _promised import amount, json_list, json_object, text, whole_number

from job_runner import Context, DataError
from job_runner.connections.http_client import HttpClient, open_http
from job_runner.connections.variables import from_variable

VARIABLE = "EXCHANGE_URL"
MOST_PAGES = 1000
"""Of a hundred records each: more than there are is a server that does not come to an end."""


@dataclass(frozen=True)
class Account:
    """What somebody has at the exchange: cash, and quantities by symbol."""

    cash: Decimal
    balances: dict[str, Decimal]


@dataclass(frozen=True)
class Quote:
    """What was paid for a symbol in its last trade."""

    symbol: str
    trade: int
    price: Decimal


@dataclass(frozen=True)
class Bot:
    """A trading bot, as the exchange sees it."""

    name: str
    status: str
    heartbeat_age_seconds: int


class Exchange:
    """The answers of the exchange. Each method raises DataError for one that is not what was promised."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def account(self, name: str) -> Account:
        record = json_object(self._http.get_json(f"/v1/accounts/{quoted(name, safe='')}"), f"account {name}")
        where = f"account {name}: balances"
        balances = [
            json_object(entry, f"{where}[{number}]")
            for number, entry in enumerate(json_list(record.get("balances"), where))
        ]
        symbols = [
            text(entry.get("symbol"), f"{where}[{number}].symbol") for number, entry in enumerate(balances)
        ]
        if len(set(symbols)) < len(symbols):
            raise DataError(f"{where} name a symbol twice")
        return Account(
            cash=amount(record.get("cash"), f"account {name}: cash", above=False),
            balances={
                symbol: amount(entry.get("quantity"), f"{where}[{number}].quantity")
                for number, (symbol, entry) in enumerate(zip(symbols, balances, strict=True))
            },
        )

    def quotes(self) -> list[Quote]:
        return [
            Quote(
                symbol=text(record.get("id"), f"{where}: id"),
                trade=whole_number(record.get("trade"), f"{where}: trade", most=2**63 - 1),
                price=amount(record.get("price"), f"{where}: price"),
            )
            for where, record in self._records("quotes")
        ]

    def bots(self) -> list[Bot]:
        return [
            Bot(
                name=text(record.get("id"), f"{where}: id"),
                status=text(record.get("status"), f"{where}: status"),
                heartbeat_age_seconds=whole_number(
                    record.get("heartbeat_age_seconds"), f"{where}: heartbeat_age_seconds"
                ),
            )
            for where, record in self._records("bots")
        ]

    def restart(self, bot: str) -> None:
        self._http.request("POST", f"/v1/bots/{quoted(bot, safe='')}/restart")

    def _records(self, collection: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """(which one, the record) of all pages."""
        first = f"/v1/{collection}?"
        address: str | None = f"{first}limit=100"
        seen: set[str] = set()
        number = 0
        while address is not None:
            seen.add(address)
            page = json_object(self._http.get_json(address), f"the page of {collection}")
            for entry in json_list(page.get("items"), f"the page of {collection}: items"):
                number += 1
                where = f"record {number} of {collection}"
                yield where, json_object(entry, where)
            address = _following(page.get("next"), first=first, seen=seen)


def _following(address: object, *, first: str, seen: set[str]) -> str | None:
    """The address of the next page, which is on the same server and one that was not there before."""
    if address is None:
        return None
    what = f"the page of {first.removeprefix('/v1/').removesuffix('?')}: next"
    if not isinstance(address, str) or not address.startswith(first):
        raise DataError(f"{what} is no address of the next one")
    if address in seen or len(seen) == MOST_PAGES:
        raise DataError(f"{what} comes to no end: page {len(seen)} leads on to one more, or to one before")
    return address


@contextmanager
def open_exchange(context: Context, *, timeout: float = 10.0, attempts: int = 3) -> Iterator[Exchange]:
    """The exchange whose address is in the variable EXCHANGE_URL."""
    with open_http(context, base_url=from_variable(VARIABLE), timeout=timeout, attempts=attempts) as http:
        yield Exchange(http)
