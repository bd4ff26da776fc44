"""What the operator fires itself: seconds, intervals, once; and punctually what Kubernetes fires too."""

from datetime import timedelta
from typing import Any

import pytest

from scheduledjob_operator.firing import Move, move
from scheduledjob_operator.job_names import slot_job
from scheduledjob_operator.models import ConcurrencyPolicy
from tests.unit import bodies
from tests.unit.bodies import NAME, NAMESPACE
from tests.unit.fake_cluster import LOST, OVERLOADED, UNREACHABLE, refused
from tests.unit.moments import after_noon, text
from tests.unit.native import CronJobController
from tests.unit.world import World, verbs

ALLOW, FORBID, REPLACE, QUEUE = ConcurrencyPolicy
START, LEAVE, ASK = Move


def world_with(*, punctual: bool = False, environment: str = "", **fields: Any) -> World:
    """One in sync, every ninety seconds unless given otherwise, at 12:00:30."""
    world = World()
    world.punctual, world.environment = punctual, environment
    world.restart()
    timing = {} if fields.keys() & {"schedule", "at", "every"} else {"every": "90s"}
    world.create({**timing, "handler": "sync", **fields})
    world.settle()
    return world


def job_of(seconds: float) -> str:
    """Name of the Job of the slot so many seconds after noon."""
    return slot_job(NAME, after_noon(seconds), by_operator=True)


def run(world: World, seconds: float, *, exit_code: int = 0) -> None:
    """The slot is started when it comes, and its run ends two seconds later."""
    world.go_to(seconds)
    assert job_of(seconds) in world.job_names()
    world.go_to(seconds + 2)
    world.finish(job_of(seconds), exit_code)
    world.settle()


@pytest.mark.parametrize(
    ("policy", "active", "waiting", "by_operator", "step"),
    [
        (ALLOW, True, False, True, START),
        (FORBID, False, False, True, START),
        (FORBID, True, False, True, LEAVE),
        (REPLACE, False, False, True, START),
        (REPLACE, True, False, True, ASK),
        (REPLACE, True, False, False, LEAVE),
        (QUEUE, False, False, True, START),
        (QUEUE, True, False, True, ASK),
        (QUEUE, False, True, True, ASK),
    ],
    ids=[
        "side by side",
        "nothing is active",
        "the end of the active run decides",
        "nothing to replace",
        "the active run is to be ended first",
        "Kubernetes replaces what it fires",
        "nothing to wait for",
        "behind the active run",
        "behind what waits",
    ],
)
def test_the_policy_says_what_to_do_about_a_slot(
    policy: ConcurrencyPolicy, active: bool, waiting: bool, by_operator: bool, step: Move
) -> None:
    assert move(policy, active=active, waiting=waiting, by_operator=by_operator) is step


# Intervals and seconds


def test_every_slot_of_an_interval_is_started_when_it_comes() -> None:
    world = world_with()
    assert world.cron_job["spec"]["suspend"], "it is the template only"
    assert (world.status["scheduler"], world.status["resolvedSchedule"]) == ("Operator", "@every 90s")
    for seconds in (90, 180, 270):
        run(world, seconds)
    assert world.created() == [job_of(seconds) for seconds in (90, 180, 270)]
    assert world.runs() == [(job_of(seconds), "Succeeded") for seconds in (90, 180, 270)]
    assert world.status["lastScheduleTime"] == text(after_noon(270))
    assert world.unstarted() == []


def test_a_run_costs_its_job_and_one_status() -> None:
    world = World(start_patience=timedelta(seconds=3))
    world.create({"every": "90s", "handler": "sync"})
    world.settle()
    writes = world.go_to(90)
    assert verbs(writes) == ["create"]
    world.go_to(92)
    world.finish(job_of(90))
    assert verbs(world.settle()) == ["status"]


def test_it_knows_which_slot_it_is() -> None:
    world = world_with(schedule="*/20 * * * * *")
    world.go_to(40)
    annotations = world.job(job_of(40))["spec"]["template"]["metadata"]["annotations"]
    assert annotations["scheduledjob.dev/slot"] == text(after_noon(40))
    assert annotations["scheduledjob.dev/trigger"] == "Schedule"


