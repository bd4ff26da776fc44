"""The schedule held back by the namespace and by the operator, and how it comes back."""

import json

from scheduledjob_operator.suspension import Switch
from tests.unit.moments import after_noon, text
from tests.unit.paused import PROBED_AT, pause_of, paused, probe_of, world_with
from tests.unit.world import World


def test_the_switch_of_the_namespace_holds_everything_back_with_its_reason() -> None:
    world = world_with()
    world.put_namespace(suspend="database migration")
    world.settle()
    assert world.cron_job["spec"]["suspend"] is True
    assert pause_of(world) == ("True", "NamespaceSuspended")
    assert "database migration" in world.condition("Paused")["message"]
    assert world.status["suspended"] == "Suspended"
    assert world.status["nextRunTimes"] == []


def test_it_is_seen_by_an_operator_that_starts_later() -> None:
    world = World()
    world.put_namespace(suspend="freeze")
    world.restart()
    world.create()
    world.settle()
    assert world.cron_job["spec"]["suspend"] is True


def test_it_ends_with_the_annotation_and_no_slot_of_the_past_starts() -> None:
    world = world_with()
    world.put_namespace(suspend="freeze")
    world.settle()
    world.go_to(1000)
    world.put_namespace()
    world.settle()
    assert world.cron_job["spec"]["suspend"] is False
    assert world.would_start() is None
    assert world.unstarted() == [("Skipped", "Suspended", 3)]
    assert pause_of(world) == ("False", "Resumed")


def test_it_ends_by_itself_at_its_time() -> None:
    world = world_with()
    world.put_namespace(suspend="freeze", suspend_until=text(after_noon(1000)))
    world.settle()
    world.go_to(999)
    assert world.cron_job["spec"]["suspend"] is True
    world.go_to(1000)
    assert world.cron_job["spec"]["suspend"] is False
    assert world.would_start() is None
    world.go_to(1200)
    world.start_slot(1200)
    world.settle()
    assert world.unstarted() == [("Skipped", "Suspended", 3)]


def test_a_longer_time_is_taken_note_of() -> None:
    world = world_with()
    world.put_namespace(suspend="freeze", suspend_until=text(after_noon(1000)))
    world.settle()
    world.put_namespace(suspend="freeze", suspend_until=text(after_noon(2000)))
    world.go_to(1999)
    assert world.cron_job["spec"]["suspend"] is True
    world.go_to(2000)
    assert world.cron_job["spec"]["suspend"] is False


def test_nothing_at_all_starts_while_it_is_on_and_active_runs_go_on() -> None:
    fields = {"retry": {"limit": 3, "backoff": {"initial": "30s"}}, "concurrencyPolicy": "Allow"}
    world = world_with(**fields)
    world.go_to(300)
    failing, lasting = world.start_slot(300), "lasting"
    world.put_job(lasting, created=after_noon(300))
    world.go_to(310)
    world.finish(failing, 1)
    world.settle()
    world.put_namespace(suspend="freeze")
    world.annotate(run="now")
    world.go_to(900)
    assert world.created() == []
    assert world.active() == [lasting]
    assert [entry["outcome"] for entry in world.status["requests"]] == ["Refused"]
    assert "freeze" in world.status["requests"][0]["message"]
    assert [run for run, _, _ in world.pending()] == [failing]
    world.put_namespace()
    world.settle()
    assert world.created() == [f"{failing}-r2"], "the attempt is made after all"


def test_a_run_may_be_cancelled_while_it_is_on() -> None:
    world = world_with()
    world.go_to(300)
    name = world.start_slot(300)
    world.put_namespace(suspend="freeze")
    world.settle()
    world.annotate(cancel=name)
    world.settle()
    assert world.job(name)["spec"]["activeDeadlineSeconds"] == 1


def test_a_pause_by_failures_goes_on_behind_it() -> None:
    world = paused()
    world.put_namespace(suspend="freeze")
    world.settle()
    assert pause_of(world) == ("True", "NamespaceSuspended")
    world.go_to(PROBED_AT + 100)
    assert world.created() == []
    world.put_namespace()
    world.settle()
    assert pause_of(world) == ("True", "ConsecutiveFailures")
    assert world.created() == [probe_of(PROBED_AT)]


def test_a_namespace_with_other_annotations_wakes_nobody() -> None:
    world = world_with()
    before = len(world.cluster.requests)
    world.put_namespace(team="x")
    world.settle()
    assert len(world.cluster.requests) == before


def test_the_operators_own_switch_holds_everything_back() -> None:
    world = world_with()
    world.switch = Switch(reason="upgrade", until=None, everywhere=True)
    world.restart()
    world.settle()
    assert world.cron_job["spec"]["suspend"] is True
    assert pause_of(world) == ("True", "OperatorSuspended")
    world.switch = None
    world.go_to(1000)
    world.restart()
    world.settle()
    assert world.cron_job["spec"]["suspend"] is False
    assert world.would_start() is None
    assert world.unstarted() == [("Skipped", "Suspended", 3)]


def test_it_ends_by_itself_at_its_time_too() -> None:
    world = world_with()
    world.switch = Switch(reason="upgrade", until=after_noon(400), everywhere=True)
    world.restart()
    world.settle()
    world.go_to(399)
    assert world.cron_job["spec"]["suspend"] is True
    world.go_to(401)
    assert world.cron_job["spec"]["suspend"] is False
    assert pause_of(world) == ("False", "Resumed")


def test_a_disabled_schedule_stays_disabled_behind_any_switch() -> None:
    world = world_with(enabled=False)
    world.put_namespace(suspend="freeze")
    world.settle()
    world.put_namespace()
    world.settle()
    assert world.cron_job["spec"]["suspend"] is True
    assert world.status["suspended"] == "Disabled"
    assert "freeze" not in json.dumps(world.status)
