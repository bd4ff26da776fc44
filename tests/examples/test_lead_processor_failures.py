"""The lead processor when a server is gone, slow, refuses or breaks off, and when a run is stopped."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.examples.lead_processor import (
    count,
    everything,
    exit_codes,
    recipients,
    run_all,
    run_all_for_slot,
)
from tests.examples.locked_tables import cancelled_in_a_batch
from tests.examples.system import FOLDER, System
from tests.examples.time_limits import check_timed_out, ending_after
from tests.waiting import wait_until

SYSTEM = "lead-processor"
SMALL_PAGES = {"page_size": 5}


@pytest.fixture(autouse=True)
def _as_at_first(system: System) -> None:
    """The schema's rows, of which two leads wait for a follow-up; no mails, no requests, no faults."""
    system.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION app")
    schema = (FOLDER / SYSTEM / "schema.sql").read_text()
    # The trial server writes its log a little later, and a test may stop it at once, as a crash does.
    system.sql(f"SET synchronous_commit = on; {schema}", user="app")
    system.reset_api()
    system.clear_mails()
    system.clear_faults()


def test_while_the_database_is_gone_every_job_that_needs_it_is_exit_69(system: System) -> None:
    names = (
        "score-update",
        "crm-sync",
        "daily-reports",
        "database-optimisation",
        "session-cleanup",
        "metrics",
    )
    before = everything(system)
    with system.stopped("postgresql"):
        records = run_all(system, [*names, "health-check"])
    assert exit_codes(records) == dict.fromkeys(records, 69)
    assert "database: " in records["health-check"]["message"]
    assert (everything(system), system.mails()) == (before, [])


def test_what_the_database_refuses_is_exit_78_and_nothing_is_half_done(system: System) -> None:
    system.sql("REVOKE INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public FROM app")
    before = everything(system)
    records = run_all(system, ["score-update", "web-url-sync", "follow-ups", "database-optimisation"])
    assert exit_codes(records) == dict.fromkeys(records, 78)
    assert all("permission denied for table" in record["message"] for record in records.values())
    assert (everything(system), system.mails()) == (before, [])


def test_a_statement_and_a_mail_server_that_take_too_long_end_with_their_run_and_leave_nothing(
    system: System,
) -> None:
    system.sql(
        "CREATE FUNCTION takes_long() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_sleep(60); RETURN NEW; END';"
        "CREATE TRIGGER slow BEFORE UPDATE ON lead FOR EACH ROW EXECUTE FUNCTION takes_long()"
    )
    system.smtp_fault(delay_seconds=60)
    before = everything(system)
    with ending_after(system, "10s", "score-update", "follow-ups"):
        records = run_all(system, ["score-update", "follow-ups"])
    check_timed_out(system, records)
    assert everything(system) == before
    wait_until(
        lambda: count(system, "pg_stat_activity WHERE application_name = 'score-update'") == 0,
        interval=0.5,
        describe="the statement has ended at the server, too",
    )


def test_while_the_api_and_the_mail_server_are_gone_their_jobs_are_exit_69_and_named(system: System) -> None:
    with system.stopped("api"), system.stopped("smtp"):
        records = run_all(system, ["crm-sync", "web-url-sync", "follow-ups", "health-check"])
    assert exit_codes(records) == dict.fromkeys(records, 69)
    message = records["health-check"]["message"]
    assert "crm: " in message
    assert "mail: " in message
    assert count(system, "sent_mail") == 0
    assert system.run("follow-ups")["value"] == {"sent": 2, "refused": 0}


def test_an_api_that_is_busy_or_broken_ends_the_run_with_the_code_that_says_how(system: System) -> None:
    system.api_fault(path="/v1/crm-leads", status=500)
    system.api_fault(path="/v1/landing-pages", status=429, retry_after=1)
    before = everything(system)
    assert exit_codes(run_all(system, ["crm-sync", "web-url-sync"])) == {"crm-sync": 69, "web-url-sync": 75}
    assert everything(system) == before


def test_a_mail_server_that_takes_no_mail_from_us_costs_nobody_a_mail(system: System) -> None:
    system.smtp_fault(code=554)
    records = run_all(system, ["follow-ups", "daily-reports"])
    assert exit_codes(records) == dict.fromkeys(records, 65)
    assert count(system, "sent_mail") == 0
    system.clear_faults()
    assert system.run("follow-ups")["value"] == {"sent": 2, "refused": 0}


def test_a_refused_recipient_is_named_by_its_place_or_counted_and_the_others_have_their_mail(
    system: System,
) -> None:
    system.smtp_fault(recipient="sales@travel.example", code=550)
    system.smtp_fault(recipient="day-7@example.org", code=550)
    records = run_all(system, ["daily-reports", "follow-ups"])
    assert exit_codes(records) == {"daily-reports": 65, "follow-ups": 0}
    assert recipients(system) == ["day-30@example.org", "office@travel.example"]
    assert "the mail server refuses recipient 1 of the list" in records["daily-reports"]["message"]
    assert "sales@" not in records["daily-reports"]["message"]
    assert records["follow-ups"]["value"] == {"sent": 1, "refused": 1}


