"""The books over time: each slot has one verdict, written once, with as few writes as there are."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduledjob_operator.activity import SETTLING
from scheduledjob_operator.job_names import slot_job
from scheduledjob_operator.metrics import SLOTS
from scheduledjob_operator.models import ScheduledJobSpec, ScheduledJobStatus
from scheduledjob_operator.models.types import parse_time
from scheduledjob_operator.observed import CronJobSeen
from scheduledjob_operator.schedule import Schedule
from tests.unit import bodies
from tests.unit.bodies import NAME, NAMESPACE
from tests.unit.fake_cluster import OVERLOADED
from tests.unit.ledger import Ledger, observe
from tests.unit.moments import NOON, after_noon, text
from tests.unit.world import World, verbs

SETTLED = SETTLING.total_seconds() + 1


def world_with(**fields: Any) -> World:
    """One in sync, every five minutes, at 12:00:30."""
    world = World()
    world.create({"schedule": "*/5 * * * *", "handler": "sync", **fields})
    world.settle()
    return world


def slot_events(world: World) -> list[str]:
    return [reason for reason, _ in world.cluster.events() if reason in ("SlotSkipped", "SlotsMissed")]


def counted(result: str, reason: str) -> float:
    """What the metric shows."""
    return float(SLOTS.labels(namespace=NAMESPACE, name=NAME, result=result, reason=reason)._value.get())


# The number of writes


def test_a_thousand_missed_slots_cost_one_write_and_one_event() -> None:
    world = world_with(schedule="* * * * *")
    world.now = after_noon(60 * 1001 + 30)
    world.restart()
    assert verbs(world.settle()) == ["status", "event"]
    (entry,) = world.status["unstarted"]
    assert (entry["result"], entry["count"]) == ("Missed", 1000)
    assert (entry["first"], entry["last"]) == (text(after_noon(60)), text(after_noon(60_000)))
    assert world.status["counts"]["missed"] == 1000
    assert world.cluster.events()[-1][1].startswith("1,000 slots from ")


def test_so_many_that_they_are_not_looked_at_at_once_are_all_counted_in_the_end() -> None:
    world = world_with(schedule="* * * * *")
    world.now = after_noon(60 * 25_001 + 30)
    world.restart()
    writes = world.settle()
    assert world.status["counts"]["missed"] == 25_000
    assert sum(entry["count"] for entry in world.status["unstarted"]) == 25_000
    assert verbs(writes).count("status") <= 3


def test_a_year_of_suspended_minutes_is_one_entry_and_costs_no_write_of_its_own() -> None:
    world = world_with(schedule="* * * * *", enabled=False)
    world.now = NOON + timedelta(days=365)
    world.restart()
    assert world.settle() == []
    world.change(timeout="5m")
    assert verbs(world.settle()) == ["apply", "status"]
    assert [(entry["reason"], entry["count"]) for entry in world.status["unstarted"]] == [
        ("Disabled", 365 * 24 * 60)
    ]


def test_an_idle_disabled_schedule_makes_no_request_at_all() -> None:
    world = world_with(enabled=False)
    before = len(world.cluster.requests)
    world.go_to(100_000)
    assert len(world.cluster.requests) == before
    assert world.due == {}


def test_a_slot_that_found_another_run_active_costs_no_write_but_that_of_the_next_times() -> None:
    world = world_with()
    world.go_to(300)
    world.run_pod(world.start_slot(300))
    world.go_to(330)
    before = len(world.cluster.writes)
    world.go_to(600 * 2 + 30)
    statuses = [write for write in world.cluster.writes[before:] if write.verb == "status"]
    assert all("nextRunTimes" in write.body for write in statuses)
    assert len(statuses) == 3, "one a slot"
    assert world.unstarted() == [("Skipped", "OverlapForbidden", 2)]


def test_a_schedule_that_runs_as_it_should_has_a_write_for_the_start_and_one_for_the_end() -> None:
    world = world_with()
    world.go_to(299)
    before = len(world.cluster.writes)
    for seconds in range(300, 3300, 300):
        world.go_to(seconds)
        name = world.start_slot(seconds)
        world.go_to(seconds + 10)
        world.finish(name)
        world.settle()
    assert verbs(world.cluster.writes[before:]) == ["status"] * 20
    assert world.status["accountedUntil"] == text(after_noon(3000))
    assert (world.status["counts"]["missed"], world.status["counts"]["skipped"]) == (0, 0)


# Once


def test_each_skipped_slot_is_told_and_counted_once_however_often_it_is_looked_at() -> None:
    world = world_with()
    before = counted("Skipped", "OverlapForbidden")
    world.go_to(300)
    name = world.start_slot(300)
    world.run_pod(name)
    world.go_to(330)
    for seconds in (902, 905, 909, 910, 912, 915, 921):  # the slot at 600 is decided at 910
        world.go_to(seconds)
        world.annotate_job(name, note=str(seconds))
        world.settle()
    assert world.unstarted() == [("Skipped", "OverlapForbidden", 1)]
    assert slot_events(world) == ["SlotSkipped"]
    assert counted("Skipped", "OverlapForbidden") - before == 1


def test_each_slot_of_a_disabled_schedule_is_counted_once_however_often_it_is_looked_at() -> None:
    world = world_with(enabled=False)
    before = counted("Skipped", "Disabled")
    world.put_job("by-hand", created=after_noon(31))
    for seconds in (700, 1000, 1300):
        world.go_to(seconds)
        world.annotate_job("by-hand", note=str(seconds))
        world.settle()
    world.change(enabled=True)
    world.settle()
    assert world.status["counts"]["skipped"] == 4
    assert counted("Skipped", "Disabled") - before == 4


def test_a_verdict_that_could_not_be_written_is_told_when_it_is() -> None:
    world = world_with()
    world.go_to(600 + SETTLED - 2)
    errors = iter([OVERLOADED, OVERLOADED])
    world.cluster.rule = lambda request: next(errors, None) if request.verb == "status" else None
    world.go_to(600 + SETTLED)
    assert world.status["counts"]["missed"] == 1
    assert slot_events(world) == ["SlotsMissed"]


# Verdicts that are taken back


def test_the_verdict_on_one_of_many_is_taken_back_when_its_job_turns_up() -> None:
    world = world_with()
    world.go_to(1500 + SETTLED)
    assert world.unstarted() == [("Missed", "NothingStartedIt", 4)]
    world.start_slot(600)
    world.settle()
    assert world.unstarted() == [("Missed", "NothingStartedIt", 3)]
    assert world.status["counts"]["missed"] == 3
    world.finish(slot_job(NAME, after_noon(600)))
    world.settle()
    world.restart()
    world.settle()
    assert world.status["counts"]["missed"] == 3, "and once only"


@pytest.mark.parametrize("ended", [False, True], ids=["active", "ended"])
def test_the_verdict_on_a_disabled_slot_is_taken_back_when_its_job_is_seen_later(ended: bool) -> None:
    """It was started in the moment before the schedule was disabled."""
    world = world_with()
    world.now = after_noon(301)
    world.change(enabled=False)
    world.settle()
    assert world.status["counts"]["missed"] == 1
    name = slot_job(NAME, after_noon(300))
    status = bodies.failed(after_noon(300), after_noon(301), pods=0) if ended else None
    world.put_job(name, slot=after_noon(300), created=after_noon(300), status=status)
    world.settle()
    assert (world.unstarted(), world.status["counts"]["missed"]) == ([], 0)


def test_a_run_by_hand_at_the_time_of_a_missed_slot_takes_nothing_back() -> None:
    world = world_with()
    world.go_to(600 + SETTLED)
    world.annotate(run="now")
    world.settle()
    world.annotate(backfill='{"from": "2026-11-22T12:05:00Z", "to": "2026-11-22T12:05:00Z"}')
    world.settle()
    assert world.status["counts"]["missed"] == 1


# What the slots had to go by


def test_slots_before_a_change_of_the_schedule_are_those_of_the_old_one() -> None:
    world = world_with(schedule="0 * * * *", startingDeadline="1m")
    world.now = after_noon(2 * 3600 + 300)
    world.change(schedule="*/10 * * * *")
    world.settle()
    assert world.status["counts"]["missed"] == 2
    assert world.status["accountedUntil"] == text(after_noon(2 * 3600 + 300))
    world.go_to(2 * 3600 + 1200 + SETTLED)
    assert world.status["counts"]["missed"] == 3, "and those after are the new one's"


def test_slots_go_on_being_accounted_while_the_spec_cannot_be_read() -> None:
    world = world_with()
    world.change(schedule="61 * * * *")
    world.settle()
    world.go_to(1200 + SETTLED)
    assert world.status["counts"]["missed"] == 3


def test_a_clock_that_was_set_back_accounts_nothing_twice() -> None:
    world = world_with()
    world.go_to(1500 + SETTLED)
    before = world.status["counts"]["missed"]
    world.now = after_noon(700)
    world.restart()
    world.settle()
    assert world.status["accountedUntil"] == text(after_noon(1200))
    world.go_to(1500 + SETTLED)
    assert world.status["counts"]["missed"] == before


def test_a_status_of_an_older_version_is_accounted_from_now_on() -> None:
    world = world_with()
    old = {key: value for key, value in world.status.items() if key != "accountedUntil"}
    world.cluster.put("ScheduledJob", {**world.scheduled_job, "status": old})
    world.now = after_noon(100_000)
    world.restart()
    world.settle()
    assert world.status["counts"]["missed"] == 0
    assert parse_time(world.status["accountedUntil"]) == after_noon(100_000)


def test_somebody_who_clears_the_status_loses_its_past_and_nothing_else() -> None:
    world = world_with()
    world.go_to(300)
    name = world.start_slot(300)
    world.settle()
    world.cluster.put("ScheduledJob", {**world.scheduled_job, "status": {"observedGeneration": -1}})
    world.settle()
    assert world.active() == [name]
    assert world.status["counts"]["missed"] == 0


# Whatever happens

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(1, 900)),
        st.tuples(st.just("start"), st.just(0)),
        st.tuples(st.just("finish"), st.sampled_from([0, 1])),
        st.tuples(st.just("restart"), st.just(0)),
        st.tuples(st.just("away"), st.integers(1, 4000)),
        st.tuples(st.just("enable"), st.booleans()),
        st.tuples(st.just("freeze"), st.booleans()),
    ),
    max_size=12,
)


def play(world: World, step: str, value: Any) -> None:
    if step == "wait":
        world.go_to((world.now - NOON).total_seconds() + value)
    elif step == "away":
        world.now += timedelta(seconds=value)
        world.restart()
    elif step == "restart":
        world.restart()
    elif step == "enable":
        world.change(enabled=value)
    elif step == "freeze":
        world.put_namespace(**({"suspend": "x"} if value else {}))
    elif step == "start":
        world.fire()
    else:
        for run in world.active()[:1]:
            world.finish(
                next(entry["jobName"] for entry in world.status["active"] if entry["id"] == run), value
            )
    world.settle()


@settings(max_examples=60)
@given(STEPS, st.sampled_from(["None", "Latest", "All"]), st.sampled_from(["Forbid", "Allow"]))
def test_every_slot_has_exactly_one_verdict(steps: list[tuple[str, Any]], policy: str, overlap: str) -> None:
    world = world_with(catchUp={"policy": policy}, concurrencyPolicy=overlap, history={"runs": 100})
    for step, value in steps:
        play(world, step, value)
    world.put_namespace()
    world.change(enabled=False)
    world.settle()
    status = world.status
    begin, end = after_noon(30), parse_time(status["accountedUntil"])
    slots = Schedule.parse("*/5 * * * *").slots_between(begin, end, limit=10_000)
    runs = [*status["recentRuns"], *status["active"], *status["pending"]]
    ran = [run["slot"] for run in runs if run.get("slot")]
    assert len(ran) == len(set(ran)), "no slot has two runs"
    without = sum(entry["count"] for entry in status["unstarted"])
    assert len(ran) + without == len(slots)
    unknown = sum(run.get("result") == "Unknown" for run in runs)
    counts = status["counts"]
    assert counts["skipped"] + counts["missed"] + counts["unknown"] == without + unknown
    names = world.job_names()
    assert len(names) == len(set(names))


@given(st.lists(st.integers(1, 4000), max_size=6))
def test_verdicts_do_not_depend_on_how_often_one_looked(pauses: list[int]) -> None:
    """With no run in sight, looking often and looking once come to the same."""
    spec = ScheduledJobSpec.model_validate({"schedule": "*/5 * * * *", "handler": "sync"})
    often, once = Ledger(), Ledger()
    for ledger in (often, once):
        ledger.written = {"observedGeneration": 1, "accountedUntil": text(NOON), "cronJobName": NAME}
    deadline = {"startingDeadlineSeconds": 600}
    cron_job = CronJobSeen.from_body(bodies.cron_job(spec=deadline))
    seconds = 0
    for pause in pauses:
        seconds += pause
        often.see(observe(spec=spec, cron_job=cron_job, now=after_noon(seconds)))
    seconds += 1
    for ledger in (often, once):
        ledger.see(observe(spec=spec, cron_job=cron_job, now=after_noon(seconds)))
    both: list[ScheduledJobStatus] = [often.status, once.status]
    assert both[0].accounted_until == both[1].accounted_until
    assert both[0].counts == both[1].counts
    assert [entry.count for entry in both[0].unstarted] == [entry.count for entry in both[1].unstarted]
