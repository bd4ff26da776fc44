"""The lead processor on the cluster: each job at least once, a second time, and while a server fails it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cluster.paths import CHECKOUT
from tests.examples.lead_processor import (
    count,
    exit_codes,
    leave_one_to_follow_up,
    recipients,
    run_all,
    run_all_for_slot,
    scores,
)
from tests.examples.system import System
from tests.waiting import wait_until

SYSTEM = "lead-processor"
DAY = "2026-09-01"
SCORES = {
    "Yesterday": 0,
    "Today": 20,
    "Day 7": 20,
    "Day 8": 15,
    "Day 14": 15,
    "Day 15": 10,
    "Day 30": 10,
    "Day 31": 0,
    "Converted": 0,
    "Junk": 0,
    "Not interested": 0,
    "Deleted": 0,
}
OF_EACH_DAY = ("score-update", "daily-reports")
SMALL_PAGES = {"page_size": 5}
LEADS = json.loads((CHECKOUT / "examples/lead-processor/data/crm-leads.json").read_text())


@pytest.fixture(scope="module")
def first(system: System) -> dict[str, dict[str, Any]]:
    """The first run of every job."""
    system.sql(f"UPDATE lead SET travel_date = DATE '{DAY}' + (travel_date - created_at::date)")
    records = run_all_for_slot(
        system, [*OF_EACH_DAY, "web-url-sync", "session-cleanup", "health-check", "follow-ups", "crm-sync"]
    )
    return records | run_all_for_slot(system, ["metrics", "database-optimisation"])


def test_every_job_succeeds_and_says_what_it_did(first: dict[str, dict[str, Any]]) -> None:
    assert {name: record["result"] for name, record in first.items()} == dict.fromkeys(first, "Succeeded")
    values = {name: record["value"] for name, record in first.items()}
    assert values["score-update"] == {
        "day": DAY,
        "within7Days": 2,
        "within14Days": 2,
        "within30Days": 2,
    }
    assert values["web-url-sync"] == {"listed": 6, "added": 6, "changed": 0, "removed": 0}
    assert values["session-cleanup"] == {"removed": 50}
    assert set(values["health-check"]) == {"database", "crm", "mail"}
    assert values["follow-ups"] == {"sent": 2, "refused": 0}
    assert values["crm-sync"] == {
        "pages": 1,
        "inserted": 23,
        "updated": 0,
        "unchanged": 0,
        "finished": True,
    }
    assert values["daily-reports"] == {"day": DAY, "sent": 2, "sentEarlier": 0}
    assert values["metrics"]["sessions"] == 50
    assert len(values["database-optimisation"]["rows"]) == 4


def test_each_run_is_a_session_of_its_own_with_its_times_and_its_memory(
    first: dict[str, dict[str, Any]], system: System
) -> None:
    for name, record in first.items():
        assert record["trigger"] == "Manual", name
        assert record["durationSeconds"] > 0, name
        assert 10 * 2**20 < record["peakMemoryBytes"] < 128 * 2**20, name
        (mine,) = [run for run in system.job(name).status["recentRuns"] if run["id"] == record["id"]]
        assert mine == record


def test_the_scores_are_exact_at_the_borders_of_the_days(
    first: dict[str, dict[str, Any]], system: System
) -> None:
    assert scores(system) == SCORES


def test_leads_pages_sessions_and_figures_are_in_the_database(
    first: dict[str, dict[str, Any]], system: System
) -> None:
    rows = system.sql("SELECT crm_id, email, status, coalesce(travel_date::text, '') FROM lead ORDER BY id")
    assert rows[-23:] == [
        [lead["id"], lead["email"], lead["status"], lead["travelDate"] or ""] for lead in LEADS
    ]
    assert count(system, "landing_page") == 6
    assert count(system, "web_session WHERE expires_at <= now() - interval '2 minutes'") == 0
    figures = {name: float(value) for name, value in system.sql("SELECT name, value FROM metric")}
    assert figures == first["metrics"]["value"]


def test_the_mails_are_with_those_they_are_for(first: dict[str, dict[str, Any]], system: System) -> None:
    assert recipients(system) == [
        "day-30@example.org",
        "day-7@example.org",
        "office@travel.example",
        "sales@travel.example",
    ]


def test_a_second_run_of_the_same_day_changes_nothing_and_sends_nothing(
    first: dict[str, dict[str, Any]], system: System
) -> None:
    again = run_all_for_slot(
        system, [*OF_EACH_DAY, "web-url-sync", "session-cleanup", "follow-ups", "crm-sync"]
    )
    assert {name: record["value"] for name, record in again.items()} == {
        "web-url-sync": {"listed": 6, "added": 0, "changed": 0, "removed": 0},
        "session-cleanup": {"removed": 0},
        "follow-ups": {"sent": 0, "refused": 0},
        "crm-sync": {"pages": 1, "inserted": 0, "updated": 0, "unchanged": 23, "finished": True},
        "score-update": {"day": DAY, "within7Days": 0, "within14Days": 0, "within30Days": 0},
        "daily-reports": {"day": DAY, "sent": 0, "sentEarlier": 2},
    }
    assert scores(system) == SCORES
    assert len(system.mails()) == 4


def test_while_the_database_is_gone_every_job_that_needs_it_is_exit_69(
    first: dict[str, dict[str, Any]], system: System
) -> None:
    with system.stopped("postgresql"):
        records = run_all(
            system, ["score-update", "crm-sync", "daily-reports", "database-optimisation", "health-check"]
        )
    assert exit_codes(records) == dict.fromkeys(records, 69)
    assert "database: " in records["health-check"]["message"]
    assert scores(system) == SCORES
    assert len(system.mails()) == 4


def test_what_the_database_refuses_is_exit_78_and_nothing_is_half_done(
    first: dict[str, dict[str, Any]], system: System
) -> None:
    system.sql("REVOKE INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public FROM app")
    leave_one_to_follow_up(system, "Ada")
    try:
        records = run_all(system, ["score-update", "web-url-sync", "follow-ups", "database-optimisation"])
    finally:
        system.sql("GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app")
    assert exit_codes(records) == dict.fromkeys(records, 78)
    assert all("permission denied for table" in record["message"] for record in records.values())
    assert len(system.mails()) == 4


def test_a_statement_that_takes_too_long_ends_with_the_run_and_leaves_nothing(
    first: dict[str, dict[str, Any]], system: System
) -> None:
    job = system.job("score-update")
    job.patch(timeout="3s")
    job.wait_ready()
    system.sql(
        "CREATE FUNCTION takes_long() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_sleep(60); RETURN NEW; END';"
        "CREATE TRIGGER slow BEFORE UPDATE ON lead FOR EACH ROW EXECUTE FUNCTION takes_long()"
    )
    try:
        [record] = run_all_for_slot(system, ["score-update"], slot="2026-09-02T03:30:00Z").values()
    finally:
        system.sql("DROP TRIGGER slow ON lead")
        job.patch(timeout="5m")
    assert (record["result"], record["exitCode"]) == ("TimedOut", 124)
    assert scores(system) == {**SCORES, "Ada": 0}
    wait_until(
        lambda: count(system, "pg_stat_activity WHERE application_name = 'score-update'") == 0,
        describe="the statement has ended at the server, too",
    )


def test_while_the_api_and_the_mail_server_are_gone_their_jobs_are_exit_69_and_named(
    first: dict[str, dict[str, Any]], system: System
) -> None:
    with system.stopped("api"), system.stopped("smtp"):
        records = run_all(system, ["crm-sync", "web-url-sync", "follow-ups", "health-check"])
    assert exit_codes(records) == dict.fromkeys(records, 69)
    message = records["health-check"]["message"]
    assert "crm: " in message
    assert "mail: " in message
    assert count(system, "sent_mail") == 4
    assert run_all(system, ["follow-ups"])["follow-ups"]["value"] == {"sent": 1, "refused": 0}


def test_one_refused_recipient_is_named_by_its_place_and_the_other_has_the_report(
    first: dict[str, dict[str, Any]], system: System
) -> None:
    system.clear_mails()
    system.smtp_fault(recipient="sales@travel.example", code=550)
    try:
        [record] = run_all_for_slot(system, ["daily-reports"], slot="2026-09-03T03:00:00Z").values()
    finally:
        system.clear_faults()
    assert (record["exitCode"], recipients(system)) == (65, ["office@travel.example"])
    assert "the mail server refuses recipient 1 of the list" in record["message"]
    assert "sales@" not in record["message"]


@pytest.mark.parametrize(
    ("fault", "exit_code", "said"),
    [
        ({"after": 2, "cut_after_bytes": 200}, 69, "the connection broke"),
        ({"replace_item": 12, "replacement": {"id": "crm-13"}}, 65, "page 3, record 3: name is not a text"),
    ],
)
def test_answers_that_end_half_way_or_are_wrong_leave_whole_pages(
    first: dict[str, dict[str, Any]], system: System, fault: dict[str, Any], exit_code: int, said: str
) -> None:
    system.sql("DELETE FROM lead WHERE crm_id IS NOT NULL; DELETE FROM sync_position")
    system.api_fault(path="/v1/crm-leads", **fault)
    try:
        record = run_all(system, ["crm-sync"], args={"crm-sync": SMALL_PAGES})["crm-sync"]
    finally:
        system.clear_faults()
    assert record["exitCode"] == exit_code, record
    assert said in record["message"]
    assert count(system, "lead WHERE crm_id IS NOT NULL") == 10
    assert system.sql("SELECT cursor FROM sync_position") == [["at-10"]]


def test_a_run_that_is_cancelled_leaves_whole_pages_and_the_next_one_goes_on_from_there(
    first: dict[str, dict[str, Any]], system: System
) -> None:
    system.sql("DELETE FROM lead WHERE crm_id IS NOT NULL; DELETE FROM sync_position")
    system.api_fault(path="/v1/crm-leads", after=2, delay_seconds=20)
    try:
        run = system.start("crm-sync", args=SMALL_PAGES)
        wait_until(lambda: count(system, "lead WHERE crm_id IS NOT NULL") == 10, timeout=60)
        record = system.cancel("crm-sync", run)
    finally:
        system.clear_faults()
    assert record["result"] == "Cancelled"
    assert record["value"] == {
        "pages": 2,
        "inserted": 10,
        "updated": 0,
        "unchanged": 0,
        "finished": False,
    }
    rest = run_all(system, ["crm-sync"], args={"crm-sync": SMALL_PAGES})["crm-sync"]
    assert rest["value"] == {"pages": 3, "inserted": 13, "updated": 0, "unchanged": 0, "finished": True}
    assert count(system, "lead WHERE crm_id IS NOT NULL") == 23


def test_a_broken_handler_file_is_logged_and_the_others_load(
    first: dict[str, dict[str, Any]], system: System
) -> None:
    system.add_handlers("session-cleanup", {"broken.py": "def broken(:\n", "second.py": "import not_there\n"})
    record = system.run("session-cleanup")
    assert record["result"] == "Succeeded"
    log = system.log(record)
    assert "not loaded: /more-handlers/broken.py: SyntaxError" in log
    assert "not loaded: /more-handlers/second.py: ModuleNotFoundError" in log


def test_a_token_that_the_api_does_not_take_is_exit_78_and_stands_nowhere(
    first: dict[str, dict[str, Any]], system: System
) -> None:
    record = system.run("web-url-sync", env={"API_TOKEN": "a-token-of-yesterday"})
    assert record["exitCode"] == 78
    assert "answered 401" in record["message"]
    assert "a-token-of-yesterday" not in json.dumps(record) + system.log(record)
    assert count(system, "landing_page") == 6


def test_arguments_that_make_no_sense_are_exit_65_before_anything_is_done(
    first: dict[str, dict[str, Any]], system: System
) -> None:
    wrong: dict[str, dict[str, Any]] = {
        "crm-sync": {"page_size": 0},
        "follow-ups": {"days": 3},
        "session-cleanup": {"batch": "all"},
    }
    records = run_all(system, wrong, args=wrong)
    assert exit_codes(records) == dict.fromkeys(wrong, 65)
