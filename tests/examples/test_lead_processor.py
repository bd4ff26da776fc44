"""The lead processor on the cluster: what each job changes, and that a second run changes nothing more."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cluster.paths import CHECKOUT
from tests.examples.lead_processor import count, everything, recipients, run_all_for_slot, scores
from tests.examples.system import System

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
KEPT = 398
"""The age in days of points that stay; they do so too when another day begins meanwhile."""
OF_EACH_DAY = ("score-update", "daily-reports")
LEADS = json.loads((CHECKOUT / "examples/lead-processor/data/crm-leads.json").read_text())


@pytest.fixture(scope="module")
def first(system: System) -> dict[str, dict[str, Any]]:
    """The first run of every job. There are points of long ago for the optimisation of the database."""
    system.sql(
        f"UPDATE lead SET travel_date = DATE '{DAY}' + (travel_date - created_at::date);"
        "INSERT INTO lead_points SELECT id, current_date - age, 10"
        f" FROM lead, unnest(ARRAY[{KEPT}, 500]) AS age"
    )
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
    assert values["database-optimisation"]["rows"][0] == len(SCORES)


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


def test_old_points_are_gone_and_each_table_has_been_vacuumed_and_analysed(
    first: dict[str, dict[str, Any]], system: System
) -> None:
    assert count(system, "lead_points WHERE day < current_date - 400") == 0
    # Midnight may have passed since they were written.
    kept = f"day BETWEEN current_date - {KEPT + 1} AND current_date - {KEPT}"
    assert count(system, f"lead_points WHERE {kept}") == len(SCORES)
    seen = "pg_stat_user_tables WHERE vacuum_count > 0 AND analyze_count > 0"
    assert system.sql(f"SELECT relname FROM {seen} ORDER BY 1") == [
        ["lead"],
        ["lead_points"],
        ["web_session"],
    ]


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
    before = everything(system)
    again = {name: record["value"] for name, record in run_all_for_slot(system, list(first)).items()}
    assert again.pop("metrics") == first["metrics"]["value"]
    assert set(again.pop("health-check")) == {"database", "crm", "mail"}
    assert again.pop("database-optimisation")["rows"][0] == 0
    assert again == {
        "web-url-sync": {"listed": 6, "added": 0, "changed": 0, "removed": 0},
        "session-cleanup": {"removed": 0},
        "follow-ups": {"sent": 0, "refused": 0},
        "crm-sync": {"pages": 1, "inserted": 0, "updated": 0, "unchanged": 23, "finished": True},
        "score-update": {"day": DAY, "within7Days": 0, "within14Days": 0, "within30Days": 0},
        "daily-reports": {"day": DAY, "sent": 0, "sentEarlier": 2},
    }
    assert everything(system) == before
    assert scores(system) == SCORES
    assert len(system.mails()) == 4


def test_a_lead_that_is_contacted_in_the_crm_gets_its_follow_up_days_later(
    first: dict[str, dict[str, Any]], system: System
) -> None:
    contacted = sorted(lead["email"] for lead in LEADS if lead["status"] == "contacted")
    system.clear_mails()
    system.sql(
        "UPDATE lead SET contacted_at = contacted_at - interval '3 days'"
        " WHERE crm_id IS NOT NULL AND status = 'contacted'"
    )
    assert system.run("follow-ups")["value"] == {"sent": len(contacted), "refused": 0}
    assert recipients(system) == contacted
