"""Which of the missed slots are started after all."""

from datetime import timedelta

import pytest

from scheduledjob_operator.activity import Span
from scheduledjob_operator.models import CatchUp, CatchUpPolicy
from scheduledjob_operator.slots import MOST_SLOTS, account
from tests.unit.slot_days import (
    ALL,
    EVERY_5,
    EVERY_MINUTE,
    LATEST,
    NO_CATCH_UP,
    at,
    entries,
    look,
    ran,
    short,
    timetable,
)


@pytest.mark.parametrize(
    ("sentence", "catch_up", "now", "spans", "expected", "missed"),
    [
        ("none", NO_CATCH_UP, "13:12", short("13:10"), [], 13),
        ("all, the newest three", ALL, "13:12", short("13:10"), ["12:55", "13:00", "13:05"], 10),
        ("all within the window", ALL, "14:03", short("13:10", "14:00"), ["13:45", "13:50", "13:55"], 19),
        (
            "all, but older than the window",
            ALL,
            "13:06",
            short("12:15", "12:20", "12:25", "12:30", "12:35", "12:40", "12:45", "12:50", "12:55", "13:05"),
            ["12:10", "13:00"],
            1,
        ),
        ("the latest, and a later one may still start", LATEST, "13:12", short("13:00", "13:05"), [], 11),
        ("the latest, and a later run stands for it", LATEST, "13:12", short("13:10"), [], 13),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)
def test_missed_slots_are_started_after_all(
    sentence: str, catch_up: CatchUp, now: str, spans: list[Span], expected: list[str], missed: int
) -> None:
    accounts = look("12:00", now, timetable(EVERY_5), spans=spans, catch_up=catch_up)
    assert accounts.to_catch_up == tuple(at(slot) for slot in expected)
    assert sum(entry.count for entry in accounts.verdicts) == missed
    assert accounts.urgent


@pytest.mark.parametrize(
    ("sentence", "now", "expected", "missed"),
    [
        ("within the window", "12:30", ["12:00"], 2),
        ("just within the window", "13:00", ["12:00"], 2),
        ("the newest may still be started by Kubernetes", "12:05", [], 2),
        ("just older than the window", "13:00:01", [], 3),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)
def test_the_latest_missed_slot_is_started_after_all(
    sentence: str, now: str, expected: list[str], missed: int
) -> None:
    accounts = look("09:00", now, timetable("0 0-12 * * *"), catch_up=LATEST)
    assert accounts.to_catch_up == tuple(at(slot) for slot in expected)
    assert sum(entry.count for entry in accounts.verdicts) == missed


def test_a_slot_that_was_skipped_is_not_caught_up() -> None:
    accounts = look("12:00", "12:31", timetable(EVERY_5), spans=[ran("12:00")], catch_up=ALL)
    assert (accounts.to_catch_up, entries(accounts)) == ((), [("OverlapForbidden", 5, "12:05", "12:25")])


def test_slots_that_wait_to_be_caught_up_are_not_accounted_again() -> None:
    first = look("12:00", "12:12", timetable(EVERY_5), spans=short("12:10"), catch_up=ALL)
    assert first.to_catch_up == (at("12:05"),)
    waiting = [ran("12:05", "12:12", "12:12")]
    second = look("12:00", "12:12", timetable(EVERY_5), spans=[*short("12:10"), *waiting], catch_up=ALL)
    assert (second.to_catch_up, second.verdicts, second.until) == ((), (), at("12:10"))


# Too many


def test_of_too_many_slots_the_oldest_are_accounted_first() -> None:
    table, start = timetable(EVERY_MINUTE, final=True), at("2026-11-01T00:00")
    now = start + timedelta(minutes=MOST_SLOTS + 2)
    catch_up = CatchUp(policy=CatchUpPolicy.ALL, window=timedelta(days=30), limit=5)
    first = account(since=start, now=now, timetable=table, spans=(), catch_up=catch_up)
    assert first.until == start + timedelta(minutes=MOST_SLOTS)
    assert first.look_again == now
    second = account(since=first.until, now=now, timetable=table, spans=(), catch_up=catch_up)
    assert (second.until, second.look_again) == (now, None)
    newest = tuple(now - timedelta(minutes=minutes) for minutes in reversed(range(5)))
    assert first.to_catch_up + second.to_catch_up == newest
    assert sum(entry.count for entry in (*first.verdicts, *second.verdicts)) == MOST_SLOTS + 2 - 5


def test_of_too_many_slots_the_latest_is_in_the_last_part() -> None:
    start = at("2026-11-01T00:00")
    now = start + timedelta(minutes=MOST_SLOTS + 1)
    wide = CatchUp(policy=CatchUpPolicy.LATEST, window=timedelta(days=30))
    table = timetable(EVERY_MINUTE, final=True)
    first = account(since=start, now=now, timetable=table, spans=(), catch_up=wide)
    second = account(since=first.until, now=now, timetable=table, spans=(), catch_up=wide)
    assert (first.to_catch_up, second.to_catch_up) == ((), (now,))
