"""The trading platform: each of its fourteen jobs, what it changes, and what a second run does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.examples.system import System

SYSTEM = "trading-platform"
STAGES = (
    ("sync-portfolios", "fetch-market-data", "bot-health-check", "cleanup-data"),
    ("sync-portfolio", "monitor-risk", "check-price-alerts", "restart-unhealthy-bots", "update-24h-stats"),
    ("evaluate-risk-limits", "send-price-notification", "generate-daily-report", "vacuum-database"),
    ("send-daily-summary-emails",),
)
SCHEDULES = {
    "sync-portfolios": ("*/5 * * * *", "scheduledjob-normal"),
    "monitor-risk": ("* * * * *", "scheduledjob-high"),
    "bot-health-check": ("*/2 * * * *", "scheduledjob-high"),
    "cleanup-data": ("0 3 * * *", "scheduledjob-low"),
    "vacuum-database": ("0 4 * * SUN", "scheduledjob-low"),
    "send-daily-summary-emails": ("0 8 * * *", "scheduledjob-normal"),
}
NOBODY_REFUSED: dict[str, Any] = {"refused": 0, "refusedUsers": []}
ROWS = {
    "holdings": "SELECT portfolio_id, symbol, quantity::float FROM holdings ORDER BY 1, 2",
    "quotes": "SELECT symbol, trade, price::float FROM quotes ORDER BY 1, 2",
    "market_stats": "SELECT symbol, opening::float, closing::float, low::float, high::float, quotes "
    "FROM market_stats ORDER BY 1",
    "risks": "SELECT portfolio_id, value, largest_symbol, largest_share_percent FROM risks ORDER BY 1",
    "breaches": "SELECT portfolio_id, broken_limit, closed_at IS NULL FROM breaches ORDER BY 1",
    "alerts": "SELECT id FROM alerts WHERE triggered_at IS NOT NULL ORDER BY 1",
    "mails": "SELECT kind, user_id, sent_at IS NOT NULL FROM mails ORDER BY 1, 2",
    "bots": "SELECT id, unhealthy_since IS NOT NULL, restarts FROM bots ORDER BY 1",
    "daily_reports": "SELECT portfolio_id, unpriced FROM daily_reports ORDER BY 1",
    "sessions": "SELECT id FROM sessions ORDER BY 1",
    "audit_log": "SELECT action FROM audit_log ORDER BY id",
}


@dataclass(frozen=True)
class Round:
    """What every job has reported once, and what was there afterwards."""

    values: dict[str, Any]
    rows: dict[str, list[list[str]]]
    keys: dict[str, str]
    mails: list[tuple[str, str]]
    restarts: list[str]


def look(system: System, values: dict[str, Any]) -> Round:
    statement = "; ".join(f"SELECT '{name}' AS name; {query}" for name, query in ROWS.items())
    rows: dict[str, list[list[str]]] = {}
    name = ""
    for row in system.sql(statement):
        if len(row) == 1 and row[0] in ROWS:
            name = row[0]
            rows[name] = []
        else:
            rows[name].append(row)
    keys = sorted(system.redis("KEYS", "*").split())
    return Round(
        values=values,
        rows=rows,
        keys={key: system.redis("TYPE", key) for key in keys},
        mails=sorted((mail["To"], mail["Subject"]) for mail in system.mails()),
        restarts=[each["path"] for each in system.requests() if each["method"] == "POST"],
    )


def run_all(system: System, *names: str, args: Mapping[str, dict[str, str]]) -> dict[str, dict[str, Any]]:
    """The records of runs that go on at the same time. args: of those that have some, by their names."""
    started = {name: system.start(name, args=args.get(name)) for name in names}
    return {name: system.wait(name, run) for name, run in started.items()}


@pytest.fixture(scope="module")
def rounds(system: System) -> tuple[Round, Round]:
    """Every job has run, and has run again, all of them at once."""
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()  # also after the midnight to come
    args = {name: {"day": yesterday} for name in ("generate-daily-report", "send-daily-summary-emails")}
    found = []
    at_once = tuple(name for stage in STAGES for name in stage)
    for stages in (STAGES, (at_once,)):
        records = {name: run for stage in stages for name, run in run_all(system, *stage, args=args).items()}
        failed = {name: run for name, run in records.items() if run["result"] != "Succeeded"}
        assert failed == {}
        found.append(look(system, {name: run["value"] for name, run in records.items()}))
    return found[0], found[1]


def test_the_six_scheduled_jobs_have_their_times_and_priorities(system: System) -> None:
    found = {}
    for name in SCHEDULES:
        spec = system.job(name).get("cronjob")["spec"]
        found[name] = (spec["schedule"], spec["jobTemplate"]["spec"]["template"]["spec"]["priorityClassName"])
    assert found == SCHEDULES


def test_portfolios_are_synced(rounds: tuple[Round, Round]) -> None:
    first, _ = rounds
    assert first.values["sync-portfolios"] == {"portfolios": 4, "synced": 4, "changedHoldings": 5}
    assert first.values["sync-portfolio"] == {"portfolio": 1, "changedHoldings": 0}
    assert [" ".join(row) for row in first.rows["holdings"]] == [
        *("1 BTC 0.5", "1 ETH 2", "2 SOL 10", "3 BTC 0.1", "3 ETH 3"),
    ]


def test_risk_is_measured_and_limits_are_evaluated(rounds: tuple[Round, Round]) -> None:
    first, _ = rounds
    measured = {"portfolios": 4, "unpriced": [], "opened": 2, "closed": 0, "broken": 2}
    assert first.values["monitor-risk"] == measured
    assert first.values["evaluate-risk-limits"] == {"opened": 0, "closed": 0, "broken": 2}
    # 1000 + 0.5 * 64000 + 2 * 3100.5; 250.50 + 10 * 150; 0.1 * 64000 + 3 * 3100.5
    assert [" ".join(row) for row in first.rows["risks"]] == [
        *("1 39201.00 BTC 81.63", "2 1750.50 SOL 85.69", "3 15701.50 ETH 59.24", "4 99.99  0.00"),
    ]
    assert first.rows["breaches"] == [["1", "largest_share_percent", "t"], ["2", "least_value", "t"]]


def test_market_data_is_fetched_and_its_figures_are_updated(rounds: tuple[Round, Round]) -> None:
    first, _ = rounds
    assert first.values["fetch-market-data"] == {"quotes": 3, "new": 2}
    assert first.values["update-24h-stats"] == {"symbols": 2, "changed": 2, "removed": 0}
    stats = [" ".join(row) for row in first.rows["market_stats"]]
    assert stats == ["BTC 62000 64000 59000 64000 4", "ETH 3000 3100.5 3000 3100.5 2"]


def test_alerts_are_triggered_and_their_mails_and_the_summaries_are_sent(rounds: tuple[Round, Round]) -> None:
    first, _ = rounds
    assert first.values["check-price-alerts"] == {"triggered": [1, 3], "waiting": 2}
    assert first.values["send-price-notification"] == {"sent": 2, **NOBODY_REFUSED}
    day = first.values["send-daily-summary-emails"]["day"]
    assert first.values["send-daily-summary-emails"] == {"day": day, "sent": 2, **NOBODY_REFUSED}
    assert first.mails == [
        ("ada@example.com", "BTC is above 63000"),
        ("ada@example.com", f"Your portfolios on {day}"),
        ("ben@example.com", f"Your portfolios on {day}"),
        ("cleo@example.com", "SOL is below 150"),
    ]


def test_bots_are_checked_and_the_unhealthy_ones_restarted(rounds: tuple[Round, Round]) -> None:
    first, _ = rounds
    assert first.values["bot-health-check"] == {"bots": 4, "unhealthy": ["grid", "market-maker"]}
    assert first.values["restart-unhealthy-bots"] == {"restarted": ["grid", "market-maker"], "givenUp": []}
    assert first.restarts == ["/v1/bots/grid/restart", "/v1/bots/market-maker/restart"]
    ill = [row for row in first.rows["bots"] if row[1] == "t"]
    assert ill == [["grid", "t", "1"], ["market-maker", "t", "1"]]


def test_a_report_is_written_and_old_data_is_removed(rounds: tuple[Round, Round]) -> None:
    first, _ = rounds
    report = first.values["generate-daily-report"]
    assert report == {"day": report["day"], "new": 4, "unpriced": []}
    assert first.rows["daily_reports"] == [[str(portfolio), "{}"] for portfolio in range(1, 5)]
    assert first.values["cleanup-data"] == {"sessions": 2, "auditRows": 2, "quotes": 1, "breaches": 0}
    assert first.rows["sessions"] == [["s2"]]
    assert ["BTC", "100", "60000"] not in first.rows["quotes"]
    assert first.rows["audit_log"][0] == ["login"]
    assert len(first.rows["audit_log"]) == 3  # and two restarts


def test_all_tables_are_vacuumed(rounds: tuple[Round, Round], system: System) -> None:
    first, _ = rounds
    vacuumed = system.sql("SELECT relname FROM pg_stat_user_tables WHERE vacuum_count > 1 ORDER BY 1")
    assert [name for (name,) in vacuumed] == first.values["vacuum-database"]["tables"]
    assert len(vacuumed) == 14


def test_figures_are_published_in_redis(rounds: tuple[Round, Round]) -> None:
    first, _ = rounds
    assert first.keys == {
        "bots:unhealthy": "set",
        **dict.fromkeys(("quote:BTC", "quote:ETH", "quote:SOL"), "string"),
        **{f"risk:portfolio:{portfolio}": "hash" for portfolio in range(1, 5)},
    }


def test_a_second_run_of_everything_changes_nothing_but_that_the_bots_are_well(
    rounds: tuple[Round, Round],
) -> None:
    first, second = rounds
    well = [[bot, "f", "0"] for bot, *_ in first.rows["bots"]]
    assert second.rows == {**first.rows, "bots": well}
    assert (second.mails, second.restarts) == (first.mails, first.restarts)
    assert second.keys == {key: kind for key, kind in first.keys.items() if key != "bots:unhealthy"}
    assert second.values["fetch-market-data"] == {"quotes": 3, "new": 0}
    assert second.values["send-daily-summary-emails"]["sent"] == 0