def test_a_slot_that_comes_during_a_look_is_started_after_it() -> None:
    world = world_with()
    world.go_to(89)
    world.change(timeout="2m")

    def take_time(_request: Any) -> None:
        world.now = max(world.now, after_noon(90.5))

    world.cluster.rule = take_time
    world.settle()
    assert world.created() == [job_of(90)]


def test_a_restart_shifts_nothing() -> None:
    world = world_with()
    world.go_to(75)
    world.restart()
    run(world, 90)
    world.restart()
    run(world, 180)
    assert world.unstarted() == []


def test_the_first_slot_counts_from_starts_at() -> None:
    world = world_with(startsAt=text(after_noon(100)))
    for seconds in (100, 190):
        run(world, seconds)
    assert world.created() == [job_of(100), job_of(190)]


@pytest.mark.parametrize("gap", [1, 30], ids=["every second", "every half minute"])
def test_nothing_is_started_after_ends_at(gap: int) -> None:
    world = world_with(every=f"{gap}s", endsAt=text(after_noon(60)), concurrencyPolicy="Allow")
    world.go_to(120)
    assert world.created()[-1] == job_of(60), "a slot at endsAt still runs"
    assert (world.status["nextRunTimes"], world.status["scheduler"]) == ([], "None")
    world.go_to(800)
    assert world.status["suspended"] == "OutOfBounds"
    assert {reason for _, reason, _ in world.unstarted()} <= {"OutOfBounds"}


def test_a_look_that_comes_late_neither_starts_nor_misses_what_is_out_of_bounds() -> None:
    bounds: dict[str, Any] = {"startsAt": text(after_noon(100)), "endsAt": text(after_noon(104))}
    world = world_with(every="1s", concurrencyPolicy="Allow", **bounds)
    world.go_to(98)
    for seconds in (100, 101, 102, 103, 104, 110):
        world.now = after_noon(seconds + 0.9)  # nothing is looked at in between
        world.settle()
    assert world.created() == [job_of(seconds) for seconds in range(100, 105)]
    assert {entry["reason"] for entry in world.status["unstarted"]} <= {"OutOfBounds"}


# Overlap


def test_under_forbid_the_latest_slot_that_came_meanwhile_starts_when_the_run_ends() -> None:
    world = world_with(every="10s")
    world.go_to(40)
    world.go_to(75)
    world.finish(job_of(40))
    world.settle()
    assert world.created() == [job_of(40), job_of(70)]
    world.go_to(79)
    world.finish(job_of(70))
    world.settle()
    assert world.unstarted() == [("Skipped", "OverlapForbidden", 2)]


def test_under_forbid_a_slot_is_skipped_when_its_deadline_is_over() -> None:
    world = world_with(every="7m", startingDeadline="20s", startsAt=text(after_noon(100)))
    world.go_to(100)
    world.go_to(560)
    world.finish(job_of(100))
    world.settle()
    assert world.created() == [job_of(100)]
    assert world.unstarted() == [("Skipped", "OverlapForbidden", 1)]


def test_under_allow_runs_are_active_side_by_side() -> None:
    world = world_with(every="10s", concurrencyPolicy="Allow")
    world.go_to(65)
    assert world.active() == [job_of(seconds) for seconds in (40, 50, 60)]


def test_under_replace_the_active_run_is_ended_first() -> None:
    world = world_with(concurrencyPolicy="Replace")
    world.go_to(90)
    world.run_pod(job_of(90))
    world.go_to(180)
    assert world.job(job_of(90))["spec"]["activeDeadlineSeconds"] == 1
    assert world.created() == [job_of(90)], "not before that one has ended"
    world.go_to(183)
    world.obey_deadlines()
    world.settle()
    assert world.created() == [job_of(90), job_of(180)]
    (ended,) = world.status["recentRuns"]
    assert (ended["result"], ended["reason"]) == ("Cancelled", "Replaced")


