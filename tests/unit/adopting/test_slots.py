"""No slot is lost or started twice when a CronJob is taken over."""

from typing import Any

import pytest

from tests.unit.adopting.foreign import EVERY_MINUTE, job_of, old_job, with_wish, world_with
from tests.unit.bodies import Body
from tests.unit.moments import after_noon, text
from tests.unit.world import World, verbs


def test_no_slot_of_before_is_accounted() -> None:
    world = world_with(EVERY_MINUTE, wanted=False, schedule="* * * * *")
    world.go_to(3630)
    world.cluster.put(
        "CronJob", with_wish({**world.cron_job, "status": {"lastScheduleTime": text(after_noon(3600))}})
    )
    world.settle()
    assert world.ready == ("True", "Reconciled")
    world.go_to(3655)
    assert (world.status["unstarted"], world.runs()) == ([], [])


@pytest.mark.parametrize("seconds", [297, 299, 300, 302], ids=str)
def test_around_a_slot_it_waits_until_kubernetes_has_started_it(seconds: float) -> None:
    world = world_with(wanted=False)
    world.go_to(seconds)
    world.cluster.put("CronJob", with_wish(world.cron_job))
    world.settle()
    assert world.ready == ("False", "NameConflict")
    assert "as soon as its slot of this moment has been started" in world.message
    world.go_to(303)
    assert world.ready == ("False", "NameConflict")
    old_job(world, job_of(300), slot=after_noon(300), created=after_noon(301))
    world.cluster.put("CronJob", {**world.cron_job, "status": {"lastScheduleTime": text(after_noon(300))}})
    world.go_to(305)
    assert world.ready == ("True", "Reconciled")
    assert world.active() == [job_of(300)]
    assert world.cron_job["status"]["lastScheduleTime"] == text(after_noon(300))


def test_a_slot_that_kubernetes_cannot_start_is_waited_for_ten_seconds() -> None:
    world = world_with(wanted=False)
    world.go_to(298)
    world.cluster.put("CronJob", with_wish(world.cron_job))
    world.go_to(309)
    assert world.ready == ("False", "NameConflict")
    world.go_to(310)
    assert world.ready == ("True", "Reconciled")


OTHERWISE: dict[str, Body] = {
    "schedule": {"schedule": "*/10 * * * *"},
    "interval": {"every": "90s"},
    "queue": {"schedule": "*/5 * * * *", "concurrencyPolicy": "Queue"},
    "disabled": {"schedule": "*/5 * * * *", "enabled": False},
}
otherwise = pytest.mark.parametrize("timing", OTHERWISE.values(), ids=OTHERWISE.keys())


def wanted_at(seconds: float, timing: Body, **given: Any) -> World:
    """A CronJob that is wanted so many seconds after noon; the slot five minutes before has been started."""
    world = world_with({"handler": "sync", **timing}, wanted=False, **given)
    world.go_to(seconds)
    last = {"lastScheduleTime": text(after_noon(300))}
    world.cluster.put("CronJob", with_wish({**world.cron_job, "status": {**last, **given.get("status", {})}}))
    return world


@otherwise
def test_a_slot_that_would_not_come_any_more_is_left_to_kubernetes_until_it_is_late(timing: Body) -> None:
    world = wanted_at(598, timing)
    world.go_to(629)
    assert world.ready == ("False", "NameConflict")
    old_job(world, job_of(600), slot=after_noon(600), created=after_noon(629))
    status = {"lastScheduleTime": text(after_noon(600)), "active": [{"name": job_of(600)}]}
    world.cluster.put("CronJob", {**world.cron_job, "status": status})
    world.go_to(635)
    assert world.ready == ("True", "Reconciled")
    assert world.active() == [job_of(600)]


@otherwise
def test_a_slot_that_kubernetes_does_not_start_in_70_seconds_is_named(timing: Body) -> None:
    world = wanted_at(598, timing)
    world.go_to(669)
    assert world.ready == ("False", "NameConflict")
    world.go_to(670)
    assert world.ready == ("True", "Reconciled")
    ((_, note),) = [event for event in world.cluster.events() if event[0] == "CronJobAdopted"]
    assert note.endswith("; Kubernetes had not started its slot 2026-11-22T12:10:00Z")


def test_a_slot_that_waits_for_the_end_of_a_run_is_not_waited_for() -> None:
    world = world_with({"handler": "sync", "every": "90s"}, wanted=False, concurrencyPolicy="Forbid")
    old_job(world, job_of(300), slot=after_noon(300))
    world.go_to(598)
    status = {"lastScheduleTime": text(after_noon(300)), "active": [{"name": job_of(300)}]}
    world.cluster.put("CronJob", with_wish({**world.cron_job, "status": status}))
    world.go_to(610)
    assert world.ready == ("True", "Reconciled")
    assert "had not started its slot 2026-11-22T12:10:00Z" in str(world.cluster.events())


def test_where_kubernetes_starts_nothing_it_is_taken_over_all_the_same() -> None:
    world = world_with({"handler": "sync", "every": "90s"}, wanted=False, schedule="* * * * *")
    world.go_to(62)
    world.cluster.put("CronJob", with_wish(world.cron_job))
    world.go_to(129)
    assert world.ready == ("False", "NameConflict")
    world.go_to(130)
    assert world.ready == ("True", "Reconciled")


@pytest.mark.parametrize("schedule", ["@every 1h", "TZ=Europe/Berlin 0 2 * * *"])
def test_a_schedule_that_only_kubernetes_reads_is_taken_over_at_once(schedule: str) -> None:
    world = world_with(schedule=schedule)
    world.settle()
    assert world.ready == ("True", "Reconciled")


def test_one_that_was_suspended_and_shall_run_starts_no_slot_of_the_past() -> None:
    world = world_with(EVERY_MINUTE, suspend=True, schedule="* * * * *")
    world.now = after_noon(420)
    world.settle()
    assert world.cron_job["spec"]["suspend"] is False
    assert world.cron_job["status"]["lastScheduleTime"] == text(after_noon(420))
    assert world.fire() is None


def test_one_that_is_suspended_and_shall_stay_so_is_taken_over() -> None:
    world = world_with({**EVERY_MINUTE, "enabled": False}, suspend=True, schedule="* * * * *")
    world.settle()
    assert world.cron_job["spec"]["suspend"] is True
    assert world.ready == ("True", "Reconciled")


def test_its_own_words_for_the_same_schedule_are_no_change_of_it() -> None:
    """A fence would take the slot from Kubernetes that it has not started because a run is active."""
    world = world_with({"schedule": "0 * * * *", "handler": "sync"}, schedule="00 * * * *")
    world.cluster.put("CronJob", {**world.cron_job, "status": {"lastScheduleTime": text(after_noon(-3600))}})
    assert "fence" not in verbs(world.settle())
    assert world.cron_job["spec"]["schedule"] == "0 * * * *"
