"""The score of the lead processor: which leads get how many points on which day, and that only once."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from job_runner.testing import run_handler
from tests.handlers.lead_processor.system import Database, handler

DAY = date(2026, 11, 22)
SLOT = datetime(2026, 11, 22, 3, 30, tzinfo=UTC)
LEFT_OUT = ("converted", "junk", "not_interested")

POINTS = {-1: 0, 0: 20, 1: 20, 7: 20, 8: 15, 14: 15, 15: 10, 30: 10, 31: 0}
"""Days until the journey -> points."""


def update(slot: datetime | None = SLOT, *, time_zone: str = "Asia/Kolkata") -> Any:
    """The value of a run that succeeds."""
    outcome = run_handler(handler("score_update"), slot=slot, time_zone=time_zone)
    assert outcome.error is None, outcome.error
    return outcome.value


def scores(database: Database) -> dict[str, int]:
    return dict(database.sql("SELECT name, score FROM lead"))


def test_the_points_are_exact_at_the_borders_of_the_days(database: Database) -> None:
    for days in POINTS:
        database.add_lead(name=str(days), travel_date=DAY + timedelta(days=days))
    assert update() == {
        "day": "2026-11-22",
        "within7Days": 3,
        "within14Days": 2,
        "within30Days": 2,
    }
    assert scores(database) == {str(days): points for days, points in POINTS.items()}


def test_points_are_added_to_those_that_a_lead_has(database: Database) -> None:
    database.add_lead(name="a", travel_date=DAY, score=100)
    update()
    assert scores(database) == {"a": 120}


@pytest.mark.parametrize("status", ["new", "contacted", "qualified", *LEFT_OUT])
def test_leads_that_are_no_longer_wanted_are_left_out(database: Database, status: str) -> None:
    database.add_lead(name="a", travel_date=DAY, status=status)
    database.add_lead(name="deleted", travel_date=DAY, status=status, deleted_at=SLOT)
    database.add_lead(name="no date", status=status)
    update()
    assert scores(database) == {"a": 0 if status in LEFT_OUT else 20, "deleted": 0, "no date": 0}


def test_a_second_run_of_the_same_day_adds_nothing(database: Database) -> None:
    database.add_lead(name="a", travel_date=DAY)
    update()
    again = update(SLOT + timedelta(hours=3))
    assert again == {"day": "2026-11-22", "within7Days": 0, "within14Days": 0, "within30Days": 0}
    assert scores(database) == {"a": 20}


def test_nor_does_it_when_the_journey_was_moved_or_a_lead_came_later(database: Database) -> None:
    database.add_lead(name="a", travel_date=DAY + timedelta(days=20))
    update()
    database.sql("UPDATE lead SET travel_date = %s", (DAY,))
    database.add_lead(name="later", travel_date=DAY)
    update()
    assert scores(database) == {"a": 10, "later": 20}


def test_each_day_adds_its_points_in_whatever_order_the_days_are_made_up_for(database: Database) -> None:
    database.add_lead(name="a", travel_date=DAY + timedelta(days=8))
    for days in (1, 0, 2, 1, 0):
        update(SLOT + timedelta(days=days))
    assert scores(database) == {"a": 15 + 20 + 20}
    points = database.sql("SELECT day, points FROM lead_points ORDER BY day")
    assert points == [(DAY + timedelta(days=number), count) for number, count in enumerate((15, 20, 20))]


def test_two_runs_at_the_same_time_add_the_points_once(database: Database) -> None:
    database.sql(
        "INSERT INTO lead (name, email, travel_date)"
        " SELECT 'many', 'x@example.org', %s FROM generate_series(1, 5000)",
        (DAY,),
    )
    values: list[Any] = []
    threads = [threading.Thread(target=lambda: values.append(update())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert database.sql("SELECT DISTINCT score FROM lead") == [(20,)]
    assert sorted(value["within7Days"] for value in values) == [0, 0, 5000]


@pytest.mark.parametrize(
    ("slot", "zone", "day"),
    [
        (datetime(2026, 11, 21, 18, 29, 59, tzinfo=UTC), "Asia/Kolkata", date(2026, 11, 21)),
        (datetime(2026, 11, 21, 18, 30, tzinfo=UTC), "Asia/Kolkata", date(2026, 11, 22)),
        (datetime(2026, 11, 22, 7, 59, tzinfo=UTC), "America/Los_Angeles", date(2026, 11, 21)),
        (datetime(2026, 10, 25, 22, 59, tzinfo=UTC), "Europe/Berlin", date(2026, 10, 25)),  # 25 hours long
        (datetime(2026, 3, 29, 22, 0, tzinfo=UTC), "Europe/Berlin", date(2026, 3, 30)),  # 23 hours long
        (datetime(2028, 2, 29, 12, 0, tzinfo=UTC), "Etc/UTC", date(2028, 2, 29)),
    ],
)
def test_the_day_is_that_of_the_slot_in_the_time_zone_of_the_schedule(
    database: Database, slot: datetime, zone: str, day: date
) -> None:
    for days in POINTS:
        database.add_lead(name=str(days), travel_date=day + timedelta(days=days))
    assert update(slot, time_zone=zone)["day"] == day.isoformat()
    assert scores(database) == {str(days): points for days, points in POINTS.items()}


def test_a_run_that_a_person_starts_is_about_today(database: Database) -> None:
    zone = ZoneInfo("Asia/Kolkata")
    before = datetime.now(tz=zone).date()
    value = update(None)
    assert before <= date.fromisoformat(value["day"]) <= datetime.now(tz=zone).date()


def test_one_lead_that_cannot_be_scored_leaves_all_of_them_as_they_were(database: Database) -> None:
    database.add_lead(name="a", travel_date=DAY)
    database.add_lead(name="full", travel_date=DAY, score=2**31 - 1)
    outcome = run_handler(handler("score_update"), slot=SLOT)
    assert outcome.exit_code == 65
    assert scores(database) == {"a": 0, "full": 2**31 - 1}
    assert database.count("lead_points") == 0
