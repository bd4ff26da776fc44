"""What becomes of slots when the operator, Kubernetes' controller or both were away."""

from typing import Any

import pytest

from scheduledjob_operator.activity import SETTLING
from scheduledjob_operator.job_names import slot_job
from tests.unit.bodies import NAME, NAMESPACE
from tests.unit.fake_cluster import LOST, UNREACHABLE
from tests.unit.moments import after_noon, text
from tests.unit.world import World, verbs

SETTLED = SETTLING.total_seconds() + 1


def world_with(**fields: Any) -> World:
    """One in sync, every five minutes, at 12:00:30."""
    world = World()
    world.create({"schedule": "*/5 * * * *", "handler": "sync", **fields})
    world.settle()
    return world


def catching_up(policy: str, **given: Any) -> dict[str, Any]:
    return {"catchUp": {"policy": policy, **given}}


def job_of(seconds: float) -> str:
    """Name of the Job of the slot so many seconds after noon."""
    return slot_job(NAME, after_noon(seconds))


def both_away(world: World, *, until: float) -> None:
    """Nothing starts anything until so many seconds after noon; then the operator is back."""
    world.now = after_noon(until)
    world.restart()
    world.settle()


def slots_told(world: World) -> list[tuple[str, str]]:
    told = ("SlotsMissed", "SlotSkipped", "CatchingUp")
    return [(reason, note) for reason, note in world.cluster.events() if reason in told]


# The operator is away


def test_slots_that_kubernetes_started_meanwhile_are_runs_and_nothing_else() -> None:
    world = world_with()
    for seconds in (300, 600, 900):
        world.now = after_noon(seconds)
        name = world.start_slot(seconds)
        world.now = after_noon(seconds + 10)
        world.finish(name)
    both_away(world, until=920)
    assert world.runs() == [(job_of(seconds), "Succeeded") for seconds in (300, 600, 900)]
    assert (world.unstarted(), world.status["counts"]["missed"]) == ([], 0)
    assert world.status["accountedUntil"] == text(after_noon(900))
    assert slots_told(world) == []


def test_slots_that_found_another_run_active_are_skipped() -> None:
    world = world_with()
    world.go_to(300)
    name = world.start_slot(300)
    world.now = after_noon(950)
    world.finish(name)
    both_away(world, until=960)
    world.go_to(1200)
    world.start_slot(1200)
    world.go_to(1200 + SETTLED)
    assert world.unstarted() == [("Skipped", "OverlapForbidden", 2)]
    assert (world.status["counts"]["skipped"], world.status["counts"]["missed"]) == (2, 0)


def test_slots_whose_jobs_may_have_been_cleaned_up_meanwhile_are_not_called_missed() -> None:
    """Of the Jobs that ended alike, Kubernetes keeps as many as history says."""
    world = world_with(history={"succeededJobs": 2}, **catching_up("All"))
    for seconds in (300, 600, 900, 1200):
        world.now = after_noon(seconds)
        name = world.start_slot(seconds)
        world.now = after_noon(seconds + 10)
        world.finish(name)
    for seconds in (300, 600):
        world.cluster.delete("Job", NAMESPACE, job_of(seconds))
    both_away(world, until=1220)
    assert world.runs() == [(job_of(900), "Succeeded"), (job_of(1200), "Succeeded")]
    assert world.unstarted() == [("Unknown", "NotObserved", 2)]
    assert (world.status["counts"]["unknown"], world.status["counts"]["missed"]) == (2, 0)
    assert world.created() == [], "nor are they run again"


def test_where_there_are_fewer_jobs_than_are_kept_none_has_been_cleaned_up() -> None:
    world = world_with(history={"succeededJobs": 3})
    for seconds in (900, 1200):
        world.now = after_noon(seconds)
        name = world.start_slot(seconds)
        world.now = after_noon(seconds + 10)
        world.finish(name)
    both_away(world, until=1220)
    assert world.unstarted() == [("Missed", "NothingStartedIt", 2)]


# Kubernetes' controller is away