def test_under_queue_a_slot_waits_for_the_active_run_to_end() -> None:
    world = world_with(concurrencyPolicy="Queue")
    world.go_to(90)
    world.go_to(180)
    assert world.pending() == [(job_of(180), "Queued", text(after_noon(180)))]
    world.go_to(1000)
    world.finish(job_of(90))
    world.settle()
    assert world.created() == [job_of(90), job_of(180)], "however late"
    assert world.unstarted() == [("Skipped", "QueueFull", 9)]


def test_a_queue_is_as_deep_as_the_spec_says_and_keeps_the_order() -> None:
    world = world_with(every="60s", concurrencyPolicy="Queue", queueDepth=2)
    world.go_to(245)
    assert [entry[0] for entry in world.pending()] == [job_of(120), job_of(180)]
    for number, seconds in enumerate((60, 120, 180)):
        world.go_to(250 + number * 5)
        world.finish(job_of(seconds))
        world.settle()
    assert world.created()[:3] == [job_of(60), job_of(120), job_of(180)]
    assert world.unstarted() == [("Skipped", "QueueFull", 1)]


def test_a_run_is_counted_once_though_its_job_outlives_its_entry() -> None:
    """Of short intervals more Jobs are kept than the ledger lists runs."""
    world = world_with(every="2s", concurrencyPolicy="Allow", history={"runs": 1, "succeededJobs": 1})
    for second in range(32, 52, 2):
        world.go_to(second)
        world.finish(job_of(second))
        world.settle()
    for second in range(32, 50, 2):
        world.cluster.delete("Job", NAMESPACE, job_of(second))
        world.settle()
        world.settle()
    assert world.status["counts"]["succeeded"] == 10
    assert world.runs() == [(job_of(50), "Succeeded")]


def test_a_queued_run_survives_a_restart() -> None:
    world = world_with(concurrencyPolicy="Queue")
    world.go_to(185)
    world.restart()
    world.settle()
    world.finish(job_of(90))
    world.settle()
    world.finish(job_of(180))
    world.settle()
    assert world.runs() == [(job_of(90), "Succeeded"), (job_of(180), "Succeeded")]


# The operator is away


def away(world: World, *, until: float) -> None:
    """There is no operator until so many seconds after noon."""
    world.now = after_noon(until)
    world.restart()
    world.settle()


def test_the_latest_slot_of_an_absence_is_started_late_and_the_others_are_missed() -> None:
    world = world_with()
    away(world, until=400)
    assert world.created() == [job_of(360)]
    world.finish(job_of(360))
    world.settle()
    assert world.unstarted() == [("Missed", "NothingStartedIt", 3)]


def test_under_catch_up_all_none_is_missed_and_none_is_doubled() -> None:
    world = world_with(every="1s", concurrencyPolicy="Allow", catchUp={"policy": "All", "limit": 100})
    world.go_to(35)
    away(world, until=50.5)
    for second in range(51, 61):
        world.go_to(second)
    assert sorted(world.created()) == [job_of(second) for second in range(31, 61)]
    assert len(set(world.created())) == len(world.created())
    assert world.unstarted() == []


def test_a_slot_that_was_started_and_whose_answer_was_lost_is_not_started_again() -> None:
    world = world_with()
    world.go_to(89)
    world.cluster.outcomes.append(LOST)
    world.go_to(95)
    world.finish(job_of(90))
    world.settle()
    assert world.runs() == [(job_of(90), "Succeeded")]
    assert [body for body in world.job_names() if body == job_of(90)] == [job_of(90)]


@pytest.mark.parametrize("trouble", [UNREACHABLE, OVERLOADED])
def test_a_slot_that_nobody_answered_is_tried_again(trouble: Any) -> None:
    world = world_with()
    world.go_to(89)
    world.cluster.outcomes.append(trouble)
    run(world, 90)
    assert world.unstarted() == []


# Refusals

NO_ROOM = refused(403, 'jobs.batch "x" is forbidden: exceeded quota: few, requested: 1, used: 1')


def refuse_jobs(world: World) -> None:
    world.cluster.rule = lambda request: NO_ROOM if request.verb == "create" else None


