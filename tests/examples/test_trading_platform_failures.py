"""The trading platform when what it needs is gone or slow, refuses, breaks off or says what it should not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.examples.locked_tables import cancelled_in_a_batch
from tests.examples.system import FOLDER, System
from tests.examples.time_limits import check_timed_out, ending_after
from tests.waiting import wait_until

SYSTEM = "trading-platform"
SYNCED = [["1", "BTC", "0.5"], ["1", "ETH", "2"], ["2", "SOL", "10"], ["3", "BTC", "0.1"], ["3", "ETH", "3"]]
HOLDINGS = "SELECT portfolio_id, symbol, quantity::float FROM holdings ORDER BY 1, 2"
NEW_QUOTES = "SELECT count(*) FROM quotes WHERE trade IN (105, 202)"
MAILS = (
    "SELECT key, sent_at IS NOT NULL, refused_at IS NOT NULL FROM mails WHERE kind = 'price-alert' ORDER BY 1"
)
YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
ARGUMENTS = {"send-daily-summary-emails": {"day": YESTERDAY}}
"""Else it would be of another day after midnight."""
OF_DATABASE = (
    *("sync-portfolio", "sync-portfolios", "monitor-risk", "evaluate-risk-limits", "restart-unhealthy-bots"),
    *("check-price-alerts", "send-price-notification", "send-daily-summary-emails"),
    *("update-24h-stats", "generate-daily-report", "cleanup-data", "vacuum-database"),
)
"""The jobs that begin with PostgreSQL."""
PASSWORD = "trial"  # of the database, and of Redis


@pytest.fixture(autouse=True)
def _as_at_first(system: System) -> None:
    """The schema's rows, the files' data, no keys, no mails, no faults."""
    system.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION app")
    schema = (FOLDER / SYSTEM / "schema.sql").read_text()
    # The trial server writes its log a little later, and a test may stop it at once, as a crash does.
    system.sql(f"SET synchronous_commit = on; {schema}", user="app")
    system.redis("FLUSHALL")
    system.reset_api()
    system.clear_mails()
    system.clear_faults()


def run_all(system: System, *names: str) -> dict[str, dict[str, Any]]:
    """The records of runs that go on at the same time."""
    started = {name: system.start(name, args=ARGUMENTS.get(name)) for name in names}
    return {name: system.wait(name, run) for name, run in started.items()}


def exit_codes(records: dict[str, dict[str, Any]]) -> dict[str, int]:
    """Of runs that must not have told a password."""
    assert PASSWORD not in str(records)
    return {name: run["exitCode"] for name, run in records.items()}


def values(system: System, *names: str) -> list[Any]:
    """What runs that succeed at the same time report."""
    records = run_all(system, *names)
    assert {run["result"] for run in records.values()} == {"Succeeded"}, records
    return [run["value"] for run in records.values()]


def test_without_postgresql_runs_are_unavailable_and_the_next_ones_do_the_work(system: System) -> None:
    with system.stopped("postgresql"):
        assert exit_codes(run_all(system, *OF_DATABASE)) == dict.fromkeys(OF_DATABASE, 69)
    assert (system.requests(), system.mails()) == ([], [])
    synced, mailed = values(system, "sync-portfolios", "send-daily-summary-emails")
    assert (synced["synced"], mailed["sent"], len(system.mails())) == (4, 2, 2)


def test_without_redis_the_database_is_written_and_the_next_runs_publish(system: System) -> None:
    names = ("monitor-risk", "fetch-market-data", "bot-health-check")
    with system.stopped("redis"):
        assert exit_codes(run_all(system, *names)) == dict.fromkeys(names, 69)
    assert system.redis("DBSIZE") == "0"
    assert system.sql(f"{NEW_QUOTES}; SELECT count(*) FROM risks; SELECT count(*) FROM bots") == [
        *(["2"], ["4"], ["4"]),
    ]
    assert values(system, "fetch-market-data") == [{"quotes": 3, "new": 0}]
    assert system.redis("GET", "quote:ETH") == "3100.50"


def test_without_a_mail_server_no_mail_is_lost(system: System) -> None:
    names = ("send-price-notification", "send-daily-summary-emails")
    values(system, "check-price-alerts")
    with system.stopped("smtp"):
        assert exit_codes(run_all(system, *names)) == dict.fromkeys(names, 69)
    assert system.sql(MAILS) == [["price-alert-1", "f", "f"], ["price-alert-3", "f", "f"]]
    assert [value["sent"] for value in values(system, *names)] == [2, 2]
    assert len({mail["Message-ID"] for mail in system.mails()}) == 4


def test_a_recipient_who_is_refused_is_told_of_and_the_others_get_theirs(system: System) -> None:
    system.smtp_fault(recipient="ada@example.com", code=550)
    values(system, "check-price-alerts")
    prices, summaries = values(system, "send-price-notification", "send-daily-summary-emails")
    assert (prices["sent"], prices["refused"], prices["refusedUsers"]) == (1, 1, [1])
    assert (summaries["sent"], summaries["refusedUsers"]) == (1, [1])
    assert sorted(mail["To"] for mail in system.mails()) == ["ben@example.com", "cleo@example.com"]
    assert system.sql(MAILS) == [["price-alert-1", "f", "t"], ["price-alert-3", "t", "f"]]


def test_a_mail_server_that_takes_no_mail_for_a_while_loses_none(system: System) -> None:
    system.smtp_fault(code=554)
    values(system, "check-price-alerts")
    assert exit_codes(run_all(system, "send-price-notification")) == {"send-price-notification": 69}
    assert system.sql(MAILS) == [["price-alert-1", "f", "f"], ["price-alert-3", "f", "f"]]
    system.clear_faults()
    assert values(system, "send-price-notification")[0]["sent"] == 2


def test_an_exchange_that_is_gone_changes_nothing(system: System) -> None:
    names = ("sync-portfolios", "fetch-market-data", "bot-health-check")
    with system.stopped("api"):
        assert exit_codes(run_all(system, *names)) == dict.fromkeys(names, 69)
    assert (
        system.sql(f"SELECT count(*) FROM holdings; {NEW_QUOTES}; SELECT count(*) FROM bots") == [["0"]] * 3
    )


def test_an_exchange_that_refuses_breaks_off_or_wants_patience_is_told_apart(system: System) -> None:
    system.api_fault(path="/v1/accounts", status=401)
    system.api_fault(path="/v1/bots", status=429, retry_after=1)
    system.api_fault(path="/v1/quotes", cut_after_bytes=30)
    codes = exit_codes(run_all(system, "sync-portfolio", "bot-health-check", "fetch-market-data"))
    assert codes == {"sync-portfolio": 78, "bot-health-check": 75, "fetch-market-data": 69}
    assert (
        system.sql(f"SELECT count(*) FROM holdings; {NEW_QUOTES}; SELECT count(*) FROM bots") == [["0"]] * 3
    )
    system.clear_faults()
    system.api_fault(path="/v1/quotes", status=429, retry_after=1, times=1)
    system.api_fault(path="/v1/quotes", cut_after_bytes=30, times=1)
    assert values(system, "fetch-market-data") == [{"quotes": 3, "new": 2}]


def test_a_restart_whose_answer_is_lost_is_not_asked_for_again_and_one_that_is_refused_is(
    system: System,
) -> None:
    values(system, "bot-health-check")
    system.api_fault(path="/v1/bots/grid/restart", cut_after_bytes=3)
    system.api_fault(path="/v1/bots/market-maker/restart", status=403, times=1)
    run = system.run("restart-unhealthy-bots")
    assert (run["exitCode"], run["message"][:35]) == (69, "Unavailable: 2 of 2 restarts failed")
    assert system.sql("SELECT id, restarts FROM bots WHERE restarts > 0") == [["grid", "1"]]
    assert values(system, "restart-unhealthy-bots") == [{"restarted": ["market-maker"], "givenUp": []}]
    asked = [each["path"] for each in system.requests("/v1/bots/grid") if each["method"] == "POST"]
    assert len(asked) == 1


def test_a_server_that_hangs_is_given_up_at_the_end_of_the_runs_time(system: System) -> None:
    names = ("fetch-market-data", "monitor-risk", "send-price-notification")
    values(system, "check-price-alerts")
    system.api_fault(path="/v1/quotes", delay_seconds=60)
    system.smtp_fault(delay_seconds=60, code=451)
    with ending_after(system, "8s", *names), system.frozen("redis"):
        runs = run_all(system, *names)
    check_timed_out(system, runs)
    assert PASSWORD not in str(runs)
    assert system.sql(f"{NEW_QUOTES}; SELECT count(*) FROM risks") == [["0"], ["4"]]
    assert system.sql(MAILS) == [["price-alert-1", "f", "f"], ["price-alert-3", "f", "f"]]


def test_what_was_not_promised_is_named_and_nothing_of_it_is_written(system: System) -> None:
    system.api_fault(path="/v1/bots", replace_item=2, replacement={"id": "grid", "status": 7})
    system.api("PATCH", "/v1/accounts/ACC-2", {"balances": [{"symbol": "SOL", "quantity": 10.0}]})
    runs = run_all(system, "bot-health-check", "sync-portfolios")
    assert exit_codes(runs) == {"bot-health-check": 65, "sync-portfolios": 65}
    assert "record 3 of bots: status is no text" in runs["bot-health-check"]["message"]
    assert system.sql("SELECT count(*) FROM bots") == [["0"]]
    says = "1 of 4 portfolios failed: portfolio 2: account ACC-2: balances[0].quantity is no amount above 0"
    assert says in runs["sync-portfolios"]["message"]
    assert system.sql(HOLDINGS) == [row for row in SYNCED if row[0] != "2"]


def test_a_run_that_is_cancelled_leaves_whole_portfolios_and_the_next_one_does_the_rest(
    system: System,
) -> None:
    system.api_fault(path="/v1/accounts/ACC-3", delay_seconds=60)
    started = system.start("sync-portfolios")
    wait_until(
        lambda: system.requests("/v1/accounts/ACC-3"),
        timeout=60,
        interval=0.5,
        describe="the third is asked for",
    )
    run = system.cancel("sync-portfolios", started)
    assert (run["result"], run["value"]) == (
        "Cancelled",
        {"portfolios": 4, "synced": 2, "changedHoldings": 3},
    )
    assert system.sql(HOLDINGS) == SYNCED[:3]
    assert system.sql("SELECT id FROM portfolios WHERE synced_at IS NOT NULL ORDER BY 1") == [["1"], ["2"]]
    system.clear_faults()
    assert values(system, "sync-portfolios")[0]["changedHoldings"] == 2
    assert system.sql(HOLDINGS) == SYNCED


@pytest.mark.parametrize(
    ("name", "table", "args"),
    [("cleanup-data", "audit_log", None), ("vacuum-database", "users", {"lock_seconds": 60})],
    ids=["clean-up", "vacuum"],
)
def test_upkeep_that_is_cancelled_says_how_far_it_came(
    name: str, table: str, args: dict[str, Any] | None, system: System
) -> None:
    tables = [row for (row,) in system.sql("SELECT relname FROM pg_stat_user_tables ORDER BY 1")]
    run = cancelled_in_a_batch(system, name, table=table, args=args)
    done = {"sessions": 2, "auditRows": 2, "quotes": 0, "breaches": 0}
    assert (run["result"], run["value"]) == (
        "Cancelled",
        done if name == "cleanup-data" else {"tables": tables[:-1]},
    )
    (again,) = values(system, name)
    rest = {"sessions": 0, "auditRows": 0, "quotes": 1, "breaches": 0}
    assert again == (rest if name == "cleanup-data" else {"tables": tables})


def test_a_broken_handler_file_hinders_no_other_and_its_own_run_says_what_is_wrong(system: System) -> None:
    name = "evaluate-risk-limits"
    broken = "from job_runner import job_handler\n\n@job_handler('broken')\ndef broken(:\n"
    system.add_handlers(name, {"broken.py": broken})
    run = system.run(name)
    assert run["result"] == "Succeeded"
    assert "not loaded: /more-handlers/broken.py: SyntaxError" in system.log(run)
    job = system.job(name)
    job.patch(handler="broken")
    job.wait_ready()
    run = system.run(name)
    assert run["exitCode"] == 78
    assert "/more-handlers/broken.py, which is broken: SyntaxError" in run["message"]


def test_an_unknown_handler_ends_with_exit_code_64_and_names_those_there_are(system: System) -> None:
    job = system.job("update-24h-stats")
    job.patch(handler="update_24h_stat")
    job.wait_ready()
    run = system.run("update-24h-stats")
    assert (run["result"], run["exitCode"]) == ("Failed", 64)
    assert "there is no handler 'update_24h_stat', did you mean 'update_24h_stats'?" in run["message"]
    assert "check_price_alerts, cleanup_data" in run["message"]
