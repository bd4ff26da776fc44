"""Which verdict a slot gets. Every table plays on the clock of one day, or around a change of the clocks."""

from datetime import timedelta

import pytest

from scheduledjob_operator.activity import Span
from scheduledjob_operator.models import ConcurrencyPolicy, Result
from scheduledjob_operator.names import SlotReason
from scheduledjob_operator.slots import Accounts, account
from tests.unit.slot_days import (
    ALL,
    ALLOW,
    EVERY_5,
    EVERY_MINUTE,
    FORBID,
    NO_CATCH_UP,
    REPLACE,
    Entry,
    at,
    entries,
    look,
    ran,
    short,
    timetable,
)

# Outages


@pytest.mark.parametrize(
    ("sentence", "now", "spans", "expected", "until"),
    [
        ("all is well", "10:30", short("10:00"), [], "10:00"),
        ("nothing was due", "09:59:59", [], [], "09:00"),
        ("the operator was away for three hours", "12:30", short("10:00", "11:00", "12:00"), [], "12:00"),
        (
            "the controller manager was away for three hours",
            "12:30",
            short("12:00"),
            [("NothingStartedIt", 2, "10:00", "11:00")],
            "12:00",
        ),
        (
            "both were away, and came back within the deadline",
            "12:05",
            [],
            [("NothingStartedIt", 2, "10:00", "11:00")],
            "11:00",
        ),
        (
            "both were away, and came back beyond it",
            "12:30",
            [],
            [("NothingStartedIt", 2, "10:00", "11:00"), ("StartingDeadline", 1, "12:00", "12:00")],
            "12:00",
        ),
        (
            "both were away, and the newest slot started late",
            "12:30",
            [ran("12:00", "12:08", "12:09")],
            [("NothingStartedIt", 2, "10:00", "11:00")],
            "12:00",
        ),
        (
            "the controller manager was away between two runs",
            "12:30",
            short("10:00", "12:00"),
            [("NothingStartedIt", 1, "11:00", "11:00")],
            "12:00",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)
def test_after_an_outage(
    sentence: str, now: str, spans: list[Span], expected: list[Entry], until: str
) -> None:
    accounts = look("09:00", now, timetable(), spans=spans)
    assert entries(accounts) == expected
    assert accounts.until == at(until)
    assert accounts.urgent == bool(expected)


def test_a_thousand_missed_slots_are_one_verdict() -> None:
    accounts = look("2026-11-21T12:00", "12:00:30", timetable(EVERY_MINUTE))
    (entry,) = accounts.verdicts
    assert (entry.result, entry.reason, entry.count) == (Result.MISSED, "NothingStartedIt", 1439)
    assert (entry.first, entry.last) == (at("2026-11-21T12:01"), at("11:59"))


# When a slot is given up


@pytest.mark.parametrize(
    ("sentence", "now", "spans", "given_up", "look_again"),
    [
        ("it has just passed", "12:05:03", [], False, "12:10:10"),
        ("the next one has passed, but not long ago", "12:10:09", [], False, "12:10:10"),
        ("the next one has passed", "12:10:10", [], True, "12:15:10"),
        ("the next one has a run already", "12:10:01", short("12:10"), True, None),
        ("the next one has a run ahead of our clock", "12:09:59", short("12:10"), True, None),
        ("a run was asked for with a time that is no slot", "12:06", short("12:05:30"), False, "12:10:10"),
        ("it has a run", "12:05:03", short("12:05"), False, None),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)
def test_a_slot_is_given_up_when_a_later_one_is_due(
    sentence: str, now: str, spans: list[Span], given_up: bool, look_again: str | None
) -> None:
    accounts = look("12:00", now, timetable(EVERY_5, policy=ALLOW), spans=spans)
    assert entries(accounts) == ([("NothingStartedIt", 1, "12:05", "12:05")] if given_up else [])
    assert accounts.look_again == (at(look_again) if look_again else None)


def test_a_slot_is_given_up_when_its_deadline_is_over_and_its_job_would_have_been_seen() -> None:
    table = timetable(deadline=timedelta(seconds=30))
    before = look("11:00", "12:00:40", table)
    assert (before.until, before.verdicts, before.look_again) == (at("11:00"), (), at("12:00:41"))
    after = look("11:00", "12:00:41", table)
    assert (after.until, after.look_again) == (at("12:00"), None)
    assert entries(after) == [("StartingDeadline", 1, "12:00", "12:00")]


def test_nothing_is_accounted_behind_an_undecided_slot() -> None:
    accounts = look("12:00", "12:10:05", timetable(EVERY_5))
    assert (accounts.until, accounts.verdicts, accounts.urgent) == (at("12:00"), (), False)
    assert accounts.look_again == at("12:10:10")


def test_the_last_slot_of_all_waits_for_its_deadline_alone() -> None:
    accounts = look("2096-02-28T00:00", "2096-02-29T00:00:05", timetable("0 0 29 2 *"))
    assert accounts.look_again == at("2096-02-29T00:10:11")


def test_no_slot_waits_when_the_timetable_changes() -> None:
    accounts = look("12:00", "12:05:01.5", timetable(EVERY_5, final=True))
    assert entries(accounts) == [("NothingStartedIt", 1, "12:05", "12:05")]
    assert (accounts.until, accounts.look_again) == (at("12:05:01"), None)


@pytest.mark.parametrize("suspended", [None, SlotReason.DISABLED])
def test_the_mark_moves_to_the_change_though_no_slot_has_passed(suspended: SlotReason | None) -> None:
    accounts = look("12:00", "12:20:30", timetable(final=True, suspended=suspended))
    assert (accounts.until, accounts.verdicts) == (at("12:20:30"), ())


def test_the_slots_before_a_change_of_the_schedule_are_those_of_the_old_one() -> None:
    old = look("12:00", "12:17:30", timetable(EVERY_5, final=True), spans=short("12:05", "12:10"))
    assert entries(old) == [("NothingStartedIt", 1, "12:15", "12:15")]
    new = account(
        since=old.until,
        now=at("12:19:30"),
        timetable=timetable(EVERY_MINUTE),
        spans=short("12:05", "12:10", "12:19"),
        catch_up=NO_CATCH_UP,
    )
    assert entries(new) == [("NothingStartedIt", 1, "12:18", "12:18")]


# Behind an active run


@pytest.mark.parametrize(
    ("sentence", "policy", "spans", "reason"),
    [
        ("a run was active", FORBID, [ran("11:00", end="12:01")], "OverlapForbidden"),
        ("a run is active", FORBID, [ran("11:00")], "OverlapForbidden"),
        ("a run without a slot was active", FORBID, [ran(None, "11:59", "12:01")], "OverlapForbidden"),
        ("a short run began after a long one", FORBID, [ran("10:00"), *short("11:00")], "OverlapForbidden"),
        ("the run before was late itself", FORBID, [ran("11:59", "12:00", "12:01")], "OverlapForbidden"),
        ("the run before had ended at the slot", FORBID, [ran("11:00", end="12:00")], "StartingDeadline"),
        ("a run began at the slot", FORBID, [ran(None, "12:00", "12:01")], "StartingDeadline"),
        ("an older slot was caught up later", FORBID, [ran("11:00", "12:01", "12:02")], "StartingDeadline"),
        (
            "an older slot waits to be caught up",
            FORBID,
            [ran("11:59", "12:00:05", "12:00:05")],
            "StartingDeadline",
        ),
        ("runs may overlap", ALLOW, [ran("11:00")], "StartingDeadline"),
        ("a run would have been replaced", REPLACE, [ran("11:00")], "StartingDeadline"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)
def test_a_slot_is_skipped_for_a_run_that_was_active_and_forbids_it(
    sentence: str, policy: ConcurrencyPolicy, spans: list[Span], reason: str
) -> None:
    accounts = look("11:30", "12:20", timetable(policy=policy), spans=spans)
    assert entries(accounts) == [(reason, 1, "12:00", "12:00")]
    assert accounts.urgent == (reason == "StartingDeadline")


def test_a_slot_that_waits_behind_a_run_is_undecided_and_may_start_late() -> None:
    table = timetable(EVERY_5)
    active = look("12:00", "12:06", table, spans=[ran("12:00")])
    assert (active.until, active.verdicts, active.look_again) == (at("12:00"), (), at("12:10:10"))
    started = look("12:00", "12:08", table, spans=[ran("12:00", end="12:07"), ran("12:05", "12:07")])
    assert (started.until, started.verdicts, started.look_again) == (at("12:05"), (), None)


def test_slots_behind_a_long_run_are_skipped_and_the_last_one_starts_when_it_ends() -> None:
    spans = [ran("12:00", end="12:17"), ran("12:15", "12:17")]
    accounts = look("12:00", "12:18", timetable(EVERY_5), spans=spans)
    assert entries(accounts) == [("OverlapForbidden", 2, "12:05", "12:10")]


def test_verdicts_change_where_the_cause_changes() -> None:
    spans = [ran("12:00", end="12:12"), *short("12:30")]
    accounts = look("12:00", "12:31", timetable(EVERY_5), spans=spans)
    assert entries(accounts) == [
        ("OverlapForbidden", 2, "12:05", "12:10"),
        ("NothingStartedIt", 3, "12:15", "12:25"),
    ]


# Held back


@pytest.mark.parametrize(
    "reason", [SlotReason.DISABLED, SlotReason.PAUSED, SlotReason.SUSPENDED, SlotReason.OUT_OF_BOUNDS]
)
def test_slots_that_were_not_to_run_are_skipped_and_no_hurry(reason: SlotReason) -> None:
    accounts = look("12:00", "13:00:01", timetable(EVERY_5, suspended=reason))
    assert entries(accounts) == [(reason.value, 12, "12:05", "13:00")]
    assert all(entry.result is Result.SKIPPED for entry in accounts.verdicts)
    assert (accounts.until, accounts.urgent, accounts.look_again) == (at("13:00"), False, None)


def test_a_year_of_every_minute_is_one_verdict() -> None:
    table = timetable(EVERY_MINUTE, zone="Europe/Berlin", suspended=SlotReason.DISABLED)
    accounts = look("2025-11-22T12:00", "12:00", table)
    assert [entry.count for entry in accounts.verdicts] == [365 * 1440]


def test_runs_while_the_schedule_is_held_back_count_for_their_slots() -> None:
    spans = short("12:05", "12:10", "12:20", "12:30", "12:29:30")
    accounts = look("12:00", "12:31", timetable(EVERY_5, suspended=SlotReason.PAUSED), spans=spans)
    assert entries(accounts) == [("Paused", 2, "12:15", "12:25")]
    assert accounts.until == at("12:30")


def test_nothing_is_said_when_every_slot_ran_though_the_schedule_was_held_back() -> None:
    table = timetable(EVERY_5, suspended=SlotReason.PAUSED)
    accounts = look("12:00", "12:11", table, spans=short("12:05", "12:10"))
    assert (accounts.until, accounts.verdicts) == (at("12:10"), ())


def test_the_schedule_is_disabled_and_enabled_again() -> None:
    off = look("12:00", "12:12", timetable(EVERY_5, final=True), spans=short("12:05", "12:10"))
    assert (off.until, off.verdicts) == (at("12:12"), ())
    disabled = timetable(EVERY_5, suspended=SlotReason.DISABLED, final=True)
    on = account(
        since=off.until, now=at("12:33"), timetable=disabled, spans=short("12:10"), catch_up=NO_CATCH_UP
    )
    assert entries(on) == [("Disabled", 4, "12:15", "12:30")]
    again = account(
        since=on.until,
        now=at("12:36"),
        timetable=timetable(EVERY_5),
        spans=short("12:35"),
        catch_up=NO_CATCH_UP,
    )
    assert (again.until, again.verdicts) == (at("12:35"), ())


# Clocks


@pytest.mark.parametrize("suspended", [None, SlotReason.PAUSED])
@pytest.mark.parametrize("final", [False, True])
def test_a_clock_that_steps_back_accounts_nothing(suspended: SlotReason | None, final: bool) -> None:
    table = timetable(EVERY_5, suspended=suspended, final=final)
    back = look("12:10", "11:00", table, spans=short("12:00", "12:10", "12:15"), catch_up=ALL)
    assert back == Accounts(until=at("12:10"))


@pytest.mark.parametrize(
    ("sentence", "expression", "since", "now", "expected"),
    [
        ("the hour that is skipped has no slot", "30 2 * * *", "2026-03-29T00:00", "2026-03-29T12:00", 0),
        ("the hour that is repeated has two", "30 2 * * *", "2026-10-24T23:00", "2026-10-25T12:00", 2),
        ("a day of 23 hours", "0 * * * *", "2026-03-28T23:00", "2026-03-29T22:30", 23),
        ("a day of 25 hours", "0 * * * *", "2026-10-24T22:00", "2026-10-25T23:30", 25),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)
@pytest.mark.parametrize("suspended", [None, SlotReason.DISABLED])
def test_the_clocks_change(
    sentence: str, expression: str, since: str, now: str, expected: int, suspended: SlotReason | None
) -> None:
    table = timetable(expression, zone="Europe/Berlin", suspended=suspended)
    accounts = look(since, now, table)
    assert sum(entry.count for entry in accounts.verdicts) == expected
