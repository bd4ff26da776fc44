"""How verdicts on slots stand in status.unstarted, and how one is taken back."""

import pytest

from scheduledjob_operator.models import Result, Unstarted
from scheduledjob_operator.names import SlotReason
from scheduledjob_operator.unstarted import MOST_ENTRIES, with_verdicts, without_slot
from tests.unit.slot_days import (
    at,
)


def entry(reason: SlotReason, first: str, last: str, count: int) -> Unstarted:
    missed = reason in {SlotReason.NOTHING_STARTED_IT, SlotReason.STARTING_DEADLINE}
    return Unstarted(
        result=Result.MISSED if missed else Result.SKIPPED,
        reason=reason.value,
        count=count,
        first=at(first),
        last=at(last),
    )


MISSED, SKIPPED = SlotReason.NOTHING_STARTED_IT, SlotReason.OVERLAP_FORBIDDEN


def test_a_verdict_like_the_newest_one_is_added_to_it() -> None:
    before = [entry(MISSED, "12:00", "12:10", 3), entry(SKIPPED, "11:00", "11:05", 2)]
    after = with_verdicts(before, [entry(MISSED, "12:15", "12:20", 2)])
    assert after == [entry(MISSED, "12:00", "12:20", 5), before[1]]


def test_another_verdict_comes_before_the_others() -> None:
    before = [entry(MISSED, "12:00", "12:10", 3)]
    new = [entry(SKIPPED, "12:15", "12:15", 1), entry(MISSED, "12:20", "12:20", 1)]
    assert with_verdicts(before, new) == [new[1], new[0], before[0]]
    assert with_verdicts([], new) == [new[1], new[0]]
    assert with_verdicts(before, []) == before


def test_of_too_many_entries_the_oldest_go() -> None:
    new = [
        entry(SKIPPED if minute % 2 else MISSED, f"12:{minute:02}", f"12:{minute:02}", 1)
        for minute in range(MOST_ENTRIES + 5)
    ]
    assert with_verdicts([], new) == new[: -MOST_ENTRIES - 1 : -1]


@pytest.mark.parametrize(
    ("sentence", "count", "slot", "expected"),
    [
        ("the first of many", 3, "12:00", ("12:00", "12:10", 2)),
        ("one in the middle", 3, "12:05", ("12:00", "12:10", 2)),
        ("the first of two", 2, "12:00", ("12:10", "12:10", 1)),
        ("the last of two", 2, "12:10", ("12:00", "12:00", 1)),
        ("the only one", 1, "12:00", None),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)
def test_a_verdict_is_taken_back(
    sentence: str, count: int, slot: str, expected: tuple[str, str, int] | None
) -> None:
    newer, older = entry(SKIPPED, "12:20", "12:30", 3), entry(SKIPPED, "11:00", "11:30", 7)
    one = entry(MISSED, "12:00", "12:10", count)
    left = [entry(MISSED, *expected)] if expected else []
    assert without_slot([newer, one, older], at(slot)) == ([newer, *left, older], one)


def test_a_slot_in_no_entry_takes_nothing_back() -> None:
    before = [entry(MISSED, "12:00", "12:10", 3)]
    assert without_slot(before, at("12:15")) == (before, None)
    assert without_slot([], at("12:15")) == ([], None)