def test_a_slot_that_nothing_starts_is_missed_once_the_next_one_has_passed() -> None:
    world = world_with()
    world.go_to(600 + SETTLED)
    assert world.unstarted() == [("Missed", "NothingStartedIt", 1)]
    assert world.status["counts"]["missed"] == 1
    assert world.status["accountedUntil"] == text(after_noon(300))
    note = f"slot {text(after_noon(300))} had no run: NothingStartedIt"
    assert slots_told(world) == [("SlotsMissed", note)]


def test_or_once_its_deadline_is_over() -> None:
    world = world_with(schedule="0 * * * *", startingDeadline="1m")
    world.go_to(3600 + 60)
    assert world.unstarted() == []
    world.go_to(3600 + 60 + SETTLED)
    assert world.unstarted() == [("Missed", "StartingDeadline", 1)]


def test_a_slot_that_is_started_late_is_a_run_and_not_missed() -> None:
    world = world_with(schedule="0 * * * *")
    world.go_to(3600 + 500)
    name = world.start_slot(3600)
    world.go_to(3600 + 520)
    world.finish(name)
    world.go_to(7100)
    assert world.runs() == [(job_of(3600), "Succeeded")]
    assert world.unstarted() == []


def test_each_missed_slot_is_told_and_counted_once() -> None:
    world = world_with()
    world.go_to(1500 + SETTLED)
    assert world.unstarted() == [("Missed", "NothingStartedIt", 4)]
    assert world.status["counts"]["missed"] == 4
    assert [reason for reason, _ in slots_told(world)] == ["SlotsMissed"] * 4
    world.restart()
    world.settle()
    assert world.status["counts"]["missed"] == 4
    assert len(slots_told(world)) == 4


# Both are away


def test_of_a_long_outage_one_event_and_one_entry_are_left() -> None:
    world = world_with()
    both_away(world, until=3600 * 2 + 20)
    (entry,) = world.status["unstarted"]
    assert (entry["count"], entry["first"], entry["last"]) == (
        23,
        text(after_noon(300)),
        text(after_noon(6900)),
    )
    ((reason, note),) = slots_told(world)
    assert reason == "SlotsMissed"
    assert note.startswith("23 slots from 2026-11-22T12:05:00Z to 2026-11-22T13:55:00Z had no run")
    assert world.status["accountedUntil"] == text(after_noon(6900)), "Kubernetes may start the last one yet"


def test_the_slot_that_kubernetes_may_still_start_is_left_to_it() -> None:
    world = world_with(**catching_up("All"), concurrencyPolicy="Allow")
    both_away(world, until=905)
    assert world.created() == [job_of(300)], "it has not begun to look at a later one"
    world.start_slot(900)
    world.go_to(950)
    assert world.created() == [job_of(300), job_of(600)]
    assert world.active() == [job_of(300), job_of(600), job_of(900)]


def test_without_catch_up_nothing_starts() -> None:
    world = world_with()
    both_away(world, until=3600)
    world.go_to(3800)
    assert world.created() == []


def test_the_newest_missed_slot_stands_for_all_of_them() -> None:
    world = world_with(schedule="0 * * * *", **catching_up("Latest", window="24h"), startingDeadline="1m")
    both_away(world, until=3600 * 5 + 600)
    assert world.created() == [job_of(3600 * 5)]
    (run,) = world.status["active"]
    assert (run["trigger"], run["slot"]) == ("CatchUp", text(after_noon(3600 * 5)))
    assert world.unstarted() == [("Missed", "NothingStartedIt", 4)]
    assert world.status["counts"]["missed"] == 4
    assert [reason for reason, _ in slots_told(world)] == ["SlotsMissed", "CatchingUp"]


def test_the_newest_stands_aside_for_a_slot_that_is_about_to_start() -> None:
    world = world_with(**catching_up("Latest"))
    both_away(world, until=1505)
    world.start_slot(1500)
    world.go_to(1560)
    assert world.created() == []
    assert world.status["counts"]["missed"] == 4


