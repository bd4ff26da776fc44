"""What takes whole minutes by its nature: a schedule that is switched on, runs that replace each other."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.cluster.access import Cluster
from tests.cluster.paths import CHECKOUT
from tests.e2e.scheduled_job import EVERY_MINUTE, ScheduledJob
from tests.waiting import wait_until


@dataclass(frozen=True)
class Switched:
    """A schedule that was off, and then on."""

    job: ScheduledJob
    suspended: bool
    next_run_times: list[str]
    """While it was off."""
    slot: str
    """The last slot before it was on."""
    marked: str
    """The CronJob's lastScheduleTime as soon as it was on."""

    @classmethod
    def of(cls, job: ScheduledJob) -> Switched:
        off: dict[str, Any] = job.get("cronjob")
        next_run_times = job.status["nextRunTimes"]
        created = off["metadata"]["creationTimestamp"]

        def between_slots() -> bool:
            now = datetime.now(UTC)
            return f"{now:%Y-%m-%dT%H:%M:00Z}" > created and 1 <= now.second < 45

        # A slot must have passed since the creation, and the next one must be some seconds away.
        wait_until(between_slots, timeout=90, interval=0.5, describe="a slot has passed")
        slot = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:00Z}"
        job.patch(enabled=True)
        wait_until(lambda: job.ready and job.status["nextRunTimes"], describe="it has slots to come")
        marked = job.get("cronjob")["status"]["lastScheduleTime"]
        return cls(job, off["spec"]["suspend"], next_run_times, slot, marked)


@dataclass(frozen=True)
class Scene:
    switched: Future[Switched]
    overlap: ScheduledJob
    """That of the example."""


def begin_scenes(cluster: Cluster, namespace: str) -> Scene:
    cluster.apply(CHECKOUT / "examples/60-overlap.yaml", namespace=namespace)
    runs = {"runs": 100}  # looked at later
    job = ScheduledJob.create(
        cluster, namespace, "switched", schedule=EVERY_MINUTE, enabled=False, history=runs
    )
    return Scene(
        ThreadPoolExecutor(max_workers=1).submit(Switched.of, job),
        ScheduledJob(cluster, namespace, "overlap"),
    )


def test_disabling_suspends_and_enabling_fires_no_slot_of_the_past(scene: Scene) -> None:
    switched = scene.switched.result(timeout=180)
    assert (switched.suspended, switched.next_run_times) == (True, [])
    assert switched.marked == switched.slot
    switched.job.wait_run(timeout=120)
    slots = [run["slot"] for run in switched.job.status["recentRuns"]]
    assert min(slots) > switched.slot


def test_a_replaced_run_is_told_from_one_that_was_deleted(scene: Scene) -> None:
    job = scene.overlap
    run = job.wait_run(timeout=180)
    assert (run["result"], run["reason"]) == ("Cancelled", "Replaced")
    # Between the two there is none for a moment, and a run that has just begun is not told at once.
    wait_until(lambda: job.status["activeCount"] == 1, timeout=60, describe="the next run is active")
