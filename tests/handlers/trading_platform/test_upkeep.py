"""The database is kept small and quick, and each day has its report."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
import pytest

from tests.handlers.trading_platform.platform import GONE, Platform

REMOVED = {"sessions": 2, "auditRows": 2, "quotes": 1, "breaches": 0}
NOTHING = dict.fromkeys(REMOVED, 0)


def test_what_is_too_old_is_removed_once(platform: Platform) -> None:
    assert platform.value("cleanup_data") == REMOVED
    assert platform.sql("SELECT id FROM sessions") == [("s2",)]
    assert platform.sql("SELECT action FROM audit_log") == [("login",)]
    assert platform.sql("SELECT min(trade) FROM quotes WHERE symbol = 'BTC'") == [(101,)]
    assert platform.value("cleanup_data") == NOTHING


def test_more_than_a_batch_is_removed_and_the_latest_quote_stays(platform: Platform) -> None:
    platform.sql(
        "INSERT INTO quotes (symbol, trade, price, at) "
        "SELECT 'OLD', n, 1, now() - interval '40 days' FROM generate_series(1, 2500) AS n"
    )
    assert platform.value("cleanup_data") == {**REMOVED, "quotes": 1 + 2499}
    assert platform.sql("SELECT trade FROM quotes WHERE symbol = 'OLD'") == [(2500,)]


def test_cleaning_up_keeps_what_the_figures_of_a_day_need(platform: Platform) -> None:
    code, says = platform.error("cleanup_data", quote_days=1)
    assert (code, says[:22]) == (65, "audit_days is 1 at lea")
    assert platform.error("cleanup_data", audit_days=10**10)[0] == 65


def test_all_tables_are_vacuumed_and_nothing_in_them_changes(platform: Platform) -> None:
    platform.sql("DELETE FROM audit_log")
    before = platform.sql("SELECT symbol, trade FROM quotes ORDER BY 1, 2")
    for _ in range(2):
        tables = platform.value("vacuum_database")["tables"]
        assert len(tables) == 14
    vacuumed = "SELECT relname FROM pg_stat_user_tables WHERE vacuum_count >= 2 AND analyze_count >= 2"
    assert sorted(name for (name,) in platform.sql(vacuumed)) == sorted(tables)
    assert platform.sql("SELECT pg_relation_size('audit_log')") == [(0,)]
    assert platform.sql("SELECT symbol, trade FROM quotes ORDER BY 1, 2") == before


def test_a_table_that_is_locked_is_for_a_later_attempt(platform: Platform) -> None:
    with psycopg.connect(platform.addresses["DATABASE_URL"]) as busy:
        busy.execute("LOCK TABLE users")
        assert platform.error("vacuum_database", tables=["users"], lock_seconds=0.2)[0] == 75
    assert platform.value("vacuum_database", tables=["users"]) == {"tables": ["users"]}


@pytest.mark.parametrize("seconds", [0, -1, 1e12])
def test_a_patience_that_makes_no_sense_is_refused(seconds: float, platform: Platform) -> None:
    assert platform.error("vacuum_database", lock_seconds=seconds) == (65, "lock_seconds is 0.001 to 3600")


def test_a_table_that_does_not_exist_is_an_error_that_names_those_that_do(platform: Platform) -> None:
    code, says = platform.error("vacuum_database", tables=["users", "users; DROP TABLE users"])
    assert (code, says[:55]) == (65, "table number 2 of tables is not there: there are alerts")


def test_a_report_is_written_once_for_a_day(platform: Platform) -> None:
    platform.value("sync_portfolios")
    assert platform.value("generate_daily_report", day="2020-02-29") == {
        "day": "2020-02-29",
        "new": 4,
        "unpriced": ["BTC", "ETH", "SOL"],
    }
    assert platform.value("generate_daily_report", day="2020-02-29")["new"] == 0
    rows = platform.sql("SELECT portfolio_id, opening_value::float FROM daily_reports ORDER BY 1")
    assert rows == [(1, 1000.0), (2, 250.5), (3, 0.0), (4, 99.99)]


def test_a_report_without_all_prices_says_so_and_is_written_anew_when_they_are_there(
    platform: Platform,
) -> None:
    platform.value("sync_portfolios")
    platform.sql("CREATE TABLE kept AS SELECT * FROM quotes WHERE symbol = 'SOL'")
    platform.sql("DELETE FROM quotes WHERE symbol = 'SOL'")
    report = platform.run("generate_daily_report")
    assert isinstance(report.value, dict)
    assert (report.value["new"], report.value["unpriced"]) == (4, ["SOL"])
    assert "symbols without a quote count for nothing" in report.logs
    state = "SELECT closing_value::float, unpriced FROM daily_reports WHERE portfolio_id = 2"
    assert platform.sql(state) == [(250.5, ["SOL"])]
    platform.sql("INSERT INTO quotes SELECT * FROM kept")
    again = platform.value("generate_daily_report")
    assert (again["new"], again["unpriced"]) == (1, [])
    assert platform.sql(state) == [(1750.5, [])]


@pytest.mark.parametrize(
    ("day", "says"),
    [
        ("yesterday", "day is no date: write for instance 2026-11-21"),
        ("2999-01-01", "the day is not over: the last one to report on is 20"),
    ],
)
def test_a_day_that_cannot_be_reported_on_is_refused(day: str, says: str, platform: Platform) -> None:
    code, message = platform.error("generate_daily_report", day=day)
    assert (code, message[: len(says)]) == (65, says)


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati"])
def test_the_day_is_one_of_the_schedules_time_zone(zone: str, platform: Platform) -> None:
    slot = datetime(2026, 11, 22, 12, tzinfo=UTC)
    day = {"UTC": "2026-11-21", "Pacific/Kiritimati": "2026-11-22"}[zone]
    assert platform.value("generate_daily_report", slot=slot, time_zone=zone)["day"] == day


@pytest.mark.parametrize(
    "handler",
    [
        *("cleanup_data", "vacuum_database", "generate_daily_report", "send_daily_summary_emails"),
        *("check_price_alerts", "update_24h_stats", "evaluate_risk_limits", "restart_unhealthy_bots"),
    ],
)
def test_without_postgresql_a_run_is_unavailable(handler: str, platform: Platform) -> None:
    code, says = platform.error(handler, env={"DATABASE_URL": f"postgresql://app:hidden@{GONE}/app"})
    assert code == 69
    assert "hidden" not in says


def test_runs_at_once_do_the_work_once(platform: Platform) -> None:
    together = [platform.start("check_price_alerts") for _ in range(3)]
    assert [running.end().exit_code for running in together] == [0, 0, 0]
    assert platform.sql("SELECT key FROM mails ORDER BY key") == [("price-alert-1",), ("price-alert-3",)]
