"""What holds a schedule back, why, until when, and how the condition `Paused` says it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduledjob_operator.models import Condition, ScheduledJobSpec
from scheduledjob_operator.names import SlotReason
from scheduledjob_operator.schedule import Schedule
from scheduledjob_operator.suspension import (
    REASON_LENGTH,
    Standing,
    Switch,
    namespace_switch,
    paused_condition,
    standing,
)
from scheduledjob_operator.wanted import schedule_of
from tests.unit.moments import NOON, after_noon, text

DAY = 86400
SUSPEND, UNTIL = "scheduledjob.dev/suspend", "scheduledjob.dev/suspend-until"


def spec(**fields: Any) -> ScheduledJobSpec:
    return ScheduledJobSpec.model_validate({"schedule": "*/5 * * * *", "handler": "sync", **fields})


def stands(
    wanted: ScheduledJobSpec,
    *switches: Switch,
    failures: int = 0,
    failed: datetime | None = None,
    now: datetime = NOON,
) -> Standing:
    return standing(
        spec=wanted,
        schedule=schedule_of(wanted, spread=""),
        consecutive_failures=failures,
        last_failure_time=failed,
        switches=switches,
        now=now,
    )


def reason(found: Standing) -> SlotReason | None:
    return found.suspension.reason if found.suspension else None


def message(found: Standing) -> str:
    assert found.suspension is not None
    return found.suspension.message


def switch(reason: str = "", *, until: datetime | None = None, everywhere: bool = False) -> Switch:
    return Switch(reason=reason, until=until, everywhere=everywhere)


# What holds


def test_a_schedule_that_nothing_holds_back_is_in_force() -> None:
    assert stands(spec()) == Standing(suspension=None, switch=None, probe=None, look_again=None)


HOLDS: list[tuple[dict[str, Any], tuple[Switch, ...], int, SlotReason | None]] = [
    ({"enabled": False}, (), 0, SlotReason.DISABLED),
    ({}, (switch(),), 0, SlotReason.SUSPENDED),
    ({"startsAt": text(after_noon(DAY))}, (), 0, SlotReason.OUT_OF_BOUNDS),
    ({"endsAt": text(after_noon(-DAY))}, (), 0, SlotReason.OUT_OF_BOUNDS),
    ({"pauseAfter": {"consecutiveFailures": 3}}, (), 3, SlotReason.PAUSED),
    ({"pauseAfter": {"consecutiveFailures": 3}}, (), 2, None),
    ({}, (), 1000, None),
]


@pytest.mark.parametrize(("fields", "switches", "failures", "expected"), HOLDS)
def test_each_thing_holds_the_schedule_back_by_itself(
    fields: dict[str, Any], switches: tuple[Switch, ...], failures: int, expected: SlotReason | None
) -> None:
    assert reason(stands(spec(**fields), *switches, failures=failures, failed=NOON)) is expected


def test_of_several_things_that_hold_it_back_the_first_one_is_named() -> None:
    everything = {
        "enabled": False,
        "startsAt": text(after_noon(DAY)),
        "pauseAfter": {"consecutiveFailures": 1},
    }
    without = [("enabled", SlotReason.DISABLED), (None, SlotReason.SUSPENDED)]
    for field, expected in without:
        assert reason(stands(spec(**everything), switch(), failures=1, failed=NOON)) is expected
        if field:
            del everything[field]
    assert reason(stands(spec(**everything), failures=1, failed=NOON)) is SlotReason.OUT_OF_BOUNDS
    del everything["startsAt"]
    assert reason(stands(spec(**everything), failures=1, failed=NOON)) is SlotReason.PAUSED


MESSAGES = [
    (stands(spec(enabled=False)), "enabled is false"),
    (stands(spec(), switch()), "suspended in the whole namespace"),
    (
        stands(spec(), switch("database migration", until=datetime(2026, 12, 1, tzinfo=UTC))),
        "suspended in the whole namespace until 2026-12-01T00:00:00Z: database migration",
    ),
    (stands(spec(), switch("upgrade", everywhere=True)), "suspended everywhere: upgrade"),
    (stands(spec(startsAt="2026-12-24T08:00:00Z")), "startsAt is 2026-12-24T08:00:00Z"),
    (stands(spec(endsAt="2026-11-01T08:00:00Z")), "endsAt was 2026-11-01T08:00:00Z"),
    (
        stands(spec(pauseAfter={"consecutiveFailures": 1}), failures=1, failed=NOON),
        "paused after 1 failure; a run is tried at 2026-11-22T13:00:00Z",
    ),
    (
        stands(spec(pauseAfter={"consecutiveFailures": 5}), failures=7, failed=NOON),
        "paused after 7 failures in a row; a run is tried at 2026-11-22T13:00:00Z",
    ),
]


@pytest.mark.parametrize(("found", "sentence"), MESSAGES)
def test_the_message_is_a_sentence_for_people(found: Standing, sentence: str) -> None:
    assert message(found) == sentence


# The master switch


def test_a_switch_holds_until_its_time_and_not_at_it() -> None:
    until = after_noon(60)
    before = stands(spec(), switch(until=until), now=after_noon(59))
    assert (reason(before), before.look_again) == (SlotReason.SUSPENDED, until)
    assert stands(spec(), switch(until=until), now=until) == stands(spec())


def test_the_operators_own_switch_is_named_before_that_of_the_namespace() -> None:
    own, namespaces = switch("own", everywhere=True, until=after_noon(60)), switch("theirs")
    for switches in ((own, namespaces), (namespaces, own)):
        assert stands(spec(), *switches).switch == own
        assert stands(spec(), *switches, now=after_noon(60)).switch == namespaces


def test_a_switch_is_known_though_something_else_holds_the_schedule_back() -> None:
    found = stands(spec(enabled=False), switch("why", until=after_noon(60)))
    assert reason(found) is SlotReason.DISABLED
    assert found.switch == switch("why", until=after_noon(60))
    assert found.look_again == after_noon(60)


ANNOTATIONS: list[tuple[dict[str, str], Switch | None]] = [
    ({}, None),
    ({UNTIL: text(NOON)}, None),
    ({"other.dev/suspend": "true"}, None),
    ({SUSPEND: "false"}, None),
    ({SUSPEND: " False "}, None),
    ({SUSPEND: ""}, switch()),
    ({SUSPEND: "true"}, switch()),
    ({SUSPEND: "True"}, switch()),
    ({SUSPEND: "database migration"}, switch("database migration")),
    ({SUSPEND: "  two\n\tlines "}, switch("two lines")),
    ({SUSPEND: "true", UNTIL: text(NOON)}, switch(until=NOON)),
    ({SUSPEND: "true", UNTIL: " 2026-11-22T13:00:00+01:00 "}, switch(until=NOON)),
    ({SUSPEND: "true", UNTIL: ""}, switch()),
]


@pytest.mark.parametrize(("annotations", "expected"), ANNOTATIONS)
def test_a_namespace_is_suspended_by_its_annotations(
    annotations: dict[str, str], expected: Switch | None
) -> None:
    assert namespace_switch(annotations) == expected


UNREADABLE = [
    "tomorrow",
    "2026-11-22",
    "2026-11-22T12:00:00",
    "9999-12-31T23:59:59-12:00",
    "0",
    "2026-13-01T00:00Z",
]


@pytest.mark.parametrize("until", UNREADABLE)
def test_an_end_that_cannot_be_read_keeps_the_namespace_suspended_and_says_so(until: str) -> None:
    hint = "scheduledjob.dev/suspend-until is not a time: write for example 2026-12-24T08:00:00Z"
    assert namespace_switch({SUSPEND: "true", UNTIL: until}) == switch(hint)
    assert namespace_switch({SUSPEND: "why", UNTIL: until}) == switch(f"why ({hint})")


def test_a_reason_of_any_length_is_cut_to_what_every_status_can_carry() -> None:
    found = namespace_switch({SUSPEND: "x" * 100_000})
    assert found is not None
    assert len(found.reason) == REASON_LENGTH
    assert found.reason.endswith("x...")
    assert namespace_switch({SUSPEND: "x" * REASON_LENGTH}) == switch("x" * REASON_LENGTH)


# Bounds

STARTS: list[tuple[str, str, float]] = [
    # schedule, startsAt in force so many seconds after noon
    ("*/5 * * * *", "12:00:00", -60),  # the last slot before is five minutes away
    ("* * * * *", "12:00:00", -30),  # half way between 11:59 and 12:00
    ("* * * * *", "12:00:20", 10),  # half way between 12:00 and startsAt
    ("* * * * *", "12:00:21", 11),
    ("* * * * *", "12:00:01", 1),  # not at the slot of 12:00
    ("* * * * *", "12:00:02", 1),
    ("* * * * *", "12:00:00.500000", 1),  # 12:00 is before it
    ("0 9 * * 1", "12:00:00", -60),
    ("0 9 29 2 *", "12:00:00", -60),
]


@pytest.mark.parametrize(("schedule", "starts", "opens"), STARTS)
def test_before_the_start_the_cron_job_is_let_go_between_two_slots(
    schedule: str, starts: str, opens: float
) -> None:
    wanted = spec(schedule=schedule, startsAt=f"2026-11-22T{starts}Z")
    before = stands(wanted, now=after_noon(opens - 1))
    assert (reason(before), before.look_again) == (SlotReason.OUT_OF_BOUNDS, after_noon(opens))
    assert reason(stands(wanted, now=after_noon(opens))) is None
    assert stands(wanted, now=after_noon(opens + 86400)).look_again is None


ENDS: list[tuple[str, str, str, float]] = [
    # schedule, endsAt, startingDeadline, held again so many seconds after noon
    ("*/5 * * * *", "12:00:00", "10m", 150),  # half way to 12:05
    ("*/5 * * * *", "12:00:00", "1m", 60),  # 12:00 starts no later than this
    ("* * * * *", "12:00:00", "10m", 30),
    ("* * * * *", "12:00:30", "10m", 45),
    ("* * * * *", "12:00:59", "10m", 59),  # not at the slot of 12:01
    ("* * * * *", "12:00:58.700000", "10m", 59),
    ("0 9 * * 1", "12:00:00", "10m", 600),
]


@pytest.mark.parametrize(("schedule", "ends", "deadline", "closes"), ENDS)
def test_after_the_end_the_cron_job_is_held_between_two_slots(
    schedule: str, ends: str, deadline: str, closes: float
) -> None:
    wanted = spec(schedule=schedule, endsAt=f"2026-11-22T{ends}Z", startingDeadline=deadline)
    before = stands(wanted, now=after_noon(closes - 1))
    assert (reason(before), before.look_again) == (None, after_noon(closes))
    after = stands(wanted, now=after_noon(closes))
    assert (reason(after), after.look_again) == (SlotReason.OUT_OF_BOUNDS, None)


def test_a_schedule_with_both_bounds_is_looked_at_again_at_each_of_them() -> None:
    wanted = spec(startsAt=text(after_noon(300)), endsAt=text(after_noon(600)))
    first = stands(wanted)
    assert (reason(first), first.look_again) == (SlotReason.OUT_OF_BOUNDS, after_noon(240))
    second = stands(wanted, now=after_noon(240))
    assert (reason(second), second.look_again) == (None, after_noon(750))
    assert message(stands(wanted, now=after_noon(750))) == f"endsAt was {text(after_noon(600))}"


def test_of_a_switch_and_a_bound_the_earlier_is_the_next_look() -> None:
    wanted = spec(startsAt=text(after_noon(300)))
    assert stands(wanted, switch(until=after_noon(100))).look_again == after_noon(100)
    assert stands(wanted, switch(until=after_noon(1000))).look_again == after_noon(240)


@pytest.mark.parametrize("bound", ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_bounds_at_the_ends_of_the_calendar_are_bounds_like_others(bound: str) -> None:
    far = bound.startswith("9")
    assert reason(stands(spec(startsAt=bound))) is (SlotReason.OUT_OF_BOUNDS if far else None)
    assert reason(stands(spec(endsAt=bound))) is (None if far else SlotReason.OUT_OF_BOUNDS)


MOMENT = st.integers(min_value=-7200, max_value=7200).map(after_noon)
MINUTES = st.sampled_from(["* * * * *", "*/5 * * * *", "7,8 * * * *", "30 11 * * *", "0 3 1 1 *"])


@given(MINUTES, MOMENT, MOMENT)
def test_exactly_the_slots_within_the_bounds_find_the_cron_job_in_force(
    expression: str, one: datetime, other: datetime
) -> None:
    starts = min(one, other)
    ends = max(one, other, starts + timedelta(seconds=1))  # endsAt is later than startsAt
    wanted = spec(schedule=expression, startsAt=text(starts), endsAt=text(ends))
    slots = Schedule.parse(expression).slots_between(after_noon(-10800), after_noon(10800), limit=1000)
    for slot in slots:
        within = starts <= slot <= ends
        assert (reason(stands(wanted, now=slot)) is None) is within
        assert stands(wanted, now=slot - timedelta(seconds=1)).look_again != slot


# Paused by failures


def test_a_run_is_tried_when_the_schedule_has_cooled_down() -> None:
    wanted = spec(pauseAfter={"consecutiveFailures": 3, "coolDown": "30m"})
    assert stands(wanted, failures=3, failed=NOON, now=after_noon(60)).probe == after_noon(1800)
    assert stands(wanted, failures=3, failed=NOON, now=after_noon(9000)).probe == after_noon(1800)
    assert stands(wanted, failures=2, failed=NOON).probe is None


def test_no_run_is_tried_while_something_else_holds_the_schedule_back() -> None:
    failing = {"pauseAfter": {"consecutiveFailures": 1}}
    assert stands(spec(**failing), switch(), failures=1, failed=NOON).probe is None
    assert stands(spec(**failing, enabled=False), failures=1, failed=NOON).probe is None
    assert stands(spec(**failing, startsAt=text(after_noon(DAY))), failures=1, failed=NOON).probe is None


def test_failures_whose_time_is_not_known_are_not_waited_after() -> None:
    found = stands(spec(pauseAfter={"consecutiveFailures": 2}), failures=2)
    assert found.probe == NOON
    assert message(found) == "paused after 2 failures in a row; a run is tried now"


# The condition


def condition(
    found: Standing, *, previous: Condition | None = None, now: datetime = NOON
) -> Condition | None:
    return paused_condition(previous=previous, standing=found, generation=3, now=now)


FAILING = stands(spec(pauseAfter={"consecutiveFailures": 1}), failures=1, failed=NOON)
REASONS = [
    (FAILING, "ConsecutiveFailures"),
    (stands(spec(), switch("why")), "NamespaceSuspended"),
    (stands(spec(), switch("why", everywhere=True)), "OperatorSuspended"),
]


@pytest.mark.parametrize(("found", "expected"), REASONS)
def test_the_condition_says_what_paused_the_schedule(found: Standing, expected: str) -> None:
    assert condition(found) == Condition(
        type="Paused",
        status="True",
        reason=expected,
        message=message(found),
        observed_generation=3,
        last_transition_time=NOON,
    )


NOT_PAUSED = [stands(spec()), stands(spec(enabled=False)), stands(spec(startsAt=text(after_noon(DAY))))]


@pytest.mark.parametrize("found", NOT_PAUSED)
def test_a_schedule_that_never_was_paused_has_no_such_condition(found: Standing) -> None:
    assert condition(found) is None


def test_a_schedule_that_was_paused_says_that_it_is_in_force_again() -> None:
    before = condition(FAILING)
    after = condition(stands(spec()), previous=before, now=after_noon(60))
    assert after is not None
    assert (after.status, after.reason, after.message) == ("False", "Resumed", "the schedule is in force")
    assert after.last_transition_time == after_noon(60)
    assert condition(stands(spec()), previous=after, now=after_noon(120)) == after


def test_a_schedule_that_was_paused_and_is_now_disabled_is_not_said_to_be_in_force() -> None:
    after = condition(stands(spec(enabled=False)), previous=condition(FAILING))
    assert after is not None
    assert (after.status, after.message) == ("False", "not paused; enabled is false")


def test_the_condition_is_as_old_as_its_status_not_as_its_reason() -> None:
    before = condition(stands(spec(), switch("why")), now=NOON)
    after = condition(FAILING, previous=before, now=after_noon(60))
    assert after is not None
    assert (after.reason, after.last_transition_time) == ("ConsecutiveFailures", NOON)


def test_the_condition_does_not_change_with_the_clock() -> None:
    for found in (FAILING, stands(spec(), switch("why", until=after_noon(9000)))):
        first = condition(found)
        assert condition(found, previous=first, now=after_noon(3000)) == first
    later = stands(spec(pauseAfter={"consecutiveFailures": 1}), failures=1, failed=NOON, now=after_noon(99))
    assert later == FAILING
