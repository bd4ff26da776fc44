"""Retries with a back-off: each attempt a Job of its own, at the time that was promised."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.cluster.access import Cluster
from tests.e2e.scheduled_job import (
    NEVER,
    ScheduledJob,
    as_text,
    moment,
    next_minute,
    seconds_between,
)
from tests.waiting import wait_until

FIRST_FAILS = """
import os, sys, time
attempt = os.environ["SCHEDULEDJOB_ATTEMPT"] or "1"
print("attempt", os.environ["SCHEDULEDJOB_ATTEMPT"], flush=True)
if attempt in {failing}:
    sys.exit({code})
time.sleep({seconds})
"""


def command(failing: str = "123", *, code: int = 3, seconds: float = 0) -> list[str]:
    """A program that fails in some attempts and takes some time in the others."""
    return ["python", "-c", FIRST_FAILS.format(failing=tuple(failing), code=code, seconds=seconds)]


@dataclass(frozen=True)
class Scene:
    slot: datetime
    """The next one, of all that have one."""
    jobs: dict[str, ScheduledJob]
    overlapping: str
    """The first Job of a run whose second attempt lasts beyond the slot."""
    superseded: str
    """One whose second attempt would come after the slot."""
    kept: str
    """Another, which is made nevertheless."""


def begin_scenes(cluster: Cluster, namespace: str) -> Scene:
    slot = next_minute(at_least=45)  # each has failed once by then, also on a busy node
    seconds = (slot - datetime.now(UTC)).total_seconds()
    beyond = {"backoff": {"initial": f"{seconds + 10:.0f}s"}, "limit": 1}
    beyond_the_slot = {
        "command": command("1", seconds=seconds + 8),
        "retry": {"limit": 1, "backoff": {"initial": "2s"}},
    }
    specs: dict[str, dict[str, Any]] = {
        "overlapping": {**beyond_the_slot, "startingDeadline": "10s"},
        "followed": beyond_the_slot,
        "superseded": {"command": command(), "retry": beyond},
        "kept": {"command": command("1"), "retry": {**beyond, "keepAcrossSlots": True}},
        "patient": {
            "schedule": NEVER,
            "command": command(),
            "retry": {"limit": 2, "backoff": {"initial": "5s", "factor": 2}},
        },
        "hopeless": {
            "schedule": NEVER,
            "command": command(code=64),
            "retry": {"limit": 3, "backoff": {"initial": "1s"}},
        },
    }
    jobs = {name: ScheduledJob(cluster, namespace, name) for name in specs}
    for name, job in jobs.items():
        job.apply(**{"schedule": f"{slot.minute} * * * *", "timeout": "5m", **specs[name]})
    runs = {}
    for name, job in jobs.items():
        job.wait_ready()
        runs[name] = job.run_now()
    return Scene(slot, jobs, runs["overlapping"], runs["superseded"], runs["kept"])


def created(job: ScheduledJob, name: str) -> str:
    found: str = job.get("job", name)["metadata"]["creationTimestamp"]
    return found


def test_each_attempt_is_a_job_created_at_the_end_of_the_one_before_plus_the_delay(scene: Scene) -> None:
    job = scene.jobs["patient"]
    run = job.wait_run("patient-now")
    ends = [attempt["endTime"] for attempt in run["attempts"]]
    for name, end, delay in (("patient-now-r2", ends[0], 5), ("patient-now-r3", ends[1], 10)):
        assert delay <= seconds_between(end, created(job, name)) <= delay + 4


def test_all_attempts_are_one_run_in_the_record(scene: Scene) -> None:
    job = scene.jobs["patient"]
    run = job.wait_run("patient-now")
    assert (run["id"], run["jobName"]) == ("patient-now", "patient-now-r3")
    assert (run["result"], run["reason"], run["exitCode"]) == ("Failed", "ExitCode", 3)
    found = [(entry["number"], entry.get("jobName", run["id"])) for entry in run["attempts"]]
    assert found == [(1, "patient-now"), (2, "patient-now-r2"), (3, "patient-now-r3")]
    assert [entry["exitCode"] for entry in run["attempts"]] == [3, 3, 3]
    status = job.status
    assert len(status["recentRuns"]) == status["counts"]["failed"] == status["consecutiveFailures"] == 1
    assert (status["counts"]["retries"], status["pending"]) == (2, [])
    assert len(job.wait_event("RunFailed")) == 1


def test_an_attempt_knows_its_number(scene: Scene) -> None:
    job = scene.jobs["patient"]
    job.wait_run("patient-now")
    assert [job.log(f"patient-now-r{number}").strip() for number in (2, 3)] == ["attempt 2", "attempt 3"]


def test_an_exit_code_that_no_retry_can_help_ends_the_run_at_once(scene: Scene) -> None:
    job = scene.jobs["hopeless"]
    run = job.wait_run("hopeless-now")
    assert (run["result"], run["exitCode"], len(run["attempts"])) == ("Failed", 64, 1)
    assert (job.status["pending"], list(job.jobs())) == ([], ["hopeless-now"])


def test_kubernetes_counts_the_job_of_a_retry_among_the_active_ones(scene: Scene) -> None:
    job = scene.jobs["overlapping"]
    job.wait_run(scene.overlapping, timeout=180)
    # Its controller says so only of Jobs that stand in the CronJob's list of active ones.
    note = f"Saw completed job: {scene.overlapping}-r2, condition: Complete"
    assert note in job.wait_event("SawCompletedJob", says=note, kind="CronJob")
    wait_until(lambda: not job.get("cronjob")["status"].get("active"), describe="none is active any more")


def test_kubernetes_skips_a_slot_while_a_retry_runs_and_the_slot_has_its_verdict(scene: Scene) -> None:
    job = scene.jobs["overlapping"]
    run = job.wait_run(scene.overlapping, timeout=180)
    attempts = run["attempts"]
    assert [entry["reason"] for entry in attempts] == ["ExitCode", "Completed"]
    assert moment(attempts[1]["startTime"]) < scene.slot < moment(attempts[1]["endTime"])
    assert job.slot_job(scene.slot) not in job.jobs()
    job.wait_event("JobAlreadyActive", kind="CronJob")
    decided = scene.slot + timedelta(seconds=22)  # after its starting deadline, and what Kubernetes may take
    wait_until(lambda: datetime.now(UTC) > decided, timeout=90, describe="the slot is past its deadline")
    job.patch(timeout="4m")  # a slot that was skipped is counted along with the next write
    (entry,) = wait_until(lambda: job.status["unstarted"], describe="the slot has its verdict")
    assert (entry["result"], entry["reason"], entry["count"]) == ("Skipped", "OverlapForbidden", 1)
    assert entry["first"] == entry["last"] == as_text(scene.slot)


def test_a_slot_that_has_not_passed_its_starting_deadline_by_then_follows_on_the_retry(scene: Scene) -> None:
    job = scene.jobs["followed"]
    run = job.wait_run("followed-now", timeout=180)
    assert moment(run["attempts"][1]["startTime"]) < scene.slot < moment(run["endTime"])
    name = job.slot_job(scene.slot)
    wait_until(lambda: name in job.jobs(), describe="Kubernetes has started the slot late")
    assert moment(created(job, name)) >= moment(run["endTime"])
    assert job.status["unstarted"] == []


def test_the_next_attempt_is_dropped_when_a_later_slot_has_begun(scene: Scene) -> None:
    job = scene.jobs["superseded"]
    run = job.wait_run(scene.superseded, timeout=180)
    assert (run["result"], run["reason"], len(run["attempts"])) == ("Failed", "Superseded", 1)
    due = scene.slot + timedelta(seconds=20)
    wait_until(lambda: datetime.now(UTC) > due, timeout=90, describe="it would have been due")
    assert f"{scene.superseded}-r2" not in job.jobs()


def test_it_is_made_nevertheless_when_it_is_kept_across_slots(scene: Scene) -> None:
    job = scene.jobs["kept"]
    run = job.wait_run(scene.kept, timeout=240)
    assert (run["result"], len(run["attempts"])) == ("Succeeded", 2)
    assert moment(run["attempts"][1]["startTime"]) > scene.slot
    assert job.find_run(job.slot_job(scene.slot)) or job.status["pending"] or job.status["active"]
