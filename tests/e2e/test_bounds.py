"""startsAt and endsAt: the slots from the one to the other run, both included, and no other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.cluster.access import Cluster
from tests.e2e.scheduled_job import EVERY_MINUTE, ScheduledJob, as_text, moment, next_minute
from tests.waiting import wait_until


@dataclass(frozen=True)
class Scene:
    slot: datetime
    """The one that all wait for; the CronJob is let go half a minute earlier at most."""
    jobs: dict[str, ScheduledJob]


def begin_scenes(cluster: Cluster, namespace: str) -> Scene:
    slot = next_minute(at_least=33)
    hour = timedelta(hours=1)
    bounds: dict[str, dict[str, Any]] = {
        "begins": {"startsAt": as_text(slot)},
        "begins-too-late": {"startsAt": as_text(slot + timedelta(seconds=1))},
        "ends": {"endsAt": as_text(slot), "startingDeadline": "10s"},
        "ends-too-soon": {"endsAt": as_text(slot - timedelta(seconds=10))},
        "far-away": {"startsAt": as_text(slot + hour)},
        "over": {"endsAt": as_text(datetime.now(UTC) - hour)},
    }
    jobs = {name: ScheduledJob(cluster, namespace, name) for name in bounds}
    for name, job in jobs.items():
        kept = {"history": {"runs": 100}}  # it may be long until they are looked at
        job.apply(schedule=EVERY_MINUTE, handler="hello", timeout="30s", **kept, **bounds[name])
    return Scene(slot, jobs)


def test_outside_its_bounds_a_schedule_is_suspended_and_says_so(scene: Scene) -> None:
    for name in ("far-away", "over"):
        job = scene.jobs[name]
        job.wait_ready()
        status = job.status
        assert (status["suspended"], status["scheduler"], status["nextRunTimes"]) == (
            "OutOfBounds",
            "None",
            [],
        )
        assert job.get("cronjob")["spec"]["suspend"] is True
        assert job.events() == []


def test_the_slot_at_which_it_starts_is_the_first_one_that_runs(scene: Scene) -> None:
    job = scene.jobs["begins"]
    run = job.wait_run(job.slot_job(scene.slot), timeout=120)
    assert (run["trigger"], run["result"], run["slot"]) == ("Schedule", "Succeeded", as_text(scene.slot))
    assert all(moment(run["slot"]) >= scene.slot for run in job.status["recentRuns"])
    assert "suspended" not in job.status


def test_a_slot_a_second_before_the_start_does_not_run(scene: Scene) -> None:
    job = scene.jobs["begins-too-late"]
    following = scene.slot + timedelta(minutes=1)
    job.wait_run(job.slot_job(following), timeout=150)
    assert min(run["slot"] for run in job.status["recentRuns"]) == as_text(following)
    assert [entry["last"] for entry in job.status["unstarted"]] == [as_text(scene.slot)]
    assert job.get("cronjob")["spec"]["suspend"] is False


def test_the_slot_at_which_it_ends_is_the_last_one_that_runs(scene: Scene) -> None:
    job = scene.jobs["ends"]
    run = job.wait_run(job.slot_job(scene.slot), timeout=120)
    assert (run["trigger"], run["result"], run["slot"]) == ("Schedule", "Succeeded", as_text(scene.slot))
    wait_until(lambda: job.status.get("suspended") == "OutOfBounds", describe="it is over")
    assert job.get("cronjob")["spec"]["suspend"] is True


def test_a_slot_after_the_end_is_skipped_and_counted_as_out_of_bounds(scene: Scene) -> None:
    job = scene.jobs["ends-too-soon"]
    wait_until(lambda: datetime.now(UTC) > scene.slot, timeout=120, describe="the slot has passed")
    job.patch(timeout="1m")  # a slot that was skipped is counted along with the next write
    (entry,) = wait_until(
        lambda: [entry for entry in job.status.get("unstarted", []) if entry["reason"] == "OutOfBounds"]
    )
    assert (entry["result"], entry["first"]) == ("Skipped", as_text(scene.slot))
    assert job.slot_job(scene.slot) not in job.jobs()


def test_what_was_held_back_is_not_made_up_for(scene: Scene) -> None:
    for name in ("begins-too-late", "ends-too-soon"):
        assert scene.jobs[name].slot_job(scene.slot) not in scene.jobs[name].jobs()
    for name in ("far-away", "over"):
        assert scene.jobs[name].jobs() == {}