def test_all_missed_slots_run_one_after_the_other_oldest_first() -> None:
    world = world_with(schedule="0 * * * *", **catching_up("All", window="24h"), startingDeadline="1m")
    both_away(world, until=3600 * 3 + 600)
    slots = [3600, 7200, 10800]
    for count, seconds in enumerate(slots, start=1):
        assert world.created() == [job_of(slot) for slot in slots[:count]]
        assert world.active() == [job_of(seconds)]
        world.finish(job_of(seconds))
        world.wait(1)
    assert [run["trigger"] for run in world.status["recentRuns"]] == ["CatchUp"] * 3
    assert (world.unstarted(), world.status["counts"]["missed"]) == ([], 0)
    assert world.pending() == []


def test_where_runs_may_overlap_they_start_together() -> None:
    fields = {**catching_up("All", window="24h"), "startingDeadline": "1m", "concurrencyPolicy": "Allow"}
    world = world_with(schedule="0 * * * *", **fields)
    both_away(world, until=3600 * 3 + 600)
    assert world.created() == [job_of(3600), job_of(7200), job_of(10800)]


@pytest.mark.parametrize(
    ("catch_up", "started", "missed"),
    [
        ({"window": "100m"}, [7200, 10800], 1),
        ({"window": "24h", "limit": 1}, [10800], 2),
        ({"window": "1m"}, [], 3),
    ],
    ids=["only fresh ones", "only so many, the newest", "none is fresh"],
)
def test_only_what_is_within_window_and_limit_is_caught_up(
    catch_up: dict[str, Any], started: list[float], missed: int
) -> None:
    fields = {**catching_up("All", **catch_up), "startingDeadline": "1m", "concurrencyPolicy": "Allow"}
    world = world_with(schedule="0 * * * *", **fields)
    both_away(world, until=3600 * 3 + 600)
    assert world.created() == [job_of(seconds) for seconds in started]
    assert world.status["counts"]["missed"] == missed


def test_a_run_that_was_active_when_the_lights_went_out_holds_back_what_is_caught_up() -> None:
    world = world_with(schedule="0 * * * *", **catching_up("All", window="24h"), startingDeadline="1m")
    world.go_to(3600)
    name = world.start_slot(3600)
    world.settle()
    both_away(world, until=3600 * 2 + 600)
    assert world.created() == []
    assert world.unstarted() == [("Skipped", "OverlapForbidden", 1)], "it was active at that slot"
    world.finish(name)
    world.go_to(3600 * 2 + 700)
    assert world.created() == []


def test_the_next_slot_goes_before_what_is_still_to_be_caught_up() -> None:
    world = world_with(**catching_up("All"), startingDeadline="1m")
    both_away(world, until=1199)
    assert world.created() == [], "a slot is about to come"
    world.go_to(1200)
    own = world.start_slot(1200)
    world.go_to(1230)
    assert (world.created(), world.active()) == ([], [own])
    world.finish(own)
    world.wait(1)
    assert world.created() == [job_of(300)]


def test_a_job_that_kubernetes_starts_for_the_same_slot_is_the_run_that_was_to_be_caught_up() -> None:
    world = world_with(schedule="0 * * * *", **catching_up("All", window="24h"), startingDeadline="1m")
    world.now = after_noon(3600 + 600)
    world.restart()
    world.deliver()
    name = world.start_slot(3600)  # the operator has not seen it yet
    world.reconcile()
    world.settle()
    assert world.job_names() == [name]
    assert world.active() == [name]
    assert world.pending() == []
    world.finish(name)
    world.go_to(5000)
    assert world.runs() == [(name, "Succeeded")]


def test_a_job_that_turns_up_for_a_slot_that_was_given_up_takes_the_verdict_back() -> None:
    world = world_with(schedule="0 * * * *", startingDeadline="1m")
    world.go_to(3600 + 60 + SETTLED)
    assert world.status["counts"]["missed"] == 1
    world.start_slot(3600)
    world.settle()
    assert world.active() == [job_of(3600)]
    assert (world.unstarted(), world.status["counts"]["missed"]) == ([], 0)


