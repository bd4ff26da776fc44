"""The condition Healthy follows the runs, and what is expected of them."""

from __future__ import annotations

from typing import Any

from tests.cluster.access import Cluster
from tests.e2e.scheduled_job import ScheduledJob, moment
from tests.waiting import wait_until

EXITS = ["python", "-c", "import os, sys; sys.exit(int(os.environ['CODE']))"]


def begin_scenes(cluster: Cluster, namespace: str) -> dict[str, ScheduledJob]:
    """The one of which a success is expected within a minute, and others."""
    specs: dict[str, dict[str, Any]] = {
        "late": {"handler": "hello", "expect": {"successWithin": "1m"}},
        "slow": {"handler": "sleep", "args": {"seconds": 8}, "expect": {"maxDuration": "3s"}},
        "runs": {
            "command": EXITS,
            "env": [{"name": "CODE", "value": "0"}],
            "retry": {"limit": 1},
        },
    }
    jobs = {name: ScheduledJob(cluster, namespace, name) for name in specs}
    for name, job in jobs.items():
        job.apply(**specs[name])
    return jobs


def run_with(job: ScheduledJob, code: int, *, id_: str) -> dict[str, Any]:
    return job.wait_run(job.ask("run", {"id": id_, "env": {"CODE": str(code)}})["id"])


def test_it_follows_the_runs_from_the_first_one_to_a_dead_letter_that_is_cleared(
    scene: dict[str, ScheduledJob],
) -> None:
    job = scene["runs"]
    job.wait_ready()
    assert job.wait_condition("Healthy", "NeverRan")["status"] == "Unknown"

    run_with(job, 0, id_="first")
    assert job.wait_condition("Healthy", "Succeeding")["status"] == "True"

    failed = run_with(job, 64, id_="second")
    failing = job.wait_condition("Healthy", "Failing")
    assert failing["status"] == "False"
    for part in (failed["id"], failed["endTime"], "ExitCode, exit code 64", "1 failure"):
        assert part in failing["message"]

    run_with(job, 0, id_="third")
    assert job.wait_condition("Healthy", "DeadLetters")["status"] == "False"

    job.ask("clear", "all")
    assert job.wait_condition("Healthy", "Succeeding")["status"] == "True"
    assert job.ready["status"] == "True"


def test_a_run_that_takes_too_long_is_slow_until_a_later_one_is_quick_enough(
    scene: dict[str, ScheduledJob],
) -> None:
    job = scene["slow"]
    job.wait_ready()
    first = job.ask("run", "first")
    slow = job.wait_condition("Healthy", "Slow")
    assert slow["status"] == "False"
    assert "takes longer than 3s" in slow["message"]
    assert [run["request"] for run in job.status["active"]] == [first["id"]]

    job.wait_run(first["id"])
    assert "longer than 3s" in job.wait_condition("Healthy", "Slow")["message"]

    job.wait_run(job.ask("run", {"args": {"seconds": 0}})["id"])
    assert job.wait_condition("Healthy", "Succeeding")["status"] == "True"


def test_without_a_success_in_time_it_is_late_until_there_is_one(scene: dict[str, ScheduledJob]) -> None:
    job = scene["late"]
    late = job.wait_condition("Healthy", "Late", timeout=80)
    assert (late["status"], late["message"]) == ("False", "no run succeeded within 1m: none ever did")
    since = moment(job.status["scheduledSince"])
    assert 60 <= (moment(late["lastTransitionTime"]) - since).total_seconds() <= 75

    job.wait_run(job.run_now())
    assert job.wait_condition("Healthy", "Succeeding")["status"] == "True"
    wait_until(lambda: job.ready.get("status") == "True")
