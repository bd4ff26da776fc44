"""Portfolios are what the exchange says they are, and their risk is measured."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.handlers.trading_platform.platform import GONE, Platform, terminate
from tests.waiting import wait_until

HOLDINGS = "SELECT portfolio_id, symbol, quantity::float FROM holdings ORDER BY 1, 2"
SYNCED = [(1, "BTC", 0.5), (1, "ETH", 2.0), (2, "SOL", 10.0), (3, "BTC", 0.1), (3, "ETH", 3.0)]
CASH = "SELECT id, cash::float FROM portfolios ORDER BY 1"


def test_all_portfolios_are_taken_over_and_a_second_time_nothing_changes(platform: Platform) -> None:
    assert platform.value("sync_portfolios") == {"portfolios": 4, "synced": 4, "changedHoldings": 5}
    assert platform.sql(HOLDINGS) == SYNCED
    assert platform.sql(CASH) == [(1, 1000.0), (2, 250.5), (3, 0.0), (4, 99.99)]
    assert platform.value("sync_portfolios") == {"portfolios": 4, "synced": 4, "changedHoldings": 0}
    assert platform.sql(HOLDINGS) == SYNCED


def test_one_portfolio_is_taken_over_and_no_other(platform: Platform) -> None:
    assert platform.value("sync_portfolio", portfolio=2) == {"portfolio": 2, "changedHoldings": 1}
    assert platform.sql(HOLDINGS) == [(2, "SOL", 10.0)]
    assert platform.sql("SELECT id FROM portfolios WHERE synced_at IS NOT NULL") == [(2,)]


def test_what_was_sold_and_bought_is_gone_and_there(platform: Platform) -> None:
    platform.value("sync_portfolios")
    balances = [{"symbol": "ETH", "quantity": "2.5"}, {"symbol": "ADA", "quantity": "7"}]
    platform.change("/v1/accounts/ACC-1", balances=balances)
    assert platform.value("sync_portfolio", portfolio=1)["changedHoldings"] == 3
    assert platform.sql(HOLDINGS)[:2] == [(1, "ADA", 7.0), (1, "ETH", 2.5)]


def test_a_portfolio_that_does_not_exist_is_an_error(platform: Platform) -> None:
    code, says = platform.error("sync_portfolio", portfolio=99)
    assert (code, says[:30]) == (65, "there is no such portfolio: gi")


WRONG: dict[str, tuple[dict[str, object], str]] = {
    "a number for an amount": ({"cash": 12.5}, "account ACC-2: cash is no amount from 0"),
    "less than nothing": (
        {"balances": [{"symbol": "BTC", "quantity": "1"}, {"symbol": "SOL", "quantity": "-1"}]},
        "account ACC-2: balances[1].quantity is no amount above 0",
    ),
    "no symbol": (
        {"balances": [{"quantity": "1"}]},
        "account ACC-2: balances[0].symbol is no text in one line",
    ),
    "no list": ({"balances": {}}, "account ACC-2: balances is no list"),
    "less than can be kept": (
        {"balances": [{"symbol": "SOL", "quantity": "1E-999999999"}]},
        "account ACC-2: balances[0].quantity is no amount above 0 with 18 decimals at most",
    ),
    "infinitely much": ({"cash": "Infinity"}, "account ACC-2: cash is no amount from 0"),
}


@pytest.mark.parametrize("what", WRONG)
def test_an_account_that_is_not_what_was_promised_is_left_alone_and_the_others_are_synced(
    what: str, platform: Platform
) -> None:
    fields, says = WRONG[what]
    platform.change("/v1/accounts/ACC-2", **fields)
    code, message = platform.error("sync_portfolios")
    assert code == 65
    assert message.startswith(f"1 of 4 portfolios failed: portfolio 2: {says}")
    assert platform.sql(HOLDINGS) == [row for row in SYNCED if row[0] != 2]
    assert platform.sql("SELECT cash::float FROM portfolios WHERE id = 2") == [(0.0,)]


def test_what_is_owned_is_kept_to_its_last_decimal(platform: Platform) -> None:
    balances = [{"symbol": "ETH", "quantity": "0.000000000000000001"}]
    platform.change("/v1/accounts/ACC-1", cash="0.123456789", balances=balances)
    platform.value("sync_portfolios")
    owned = "SELECT trim_scale(cash), trim_scale(quantity) FROM portfolios JOIN holdings ON id = portfolio_id"
    assert platform.sql(f"{owned} WHERE id = 1") == [(Decimal("0.123456789"), Decimal("1E-18"))]


def test_a_portfolio_that_the_database_refuses_keeps_no_other_from_its_turn(platform: Platform) -> None:
    platform.sql("ALTER TABLE holdings ADD CHECK (symbol <> 'BTC' OR portfolio_id <> 1)")
    for _ in range(2):
        code, message = platform.error("sync_portfolios")
        assert (code, message[:41]) == (65, "1 of 4 portfolios failed: portfolio 1: ne")
        assert platform.sql(HOLDINGS) == [row for row in SYNCED if row[0] != 1]
    assert platform.sql("SELECT cash::float, synced_at FROM portfolios WHERE id = 1") == [(0.0, None)]
    assert platform.error("sync_portfolio", portfolio=1)[0] == 65
    asked = [each["path"][-5:] for each in platform.api.requests()][4:8]
    assert asked == ["ACC-1", "ACC-2", "ACC-3", "ACC-4"], "each in its turn, as tried longest ago"


def test_one_that_fails_is_tried_after_those_that_have_waited_longer(platform: Platform) -> None:
    platform.api.fail(path="/v1/accounts", status=500)
    platform.error("sync_portfolios")  # three in a row, and the fourth has not had its turn
    platform.api.clear_faults()
    platform.value("sync_portfolios")
    assert [each["path"][-5:] for each in platform.api.requests()][3] == "ACC-4"


def test_an_account_that_breaks_off_is_unavailable_and_the_others_are_synced(platform: Platform) -> None:
    platform.api.fail(path="/v1/accounts/ACC-1", cut_after_bytes=20)
    code, message = platform.error("sync_portfolios")
    assert (code, message[:45]) == (69, "1 of 4 portfolios failed: portfolio 1: GET 12")
    assert platform.sql(HOLDINGS) == [row for row in SYNCED if row[0] != 1]
    platform.api.clear_faults()
    assert platform.value("sync_portfolios")["changedHoldings"] == 2


def test_three_accounts_in_a_row_that_cannot_be_had_mean_that_the_exchange_is_gone(
    platform: Platform,
) -> None:
    platform.api.fail(path="/v1/accounts", status=500)
    code, message = platform.error("sync_portfolios")
    assert (code, message[:27]) == (69, "3 of 3 portfolios failed: p")
    assert platform.asked("GET", "/v1/accounts/ACC-4") == 0


def test_an_exchange_that_does_not_know_us_is_a_matter_of_configuration(platform: Platform) -> None:
    platform.api.fail(path="/v1/accounts", status=401)
    code, message = platform.error("sync_portfolios")
    assert (code, message[:27]) == (78, "4 of 4 portfolios failed: p")


def test_of_many_accounts_that_are_wrong_some_are_described_and_the_others_counted(
    platform: Platform,
) -> None:
    wrong = [{"id": f"X-{number}", "cash": None} for number in range(8)]
    platform.api.serve(accounts=wrong)
    platform.sql("UPDATE portfolios SET account = 'X-' || (id - 1)")
    platform.sql(
        "INSERT INTO portfolios (id, user_id, account) "
        "SELECT n, 1, 'X-' || (n - 1) FROM generate_series(5, 8) AS n"
    )
    code, message = platform.error("sync_portfolios")
    assert (code, message[:27]) == (65, "8 of 8 portfolios failed: p")
    assert message.count("balances is no list") == 5
    assert message.endswith("; and 3 more")


def test_a_run_that_is_cancelled_leaves_whole_portfolios_and_the_next_one_goes_on(platform: Platform) -> None:
    platform.api.fail(path="/v1/accounts/ACC-3", delay_seconds=60)
    running = platform.start("sync_portfolios")
    wait_until(lambda: platform.asked("GET", "/v1/accounts/ACC-3"), describe="the third account is asked for")
    ended = terminate(running)
    assert ended.exit_code == 143
    assert ended.message is not None
    assert ended.message["value"] == {"portfolios": 4, "synced": 2, "changedHoldings": 3}
    assert platform.sql(HOLDINGS) == SYNCED[:3]
    platform.api.clear_faults()
    platform.api.fail(path="/v1/accounts/ACC-1", status=500)
    platform.error("sync_portfolios")
    assert platform.sql(HOLDINGS) == SYNCED
    asked = [each["path"][-5:] for each in platform.api.requests()]
    assert asked.index("ACC-4") < asked.index("ACC-1", 1)


def measure(platform: Platform) -> dict[str, object]:
    platform.value("sync_portfolios")
    measured: dict[str, object] = platform.value("monitor_risk")
    return measured


def test_risk_is_measured_written_down_and_published(platform: Platform) -> None:
    breaches = {"opened": 2, "closed": 0, "broken": 2}
    assert measure(platform) == {"portfolios": 4, "unpriced": [], **breaches}
    rows = platform.sql(
        "SELECT portfolio_id, value, largest_symbol, largest_share_percent FROM risks ORDER BY 1"
    )
    # 1000 + 0.5 * 63000 + 2 * 3000; 250.50 + 10 * 150; 0.1 * 63000 + 3 * 3000
    assert rows == [
        (1, Decimal("38500.00"), "BTC", Decimal("81.82")),
        (2, Decimal("1750.50"), "SOL", Decimal("85.69")),
        (3, Decimal("15300.00"), "ETH", Decimal("58.82")),
        (4, Decimal("99.99"), None, Decimal("0.00")),
    ]
    with platform.redis() as client:
        published = {
            "value": "38500.00",
            "largest_symbol": "BTC",
            "largest_share_percent": "81.82",
        }
        assert client.hgetall("risk:portfolio:1") == published
        assert 0 < client.ttl("risk:portfolio:1") <= 300
        assert client.dbsize() == 4


def test_a_breach_is_opened_once_and_closed_once(platform: Platform) -> None:
    open_now = "SELECT portfolio_id, broken_limit FROM breaches WHERE closed_at IS NULL ORDER BY 1"
    measure(platform)
    assert platform.sql(open_now) == [(1, "largest_share_percent"), (2, "least_value")]
    assert platform.value("monitor_risk")["opened"] == 0
    platform.sql("UPDATE risk_limits SET largest_share_percent = 90 WHERE portfolio_id = 1")
    platform.sql("UPDATE risk_limits SET least_value = NULL WHERE portfolio_id = 2")
    only_two = {"opened": 0, "closed": 1, "broken": 0}
    assert platform.value("evaluate_risk_limits", portfolio=2) == only_two
    assert platform.sql(open_now) == [(1, "largest_share_percent")]
    assert platform.value("evaluate_risk_limits") == only_two
    assert platform.value("evaluate_risk_limits") == {"opened": 0, "closed": 0, "broken": 0}
    assert platform.sql("SELECT count(*) FROM breaches") == [(2,)]


def test_a_symbol_without_a_quote_counts_for_nothing_and_is_named(platform: Platform) -> None:
    platform.change("/v1/accounts/ACC-4", balances=[{"symbol": "XYZ", "quantity": "1"}])
    assert measure(platform)["unpriced"] == ["XYZ"]
    assert platform.sql("SELECT value::float FROM risks WHERE portfolio_id = 4") == [(99.99,)]


def test_without_redis_the_risk_is_written_down_and_the_run_fails_for_a_retry(platform: Platform) -> None:
    code, _ = platform.error("monitor_risk", env={"REDIS_URL": f"redis://{GONE}/0"})
    assert code == 69
    assert platform.sql("SELECT count(*) FROM risks") == [(4,)]


def test_without_postgresql_nothing_is_asked_of_the_exchange(platform: Platform) -> None:
    for handler in ("sync_portfolios", "monitor_risk"):
        code, says = platform.error(handler, env={"DATABASE_URL": f"postgresql://app:hidden@{GONE}/app"})
        assert code == 69
        assert "hidden" not in says
    assert platform.api.requests() == []
