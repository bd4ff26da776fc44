"""Quotes, the figures of a day, and alerts."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.handlers.trading_platform.platform import GONE, Platform

QUOTES = (
    "SELECT symbol, trade, price::float FROM quotes WHERE trade IN (105, 202) OR symbol = 'SOL' ORDER BY 1"
)
STATS = "SELECT symbol, opening::int, closing::int, low::int, high::int, quotes FROM market_stats ORDER BY 1"
BTC = ("BTC", 62000, 63000, 59000, 63000, 3)
ETH = ("ETH", 3000, 3000, 3000, 3000, 1)


def test_new_quotes_are_added_once_and_published(platform: Platform) -> None:
    assert platform.value("fetch_market_data") == {"quotes": 3, "new": 2}
    added = [("BTC", 105, 64000.0), ("ETH", 202, 3100.5), ("SOL", 300, 150.0)]
    assert platform.sql(QUOTES) == added
    with platform.redis() as client:
        assert {key: client.get(key) for key in client.scan_iter()} == {
            "quote:BTC": "64000.00",
            "quote:ETH": "3100.50",
            "quote:SOL": "150.00",
        }
        assert 0 < client.ttl("quote:BTC") <= 600
    assert platform.value("fetch_market_data") == {"quotes": 3, "new": 0}
    assert platform.sql(QUOTES) == added


def test_quotes_come_in_pages(platform: Platform) -> None:
    many = [{"id": f"S{number}", "trade": number, "price": "1.5"} for number in range(250)]
    platform.api.serve(quotes=many)
    assert platform.value("fetch_market_data") == {"quotes": 250, "new": 250}
    assert platform.asked("GET", "/v1/quotes") == 3


@pytest.mark.parametrize(
    ("following", "says"),
    [
        (7, "next is no address of the next one"),
        ("http://elsewhere.example/v1/quotes?cursor=2", "next is no address of the next one"),
        ("/v1/quotes?limit=100", "next comes to no end: page 1 leads on"),
        ("/v1/quotes?cursor=2", "next comes to no end: page 2 leads on"),
    ],
    ids=str,
)
def test_pages_that_lead_elsewhere_or_in_a_circle_end_the_run(
    following: object, says: str, platform: Platform
) -> None:
    platform.api.fail(path="/v1/quotes", body=json.dumps({"items": [], "next": following}))
    code, message = platform.error("fetch_market_data")
    assert (code, message[: len(says) + 20]) == (65, f"the page of quotes: {says}")


WRONG: dict[str, tuple[object, str]] = {
    "no object": ("SOL", "record 3 of quotes is no JSON object"),
    "no price": ({"id": "SOL", "trade": 301}, "record 3 of quotes: price is no amount above 0"),
    "a price of nothing": (
        {"id": "SOL", "trade": 301, "price": "0"},
        "record 3 of quotes: price is no amount above 0",
    ),
    "a price of too many decimals": (
        {"id": "SOL", "trade": 301, "price": "0.0000000000000000001"},
        "record 3 of quotes: price is no amount above 0 with 18 decimals at most",
    ),
    "a trade that is no number": (
        {"id": "SOL", "trade": "last", "price": "1"},
        "record 3 of quotes: trade is no whole number from 0",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_one_record_that_is_no_quote_is_named_and_none_is_written(what: str, platform: Platform) -> None:
    record, says = WRONG[what]
    platform.api.fail(path="/v1/quotes", replace_item=2, **{"with": record})
    code, message = platform.error("fetch_market_data")
    assert (code, message[: len(says)]) == (65, says)
    assert platform.sql("SELECT count(*) FROM quotes WHERE trade IN (105, 202)") == [(0,)]
    with platform.redis() as client:
        assert client.dbsize() == 0


def test_quotes_that_are_served_late_or_refused_at_first_are_fetched_all_the_same(platform: Platform) -> None:
    platform.api.fail(path="/v1/quotes", status=429, retry_after=1, times=1)
    platform.api.fail(path="/v1/quotes", status=503, times=1)
    assert platform.value("fetch_market_data")["new"] == 2


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"status": 401}, 78),
        ({"status": 429, "retry_after": 1}, 75),
        ({"status": 500}, 69),
        ({"cut_after_bytes": 30}, 69),
        ({"body": "<html>"}, 65),
        ({"body": '{"items": null}'}, 65),
    ],
    ids=str,
)
def test_an_exchange_that_fails_leaves_everything_as_it_was(
    fault: dict[str, Any], code: int, platform: Platform
) -> None:
    platform.api.fail(path="/v1/quotes", **fault)
    assert platform.error("fetch_market_data")[0] == code
    assert platform.sql("SELECT count(*) FROM quotes WHERE trade IN (105, 202)") == [(0,)]


def test_without_redis_the_quotes_are_written_and_a_second_run_publishes_them(platform: Platform) -> None:
    assert platform.error("fetch_market_data", env={"REDIS_URL": f"redis://{GONE}/0"})[0] == 69
    assert platform.value("fetch_market_data") == {"quotes": 3, "new": 0}
    with platform.redis() as client:
        assert client.get("quote:ETH") == "3100.50"


def test_the_figures_of_24_hours_are_written_once(platform: Platform) -> None:
    assert platform.value("update_24h_stats") == {"symbols": 2, "changed": 2, "removed": 0}
    assert platform.sql(STATS) == [BTC, ETH]
    assert platform.value("update_24h_stats") == {"symbols": 2, "changed": 0, "removed": 0}


def test_they_are_those_before_the_slot_of_the_run(platform: Platform) -> None:
    slot = datetime.now(UTC) - timedelta(hours=30)
    assert platform.value("update_24h_stats", slot=slot) == {"symbols": 3, "changed": 3, "removed": 0}
    assert platform.sql(STATS)[2] == ("SOL", 150, 150, 150, 150, 1)
    assert platform.value("update_24h_stats") == {"symbols": 2, "changed": 2, "removed": 1}
    assert platform.sql(STATS) == [BTC, ETH]


def test_an_alert_whose_price_is_reached_is_triggered_once(platform: Platform) -> None:
    mails = "SELECT key, user_id, subject, body FROM mails ORDER BY key"
    written = [
        (
            "price-alert-1",
            1,
            "BTC is above 63000",
            "BTC was traded at 63000; your alert was for above 63000.",
        ),
        ("price-alert-3", 3, "SOL is below 150", "SOL was traded at 150; your alert was for below 150."),
    ]
    assert platform.value("check_price_alerts") == {"triggered": [1, 3], "waiting": 2}
    assert platform.sql(mails) == written
    assert platform.value("check_price_alerts") == {"triggered": [], "waiting": 2}
    assert platform.sql(mails) == written
    platform.sql(
        "INSERT INTO quotes (symbol, trade, price) VALUES ('BTC', 900, 70000.5), ('ETH', 900, 2500.01)"
    )
    assert platform.value("check_price_alerts") == {"triggered": [4], "waiting": 1}


def test_a_price_that_nobody_has_confirmed_for_long_triggers_no_alert(platform: Platform) -> None:
    platform.sql("UPDATE quotes SET seen_at = now() - interval '2 hours' WHERE symbol = 'SOL'")
    run = platform.run("check_price_alerts")
    assert run.value == {"triggered": [1], "waiting": 3}
    assert "quotes are too old to trigger an alert" in run.logs
    platform.value("fetch_market_data")  # the exchange says the same trade is the latest
    assert platform.value("check_price_alerts")["triggered"] == [3]
    assert platform.error("check_price_alerts", oldest_quote_minutes=0)[0] == 65


def test_a_very_small_price_is_kept_to_its_last_decimal(platform: Platform) -> None:
    platform.api.fail(
        path="/v1/quotes",
        body='{"items": [{"id": "PEPE", "trade": 1, "price": "0.000000000000000004"}], "next": null}',
    )
    assert platform.value("fetch_market_data") == {"quotes": 1, "new": 1}
    assert platform.sql("SELECT price::text FROM quotes WHERE symbol = 'PEPE'") == [("0.000000000000000004",)]
