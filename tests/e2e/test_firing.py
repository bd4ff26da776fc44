"""What a CronJob cannot express is fired by the operator: seconds, intervals, once, on demand, queues."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cluster.access import Cluster
from tests.cluster.release import Operator
from tests.e2e.scheduled_job import EVERY_MINUTE, ScheduledJob, as_text, moment
from tests.waiting import wait_until

TWO_MINUTES = timedelta(seconds=118)
SLOTS = 60
"""Of every second second in two minutes, the first and the last one included."""


@dataclass(frozen=True)
class Scene:
    since: datetime
    """The first slot of `ticks`."""
    once: datetime
    anchor: datetime
    """From where the slots of `interval` are counted; not where they would be without one."""
    jobs: dict[str, ScheduledJob]


def begin_scenes(cluster: Cluster, namespace: str) -> Scene:
    now = datetime.now(UTC).replace(microsecond=0)
    # All are in force by then, also where the scenes of other files keep the operator busy.
    since, once = now + timedelta(seconds=30 + now.second % 2), now + timedelta(seconds=40)
    anchor = since if since.timestamp() % 17 else since + timedelta(seconds=1)
    quick: dict[str, Any] = {"handler": "hello", "timeout": "1m"}
    slow: dict[str, Any] = {"handler": "sleep", "args": {"seconds": 25}, "timeout": "1m"}
    specs: dict[str, dict[str, Any]] = {
        "ticks": {
            **quick,
            "timeout": "5m",  # they pile up where the node cannot start one in two seconds
            "schedule": "*/2 * * * * *",
            "startsAt": as_text(since),
            "endsAt": as_text(since + TWO_MINUTES),
            "concurrencyPolicy": "Allow",
            "history": {"runs": 100},
        },
        "interval": {**quick, "every": "17s", "startsAt": as_text(anchor)},
        "once": {**quick, "at": as_text(once)},
        "queue": {**slow, "every": "20s", "concurrencyPolicy": "Queue"},
        "replace": {
            **slow,
            "args": {"seconds": 50},  # it does not end by itself while the next one is on its way
            "every": "20s",
            "concurrencyPolicy": "Replace",
            "gracePeriod": "2s",
        },
        "elsewhere": {**quick, "every": "1s", "environments": ["production"]},
        "punctual": {**quick, "schedule": EVERY_MINUTE},
    }
    jobs = {name: ScheduledJob(cluster, namespace, name) for name in specs}
    for name, job in jobs.items():
        timing = {} if specs[name].keys() & {"schedule"} else {"schedule": None}
        job.apply(**timing, **specs[name])
    return Scene(since, once, anchor, jobs)


def test_every_second_second_for_two_minutes_is_sixty_runs(scene: Scene) -> None:
    job = scene.jobs["ticks"]

    def all_ended() -> dict[str, Any]:
        status = job.status
        assert datetime.now(UTC) > scene.since + TWO_MINUTES + timedelta(seconds=2)
        assert status["active"] == []
        return status

    status = wait_until(all_ended, timeout=360, describe="the two minutes are over")
    expected = [as_text(scene.since + timedelta(seconds=2 * number)) for number in range(SLOTS)]
    assert sorted(run["slot"] for run in status["recentRuns"]) == expected
    assert {(run["trigger"], run["result"]) for run in status["recentRuns"]} == {("Schedule", "Succeeded")}
    counts = {result: count for result, count in status["counts"].items() if count}
    counts.pop("skipped", None)  # the slots before the first one
    assert counts == {"succeeded": SLOTS}, status["unstarted"]


def test_an_interval_counts_from_its_start(scene: Scene) -> None:
    job = scene.jobs["interval"]
    run = job.wait_run(timeout=120)
    assert (moment(run["slot"]) - scene.anchor).total_seconds() % 17 == 0
    assert run["id"] == f"interval-{int(moment(run['slot']).timestamp())}"
    status = job.status
    assert status["scheduler"] == "Operator"
    assert status["resolvedSchedule"] == f"@every 17s from {as_text(scene.anchor)}"
    template = job.get("cronjob")["spec"]
    assert (template["suspend"], template["schedule"]) == (True, "0 0 30 2 *")


def test_a_single_slot_is_completed_when_its_run_has_ended(scene: Scene) -> None:
    job = scene.jobs["once"]
    completed = job.wait_condition("Completed", "Succeeded", timeout=120)
    assert completed["status"] == "True"
    (run,) = job.status["recentRuns"]
    assert run["slot"] == as_text(scene.once)
    assert job.status["nextRunTimes"] == []


def test_a_slot_waits_in_the_queue_for_the_run_before_it(scene: Scene) -> None:
    job = scene.jobs["queue"]

    def two_in_a_row() -> list[dict[str, Any]]:
        runs = sorted(job.status.get("recentRuns", []), key=lambda run: str(run["startTime"]))
        assert len(runs) >= 2
        return runs

    first, second = wait_until(two_in_a_row, timeout=180, describe="two runs have ended")[:2]
    assert second["startTime"] >= first["endTime"]
    assert moment(second["slot"]) < moment(first["endTime"]), "it came while the first one was active"
    assert second["trigger"] == "Schedule"


def test_a_slot_replaces_the_run_before_it(scene: Scene) -> None:
    job = scene.jobs["replace"]
    ended = wait_until(job.find_run, timeout=120, describe="a run was replaced")
    assert (ended["result"], ended["reason"]) == ("Cancelled", "Replaced")


def test_where_it_does_not_belong_it_is_suspended_and_the_table_says_so(scene: Scene) -> None:
    job = scene.jobs["elsewhere"]
    job.wait_ready()
    row = job.kubectl("get", "sj", "elsewhere", "--no-headers").split()
    assert row[4] == "OtherEnvironment"
    assert "it is for production" in job.ready["message"]
    assert job.jobs() == {}


def made_by_operator(job: ScheduledJob) -> str:
    """One of its Jobs that the operator has made; nothing while there is none."""
    selector = f"--selector=scheduledjob.dev/name={job.name}"
    for body in job.cluster.items("jobs", f"--namespace={job.namespace}", selector, "--show-managed-fields"):
        fields = body["metadata"]["managedFields"]
        makers = [entry["manager"] for entry in fields if "subresource" not in entry]
        if "scheduledjob-operator" in makers:
            return str(body["metadata"]["name"])
    return ""


def test_a_slot_of_a_cronjob_is_started_by_the_operator_and_kept_by_kubernetes(scene: Scene) -> None:
    job = scene.jobs["punctual"]
    # On a node that is busy at a slot Kubernetes' controller may be quicker for once.
    name = wait_until(lambda: made_by_operator(job), timeout=180, describe="the operator has made a Job")
    run = job.wait_run(name, timeout=120)
    assert (run["trigger"], run["result"]) == ("Schedule", "Succeeded")
    assert run["id"] == job.slot_job(moment(run["slot"])), "under the name that Kubernetes uses"
    cron_job = wait_until(
        lambda: (found := job.get("cronjob"))["status"].get("lastScheduleTime", "") >= run["slot"] and found,
        describe="Kubernetes' controller has taken notice",
    )
    assert cron_job["spec"]["suspend"] is False


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        (
            {"schedule": "H-5 * * * *"},
            "H",
        ),
        ({"schedule": "0 0 L-1 2 1#6"}, "#"),
        ({"schedule": None, "at": "2020-01-01T00:00:00Z"}, "which was past already at"),
    ],
    ids=["H in a range", "a sixth Monday", "a slot of the past"],
)
def test_what_makes_no_sense_is_said_in_a_sentence(
    spec: dict[str, Any], sentence: str, cluster: Cluster, operator: Operator, namespace: str
) -> None:
    job = ScheduledJob(cluster, namespace, "nonsense")
    job.apply(**spec)
    ready = job.wait_ready(status="False")
    assert ready["reason"] == "InvalidSchedule"
    assert sentence in ready["message"]
    assert job.events() == [] or job.get("scheduledjob")["status"].get("cronJobName") is None


def test_on_demand_nothing_starts_by_itself(cluster: Cluster, operator: Operator, namespace: str) -> None:
    job = ScheduledJob(cluster, namespace, "demand")
    job.apply(schedule=None)
    job.wait_ready()
    assert job.status["scheduler"] == "None"
    job.kubectl("annotate", "sj", "demand", "scheduledjob.dev/run=please")
    run = job.wait_run(timeout=60)
    assert (run["trigger"], run["result"]) == ("Manual", "Succeeded")


def test_runs_that_may_pile_up_are_warned_of(cluster: Cluster, operator: Operator, namespace: str) -> None:
    job = ScheduledJob.create(
        cluster, namespace, "pile", schedule="* * * * * *", concurrencyPolicy="Allow", enabled=False
    )
    warning = job.wait_condition("OverlapGrows", "TimeoutBeyondInterval")
    assert "a run starts every 1s" in warning["message"]