@pytest.mark.parametrize(
    ("fault", "exit_code", "said"),
    [
        ({"after": 2, "cut_after_bytes": 200}, 69, "the connection broke"),
        ({"replace_item": 12, "replacement": {"id": "crm-13"}}, 65, "page 3, record 3: name is not a text"),
    ],
)
def test_answers_that_end_half_way_or_are_wrong_leave_whole_pages(
    system: System, fault: dict[str, Any], exit_code: int, said: str
) -> None:
    system.api_fault(path="/v1/crm-leads", **fault)
    record = system.run("crm-sync", args=SMALL_PAGES)
    assert record["exitCode"] == exit_code, record
    assert said in record["message"]
    assert count(system, "lead WHERE crm_id IS NOT NULL") == 10
    assert system.sql("SELECT cursor FROM sync_position") == [["at-10"]]


def test_a_run_that_is_cancelled_leaves_whole_pages_and_the_next_one_goes_on_from_there(
    system: System,
) -> None:
    system.api_fault(path="/v1/crm-leads", after=2, delay_seconds=20)
    run = system.start("crm-sync", args=SMALL_PAGES)
    wait_until(lambda: count(system, "lead WHERE crm_id IS NOT NULL") == 10, timeout=60, interval=0.5)
    record = system.cancel("crm-sync", run)
    system.clear_faults()
    assert record["result"] == "Cancelled"
    assert record["value"] == {
        "pages": 2,
        "inserted": 10,
        "updated": 0,
        "unchanged": 0,
        "finished": False,
    }
    assert system.run("crm-sync", args=SMALL_PAGES)["value"] == {
        "pages": 3,
        "inserted": 13,
        "updated": 0,
        "unchanged": 0,
        "finished": True,
    }
    assert count(system, "lead WHERE crm_id IS NOT NULL") == 23


def test_a_clean_up_that_is_cancelled_leaves_whole_batches_and_says_how_many(system: System) -> None:
    many = 60_000
    system.sql(
        "TRUNCATE web_session; INSERT INTO web_session"
        f" SELECT number, now() - interval '1 hour' FROM generate_series(1, {many}) AS number"
    )
    record = cancelled_in_a_batch(system, "session-cleanup", table="web_session", args={"batch": 20})
    assert record["result"] == "Cancelled"
    removed = record["value"]["removed"]
    assert 20 <= removed < many
    assert removed % 20 == 0
    assert count(system, "web_session") == many - removed


def test_reports_that_are_cancelled_say_how_many_are_out_and_the_next_run_sends_the_others(
    system: System,
) -> None:
    slot = {"id": "first", "slot": "2026-09-03T03:00:00Z"}
    system.smtp_fault(code=250, keep=True, delay_seconds=10, times=1)
    started = system.job("daily-reports").ask("run", slot)["id"]
    wait_until(system.mails, timeout=60, describe="the first report is on its way")
    record = system.cancel("daily-reports", started)
    assert (record["result"], record["value"]["sent"]) == ("Cancelled", 1)
    [again] = run_all_for_slot(system, ["daily-reports"], slot=slot["slot"]).values()
    assert again["value"] == {"day": "2026-09-03", "sent": 1, "sentEarlier": 1}
    assert recipients(system) == ["office@travel.example", "sales@travel.example"]


def test_a_broken_handler_file_is_logged_and_the_others_load(system: System) -> None:
    system.add_handlers("session-cleanup", {"broken.py": "def broken(:\n", "second.py": "import not_there\n"})
    record = system.run("session-cleanup")
    assert record["result"] == "Succeeded"
    log = system.log(record)
    assert "not loaded: /more-handlers/broken.py: SyntaxError" in log
    assert "not loaded: /more-handlers/second.py: ModuleNotFoundError" in log


def test_a_token_that_the_api_does_not_take_is_exit_78_and_stands_nowhere(system: System) -> None:
    record = system.run("web-url-sync", env={"API_TOKEN": "a-token-of-yesterday"})
    assert record["exitCode"] == 78
    assert "answered 401" in record["message"]
    assert "a-token-of-yesterday" not in json.dumps(record) + system.log(record)
    assert count(system, "landing_page") == 0


def test_arguments_that_make_no_sense_are_exit_65_before_anything_is_done(system: System) -> None:
    wrong: dict[str, dict[str, Any]] = {
        "crm-sync": {"page_size": 0},
        "follow-ups": {"days": 3},
        "session-cleanup": {"batch": "all"},
        "daily-reports": {"recipients": []},
    }
    before = everything(system)
    records = run_all(system, wrong, args=wrong)
    assert exit_codes(records) == dict.fromkeys(wrong, 65)
    assert (everything(system), system.requests(), system.mails()) == (before, [], [])