def test_a_refused_slot_waits_and_is_tried_again() -> None:
    world = world_with(every="7m", startsAt=text(after_noon(100)))
    refuse_jobs(world)
    world.go_to(101)
    assert world.pending() == [(job_of(100), "Queued", text(after_noon(100)))]
    assert "exceeded quota" in world.status["pending"][0]["message"]
    world.cluster.rule = lambda _request: None
    world.go_to(140)
    assert world.pending() == []
    assert world.active() == [job_of(100)]


def test_a_refused_slot_ends_as_failed_when_its_patience_is_over() -> None:
    world = world_with(every="7m", startsAt=text(after_noon(100)), pendingTimeout="1m")
    refuse_jobs(world)
    world.go_to(200)
    (ended,) = world.status["recentRuns"]
    assert (ended["result"], ended["reason"]) == ("Failed", "QuotaExceeded")
    assert "exceeded quota" in ended["message"]


def test_a_foreign_job_of_the_name_is_left_alone_and_said() -> None:
    world = world_with(every="7m", startsAt=text(after_noon(100)), pendingTimeout="10s")
    foreign = world.cluster.put("Job", bodies.job(job_of(100), labels={}, ownerReferences=[]))
    world.go_to(140)
    (ended,) = world.status["recentRuns"]
    assert (ended["result"], ended["reason"]) == ("Failed", "NameConflict")
    assert world.cluster.objects["Job", NAMESPACE, job_of(100)] == foreign


# Once, and on demand


def test_a_single_slot_is_started_once_and_then_it_is_completed() -> None:
    world = world_with(at=text(after_noon(120)))
    assert world.status["nextRunTimes"] == [text(after_noon(120))]
    run(world, 120)
    world.go_to(5000)
    world.restart()
    world.settle()
    assert world.created() == [job_of(120)]
    completed = world.condition("Completed")
    assert (completed["status"], completed["reason"]) == ("True", "Succeeded")
    assert (world.status["scheduler"], world.status["nextRunTimes"]) == ("None", [])


def test_a_single_slot_that_nothing_started_is_completed_too() -> None:
    world = world_with(at=text(after_noon(120)), startingDeadline="10s")
    away(world, until=400)
    assert world.created() == []
    assert world.condition("Completed")["reason"] == "Missed"
    assert world.unstarted() == [("Missed", "StartingDeadline", 1)]


def test_a_single_slot_of_the_past_is_refused() -> None:
    world = world_with(at=text(after_noon(-7200)))
    assert world.ready == ("False", "InvalidSchedule")
    assert world.message == (
        "at is 2026-11-22T10:00:00Z, which was past already at 2026-11-22T11:00:00Z: write a time to come, "
        "or a catchUp with policy Latest and a window of more than 1h"
    )
    assert not world.has_cron_job


def test_a_single_slot_of_the_past_runs_when_it_may_be_caught_up() -> None:
    world = world_with(at=text(after_noon(-1800)), catchUp={"policy": "Latest", "window": "1h"})
    assert world.created() == [job_of(-1800)]
    world.finish(job_of(-1800))
    world.settle()
    (ended,) = world.status["recentRuns"]
    assert (ended["trigger"], ended["slot"]) == ("CatchUp", text(after_noon(-1800)))
    assert world.condition("Completed")["reason"] == "Succeeded"


def test_a_single_slot_that_came_before_the_operator_is_started_late() -> None:
    world = world_with(at=text(after_noon(-60)))
    assert world.created() == [job_of(-60)]


def test_a_single_slot_that_came_too_long_before_the_operator_is_missed() -> None:
    world = world_with(at=text(after_noon(-1800)))
    assert world.created() == []
    assert world.condition("Completed")["reason"] == "Missed"


def test_another_single_slot_may_follow_but_not_in_the_past() -> None:
    world = world_with(at=text(after_noon(120)))
    run(world, 120)
    world.change(at=text(after_noon(60)))
    world.settle()
    assert world.ready == ("False", "InvalidSchedule")
    world.change(at=text(after_noon(300)))
    world.settle()
    assert world.ready == ("True", "Reconciled")
    assert not world.condition("Completed")
    run(world, 300)
    assert world.created() == [job_of(120), job_of(300)]


