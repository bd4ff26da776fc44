"""A schedule that is held back: by its own failures, for a namespace, for everything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.cluster import release
from tests.cluster.access import Cluster
from tests.cluster.release import CHART, NAMESPACE, RELEASE, Operator
from tests.e2e.scheduled_job import (
    EVERY_MINUTE,
    ScheduledJob,
    as_text,
    moment,
    next_minute,
    seconds_between,
)
from tests.plugin import RESTRICTED
from tests.waiting import wait_until

ONLY_A_PROBE_SUCCEEDS = [
    "python",
    "-c",
    "import os, sys; sys.exit(os.environ['SCHEDULEDJOB_TRIGGER'] != 'Probe')",
]
REASON = "moving house"


@dataclass(frozen=True)
class Scene:
    jobs: dict[str, ScheduledJob]
    slot: datetime
    """The last one during which the namespace of `held` is suspended."""
    until: str
    """When that ends: a few seconds later."""


def begin_scenes(cluster: Cluster, namespace: str) -> Scene:
    """Two that have failed once, and one in a namespace that is suspended."""
    slot = next_minute(at_least=20)
    until = as_text(slot + timedelta(seconds=10))
    house = cluster.create_namespace(f"{namespace}-held", labels=RESTRICTED)
    switch = (f"scheduledjob.dev/suspend={REASON}", f"scheduledjob.dev/suspend-until={until}")
    cluster.kubectl("annotate", "namespace", house, *switch)
    held = ScheduledJob(cluster, house, "held")
    held.apply(schedule=EVERY_MINUTE, handler="hello", history={"runs": 100})  # looked at much later
    held.wait_ready()
    held.annotate("run", "please")
    jobs = {name: ScheduledJob(cluster, namespace, name) for name in ("lucky", "unlucky")}
    programs = {"lucky": ONLY_A_PROBE_SUCCEEDS, "unlucky": ["sh", "-c", "exit 3"]}
    for name, job in jobs.items():
        job.apply(command=programs[name], pauseAfter={"consecutiveFailures": 1, "coolDown": "1m"})
    for job in jobs.values():
        job.wait_ready()
        job.run_now()
    return Scene({**jobs, "held": held}, slot, until)


def test_a_namespace_that_is_suspended_holds_everything_back(scene: Scene) -> None:
    job = scene.jobs["held"]
    says = f"suspended in the whole namespace until {scene.until}: {REASON}"
    assert says in job.wait_event("Paused", says=says)
    (answer,) = wait_until(lambda: job.status["requests"], describe="the request is answered")
    assert (answer["outcome"], answer["message"]) == ("Refused", says)
    assert job.slot_job(scene.slot) not in job.jobs()


def test_once_its_time_is_over_the_next_slot_runs_and_no_old_one(scene: Scene) -> None:
    job = scene.jobs["held"]
    first = scene.slot + timedelta(minutes=1)
    run = job.wait_run(job.slot_job(first), timeout=150)
    assert (run["trigger"], run["result"], run["slot"]) == ("Schedule", "Succeeded", as_text(first))
    assert all(name >= run["jobName"] for name in job.jobs())
    (entry,) = [entry for entry in job.status["unstarted"] if entry["reason"] == "Suspended"]
    assert (entry["result"], entry["last"]) == ("Skipped", as_text(scene.slot))
    resumed = job.condition("Paused")
    assert (resumed["status"], resumed["reason"]) == ("False", "Resumed")
    assert 0 <= seconds_between(scene.until, resumed["lastTransitionTime"]) <= 10, "and not at the next slot"
    job.wait_event("Resumed")


def test_after_a_failure_it_pauses_tries_again_and_goes_on_when_that_succeeds(scene: Scene) -> None:
    job = scene.jobs["lucky"]
    failed = job.wait_run("lucky-now")
    tried = as_text(moment(failed["endTime"]) + timedelta(minutes=1))
    note = f"paused after 1 failure; a run is tried at {tried}"
    assert note in job.wait_event("Paused", says=note)
    assert job.wait_condition("Paused", "Resumed", timeout=80)["status"] == "False"
    probe, _ = job.status["recentRuns"]
    assert (probe["trigger"], probe["result"]) == ("Probe", "Succeeded")
    assert 0 <= seconds_between(tried, job.get("job", probe["jobName"])["metadata"]["creationTimestamp"]) <= 5
    assert (job.status["pending"], job.get("cronjob")["spec"]["suspend"]) == ([], False)
    assert "suspended" not in job.status
    job.wait_event("Resumed")


def test_when_that_fails_too_it_stays_paused_and_waits_as_long_again(scene: Scene) -> None:
    job = scene.jobs["unlucky"]

    def waits_again() -> dict[str, Any]:
        status = job.status
        assert status["consecutiveFailures"] > 1
        assert status["pending"], "a probe is active"
        return status

    status = wait_until(waits_again, timeout=120, describe="it was tried again, and waits")
    probe = status["lastRun"]
    assert (probe["trigger"], probe["result"]) == ("Probe", "Failed")
    assert (status["suspended"], job.get("cronjob")["spec"]["suspend"]) == ("Paused", True)
    (waiting,) = status["pending"]
    assert (waiting["reason"], waiting["trigger"]) == ("CoolDown", "Probe")
    assert seconds_between(probe["endTime"], waiting["dueTime"]) == 60
    (paused,) = [entry for entry in status["conditions"] if entry["type"] == "Paused"]
    assert (paused["status"], paused["reason"]) == ("True", "ConsecutiveFailures")
    assert waiting["dueTime"] in paused["message"]


@pytest.fixture
def everything_suspended(cluster: Cluster, operator: Operator, namespace: str) -> Iterator[ScheduledJob]:
    """One with an active run, and the master switch of the chart turned on since."""
    job = ScheduledJob.create(cluster, namespace, "everywhere", handler="sleep", args={"seconds": 300})
    job.wait_running(job.run_now())
    values = ("--reuse-values", "--set=suspendAll.enabled=true", "--set-string=suspendAll.reason=stocktaking")
    owner = ("--take-ownership", "--force-conflicts")
    try:
        cluster.helm("upgrade", RELEASE, str(CHART), f"--namespace={NAMESPACE}", *owner, *values)
        operator.wait_available()
        yield job
    finally:
        release.install(cluster, operator.images)


@pytest.mark.outage
def test_the_charts_switch_suspends_all_namespaces_and_active_runs_go_on(
    everything_suspended: ScheduledJob, cluster: Cluster, operator: Operator
) -> None:
    job = everything_suspended
    paused = job.wait_condition("Paused", "OperatorSuspended")
    assert (paused["status"], paused["message"]) == ("True", "suspended everywhere: stocktaking")
    assert job.get("cronjob")["spec"]["suspend"] is True
    assert [run["id"] for run in job.status["active"]] == ["everywhere-now"]
    assert job.pods("everywhere-now")[0]["status"]["phase"] == "Running"
    assert job.ask("run", {"ifActive": "Queue"})["message"] == paused["message"]

    release.install(cluster, operator.images)
    job.wait_condition("Paused", "Resumed")
    wait_until(lambda: job.get("cronjob")["spec"]["suspend"] is False)
    assert [run["id"] for run in job.status["active"]] == ["everywhere-now"]