def test_what_is_to_be_caught_up_is_skipped_when_the_schedule_is_disabled_first() -> None:
    world = world_with(schedule="0 * * * *", **catching_up("All", window="24h"), startingDeadline="1m")
    both_away(world, until=3600 * 3 + 600)
    world.change(enabled=False)
    world.settle()
    assert world.pending() == []
    assert world.unstarted() == [("Skipped", "Disabled", 2)]
    assert world.status["counts"]["skipped"] == 2
    world.finish(job_of(3600))
    world.change(enabled=True)
    world.go_to(3600 * 3 + 900)
    assert world.created() == [job_of(3600)], "resuming starts no slot of the past"


def test_a_caught_up_run_that_fails_is_tried_again_like_any_other() -> None:
    fields = {**catching_up("Latest", window="24h"), "startingDeadline": "1m"}
    world = world_with(schedule="0 * * * *", retry={"limit": 1, "backoff": {"initial": "30s"}}, **fields)
    both_away(world, until=3600 + 600)
    world.finish(job_of(3600), 1)
    world.go_to(3600 + 640)
    assert world.created() == [job_of(3600), f"{job_of(3600)}-r2"]
    (run,) = world.status["active"]
    assert (run["trigger"], run["slot"], run["attempt"]) == ("CatchUp", text(after_noon(3600)), 2)


# The CronJob itself is away


def test_slots_that_passed_while_the_cron_job_was_deleted_are_missed() -> None:
    world = world_with()
    world.cluster.delete("CronJob", "shop", NAME)
    both_away(world, until=650)
    assert world.has_cron_job
    assert world.unstarted() == [("Missed", "NothingStartedIt", 2)]
    world.go_to(700)
    assert world.status["counts"]["missed"] == 2


def test_a_new_scheduled_job_has_no_past() -> None:
    world = World()
    world.now = after_noon(3600)
    world.create({"schedule": "* * * * *", "handler": "sync", **catching_up("All")})
    world.settle()
    assert (world.unstarted(), world.created(), world.pending()) == ([], [], [])


# What goes wrong on the way


def outage(world: World) -> tuple[Any, ...]:
    """An outage of three hours, and what is caught up of it."""
    world.now = after_noon(3600 * 3 + 600)
    world.restart()
    world.settle()
    for seconds in (3600, 7200, 10800):
        world.wait(5)
        if ("Job", NAMESPACE, job_of(seconds)) in world.cluster.objects:
            world.finish(job_of(seconds))
            world.settle()
    world.wait(5)
    return world.created(), world.runs(), world.pending(), world.unstarted(), world.status["counts"]


FIELDS = {
    "schedule": "0 * * * *",
    **catching_up("All", window="100m"),
    "startingDeadline": "1m",
}
REFERENCE = world_with(**FIELDS)
BEFORE = len(REFERENCE.cluster.requests)
EXPECTED = outage(REFERENCE)
STEPS = len(REFERENCE.cluster.requests) - BEFORE


@pytest.mark.parametrize("outcome", [LOST, UNREACHABLE], ids=["after", "before"])
@pytest.mark.parametrize("step", range(STEPS))
@pytest.mark.parametrize("dies", [False, True], ids=["", "and died of it"])
def test_an_operator_that_stumbles_at_any_request_starts_no_slot_twice_and_loses_none(
    step: int, outcome: Any, dies: bool
) -> None:
    world = world_with(**FIELDS)
    world.cluster.outcomes.extend([None] * step + [outcome])
    world.dies_of_errors = dies
    found = outage(world)
    assert world.job_names() == EXPECTED[0]
    assert found[1:] == EXPECTED[1:]


def test_the_reference_is_worth_it() -> None:
    assert EXPECTED[0] == [job_of(7200), job_of(10800)]
    assert EXPECTED[3] == [("Missed", "NothingStartedIt", 1)]
    assert "create" in verbs(REFERENCE.cluster.writes)