def test_on_demand_runs_when_it_is_asked_to_and_only_then() -> None:
    world = World()
    world.create({"handler": "sync"})
    world.settle()
    world.go_to(4000)
    assert world.created() == []
    assert (world.status["scheduler"], world.status.get("resolvedSchedule")) == ("None", None)
    world.annotate(run="now")
    world.settle()
    (name,) = world.created()
    world.finish(name)
    world.settle()
    assert world.runs() == [(name, "Succeeded")]


# What holds it back


def test_a_disabled_one_starts_nothing_and_enabling_it_no_slot_of_the_past() -> None:
    world = world_with()
    world.change(enabled=False)
    world.settle()
    world.go_to(400)
    world.change(enabled=True)
    world.settle()
    run(world, 450)
    assert world.created() == [job_of(450)]
    assert world.unstarted() == [("Skipped", "Disabled", 4)]


@pytest.mark.parametrize("timing", [{"every": "90s"}, {"schedule": "* * * * *"}])
def test_it_is_suspended_where_it_does_not_belong(timing: dict[str, Any]) -> None:
    world = world_with(environment="staging", environments=["production", "canary"], **timing)
    world.go_to(200)
    assert world.created() == []
    assert world.cron_job["spec"]["suspend"]
    assert world.status["suspended"] == "OtherEnvironment"
    assert "it is for production and canary, and this operator is installed for environment staging" in (
        world.message
    )


def test_it_runs_where_it_belongs() -> None:
    world = world_with(environment="production", environments=["production"])
    run(world, 90)


def test_a_spec_that_cannot_be_read_leaves_the_last_good_one_in_force() -> None:
    world = world_with()
    world.change(timeZone="Mars/Olympus", schedule="0 0 1 1 *", every=None)
    world.settle()
    assert world.ready == ("False", "InvalidSchedule")
    run(world, 90)
    assert world.created() == [job_of(90)]


def test_a_change_of_the_interval_starts_no_slot_of_the_past() -> None:
    world = world_with()
    run(world, 90)
    world.go_to(170)
    world.change(every="40s")
    world.settle()
    assert world.created() == [job_of(90)]
    run(world, 200)
    assert world.created() == [job_of(90), job_of(200)]


# From Kubernetes to the operator and back


def test_a_schedule_that_becomes_ours_and_kubernetes_again_keeps_its_past() -> None:
    world = world_with(schedule="*/5 * * * *")
    world.go_to(300)
    world.finish(world.start_slot(300))
    world.go_to(310)
    world.change(schedule="30 */5 * * * *")
    world.settle()
    assert world.cron_job["spec"]["suspend"]
    run(world, 330)
    world.change(schedule="*/5 * * * *")
    world.settle()
    assert not world.cron_job["spec"]["suspend"]
    assert world.would_start() is None
    assert [name for name, _ in world.runs()] == [slot_job(NAME, after_noon(300)), job_of(330)]
    assert world.unstarted() == []


def test_a_queue_makes_a_native_schedule_ours_and_without_it_no_old_slot_is_started() -> None:
    world = world_with(schedule="*/5 * * * *", concurrencyPolicy="Queue")
    assert world.status["scheduler"] == "Operator"
    run(world, 300)
    world.change(concurrencyPolicy="Forbid")
    world.settle()
    assert world.status["scheduler"] == "CronJob"
    assert world.would_start() is None


def test_kubernetes_is_kept_from_a_queued_slot_also_when_the_clocks_went_back() -> None:
    world = world_with(schedule="*/5 * * * *", concurrencyPolicy="Queue")
    world.go_to(300)
    world.go_to(605)
    assert [entry[0] for entry in world.pending()] == [job_of(600)]
    world.now -= timedelta(seconds=90)
    world.change(concurrencyPolicy="Forbid")
    world.settle()
    world.now += timedelta(seconds=100)
    assert world.would_start() is None


# Punctual firing


def punctual(**fields: Any) -> World:
    return world_with(punctual=True, schedule="*/5 * * * *", **fields)


def test_a_slot_that_kubernetes_fires_too_is_started_under_its_name() -> None:
    world = punctual()
    world.go_to(300)
    name = slot_job(NAME, after_noon(300))
    assert world.created() == [name]
    native = CronJobController(world)
    assert native.sync() is None, "it is told"
    assert world.told_active() == [name]
    assert world.cron_job["status"]["lastScheduleTime"] == text(after_noon(300))
    world.go_to(310)
    world.finish(name)
    world.settle()
    (ended,) = world.status["recentRuns"]
    assert (ended["trigger"], ended["result"]) == ("Schedule", "Succeeded")
    assert world.unstarted() == []


def test_a_punctual_slot_costs_its_job_a_word_to_kubernetes_and_one_status() -> None:
    world = World(start_patience=timedelta(seconds=3))
    world.punctual = True
    world.restart()
    world.create({"schedule": "*/5 * * * *", "handler": "sync"})
    world.settle()
    writes = world.go_to(301)
    assert verbs(writes) == ["create", "tell"]
    world.finish(slot_job(NAME, after_noon(300)))
    assert verbs(world.settle()) == ["status"]


def test_kubernetes_learns_of_a_slot_that_was_started_right_before_the_operator_died() -> None:
    world = punctual()
    world.cluster.rule = lambda request: UNREACHABLE if request.verb == "tell" else None
    world.dies_of_errors = True
    world.now = after_noon(300)
    world.deliver()
    world._fire()
    world.cluster.rule = lambda _request: None
    world.restart()
    world.settle()
    assert world.cron_job["status"]["lastScheduleTime"] == text(after_noon(300))
    assert world.told_active() == [slot_job(NAME, after_noon(300))]


def test_kubernetes_starts_what_the_operator_has_not() -> None:
    world = punctual()
    native = CronJobController(world)
    world.now = after_noon(301)
    name = native.sync()
    assert name == slot_job(NAME, after_noon(300))
    world.restart()
    world.settle()
    assert world.created() == [], "what is past is left to Kubernetes"


@pytest.mark.parametrize("policy", ["Forbid", "Replace"])
def test_while_a_run_is_active_kubernetes_decides(policy: str) -> None:
    world = punctual(concurrencyPolicy=policy)
    world.go_to(300)
    world.go_to(610)
    assert world.created() == [slot_job(NAME, after_noon(300))]


def test_under_allow_it_is_punctual_all_the_same() -> None:
    world = punctual(concurrencyPolicy="Allow")
    world.go_to(610)
    assert world.created() == [slot_job(NAME, after_noon(seconds)) for seconds in (300, 600)]


def test_kubernetes_is_told_of_a_slot_before_another_run_may_make_its_job_go() -> None:
    """With a history of one, the next run that ends takes its place, and the slot would be started again."""
    world = punctual(history={"succeededJobs": 1}, concurrencyPolicy="Allow")
    world.go_to(300)
    name = slot_job(NAME, after_noon(300))
    world.finish(name)
    world.annotate(run="now")
    world.settle()
    (asked,) = [job for job in world.created() if job != name]
    world.now += timedelta(seconds=1)
    world.finish(asked)
    world.settle()
    native = CronJobController(world)
    native.sync()
    native.sync()
    assert world.created() == [name, asked]
    assert [job for job in world.job_names() if job == name] == [], "it has been collected"


@pytest.mark.parametrize("fields", [{"punctualFiring": False}, {"enabled": False}])
def test_it_leaves_alone_what_it_is_not_to_fire(fields: dict[str, Any]) -> None:
    world = punctual(**fields)
    world.go_to(700)
    assert world.created() == []


# Warnings


def test_runs_that_may_pile_up_are_warned_of() -> None:
    world = world_with(schedule="* * * * * *", concurrencyPolicy="Allow", timeout="1m")
    warning = world.condition("OverlapGrows")
    assert (warning["status"], warning["reason"]) == ("True", "TimeoutBeyondInterval")
    assert warning["message"].startswith("a run starts every 1s beside those that still run")
    world.change(concurrencyPolicy="Forbid")
    world.settle()
    assert not world.condition("OverlapGrows")


def test_a_slot_that_the_clocks_skip_is_warned_of() -> None:
    world = world_with(schedule="30 2 * * *", timeZone="Europe/Berlin")
    assert "2027-03-28" in world.message
    assert "2027-10-31" in world.message
