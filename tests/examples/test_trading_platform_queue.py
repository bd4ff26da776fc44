"""What the trading platform's queue could do, with its jobs: enqueue, try again, give up, start anew."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml

from tests.cluster.release import Operator
from tests.e2e.scheduled_job import ScheduledJob, as_text, seconds_between
from tests.examples.system import FOLDER, System
from tests.waiting import wait_until

SYSTEM = "trading-platform"
AS_WRITTEN = {
    "limit": 3,
    "backoff": {"initial": "2m", "factor": 2, "max": "1h"},
    "keepAcrossSlots": True,
}
QUICK = {"limit": 2, "backoff": {"initial": "1s"}}
CHANGES: dict[str, dict[str, Any]] = {
    "fetch-market-data": {"retry": AS_WRITTEN},
    "sync-portfolios": {"retry": AS_WRITTEN},
    "bot-health-check": {"retry": QUICK},
    "monitor-risk": {"enabled": True},
}


def test_every_job_is_tried_again_after_2_4_and_8_minutes(system: System) -> None:
    text = system.cluster.kubectl("kustomize", str(FOLDER / SYSTEM)).stdout
    jobs = [body for body in yaml.safe_load_all(text) if body["kind"] == "ScheduledJob"]
    assert [job["spec"]["retry"] for job in jobs] == [AS_WRITTEN] * 14
    assert {job["spec"]["resources"]["limits"]["memory"] for job in jobs} == {"128Mi"}


def test_a_task_is_enqueued_with_arguments_and_with_the_name_of_who_wants_it(system: System) -> None:
    job = system.job("sync-portfolio")
    answer = job.ask("run", {"args": {"portfolio": 3}, "requestedBy": "ada"})
    run = job.wait_run(answer["id"])
    assert (run["trigger"], run["requestedBy"], run["result"]) == ("Manual", "ada", "Succeeded")
    assert run["value"] == {"portfolio": 3, "changedHoldings": 2}
    assert system.sql("SELECT DISTINCT portfolio_id FROM holdings WHERE portfolio_id IN (1, 3)") == [["3"]]


def test_a_task_is_enqueued_for_a_time_of_its_own(system: System) -> None:
    slot = as_text(datetime.now(UTC) + timedelta(seconds=30))
    spec = system.job("sync-portfolio").get()["spec"]
    kept = {field: spec[field] for field in ("handler", "image", "env", "timeout")}
    once = ScheduledJob(system.cluster, system.namespace, "sync-at-a-time")
    once.apply(**kept, schedule=None, at=slot, args={"portfolio": 2})
    once.wait_condition("Completed", "Succeeded", timeout=120)
    run = once.find_run()
    assert (run["trigger"], run["slot"]) == ("Schedule", slot)
    assert run["value"] == {"portfolio": 2, "changedHoldings": 1}


def test_a_run_that_failed_waits_two_minutes_for_its_next_attempt_and_can_be_called_off(
    system: System,
) -> None:
    system.api_fault(path="/v1/quotes", status=500)
    job = system.job("fetch-market-data")
    answer = job.ask("run", {"id": "first", "requestedBy": "ada"})

    def backing_off() -> dict[str, Any]:
        waiting = job.wait_pending(answer["id"])
        assert waiting["reason"] == "Backoff"
        return waiting

    waiting = wait_until(backing_off, timeout=60, describe="its next attempt is put down")
    (attempt,) = waiting["attempts"]
    assert (waiting["attempt"], attempt["exitCode"]) == (2, 69)
    assert 119 <= seconds_between(attempt["endTime"], waiting["dueTime"]) <= 125
    job.ask("cancel", {"run": waiting["id"], "requestedBy": "ben"})
    run = job.wait_run(answer["id"])
    assert (run["result"], run["message"], run["requestedBy"]) == ("Cancelled", "cancelled by ben", "ada")
    system.clear_faults()


def test_what_failed_for_good_is_a_dead_letter_until_its_retry_succeeds_or_it_is_cleared(
    system: System,
) -> None:
    system.api_fault(path="/v1/bots", status=500)
    job = system.job("bot-health-check")
    failed = job.wait_run(job.ask("run", {"id": "a", "requestedBy": "ada"})["id"])
    assert (failed["exitCode"], len(failed["attempts"])) == (69, 3)
    (letter,) = job.status["deadLetters"]
    assert (letter["id"], letter["attempts"], letter["requestedBy"]) == (failed["id"], 3, "ada")
    system.clear_faults()
    run = job.wait_run(job.ask("retry", {"run": letter["id"], "requestedBy": "ben"})["id"])
    assert (run["result"], run["trigger"], run["retryOf"]) == ("Succeeded", "Retry", letter["id"])
    assert run["value"]["unhealthy"] == ["grid", "market-maker"]
    assert job.status["deadLetters"] == []

    system.api_fault(path="/v1/bots", status=401)
    refused = job.wait_run(job.ask("run", {"id": "b"})["id"])
    assert (refused["exitCode"], len(refused["attempts"])) == (78, 1)  # no retry can help
    assert [letter["id"] for letter in job.status["deadLetters"]] == [refused["id"]]
    assert job.ask("clear", "all")["message"] == "1 dead letter cleared"
    assert job.status["deadLetters"] == []
    counts = job.status["counts"]
    assert (counts["succeeded"], counts["failed"], counts["retries"]) == (1, 2, 2)
    system.clear_faults()


def statistics(system: System) -> dict[str, Any]:
    """What the old system's /stats told, out of nothing but the statuses."""
    jobs = system.cluster.items("scheduledjobs", f"--namespace={system.namespace}")
    statuses = [job["status"] for job in jobs]
    pending = Counter(job["spec"].get("priority", "none") for job in jobs for _ in job["status"]["pending"])
    counts = [each["counts"] for each in statuses]
    succeeded, failed = (sum(each[result] for each in counts) for result in ("succeeded", "failed"))
    seconds = [each["averageDurationSeconds"] for each in statuses if "averageDurationSeconds" in each]
    return {
        "pending": dict(pending),
        "processing": sum(each["activeCount"] for each in statuses),
        "deadLetters": sum(len(each["deadLetters"]) for each in statuses),
        "processed": succeeded + failed,
        "successRate": succeeded / max(succeeded + failed, 1),
        "averageSeconds": sum(seconds) / max(len(seconds), 1),
        "disabled": sum(not job["spec"].get("enabled", True) for job in jobs),
        "scheduled": sorted(job["metadata"]["name"] for job in jobs if job["status"].get("nextRunTimes")),
    }


def test_the_statistics_are_in_the_statuses_and_in_the_metrics(system: System, operator: Operator) -> None:
    system.api_fault(path="/v1", status=500)
    job = system.job("bot-health-check")
    before = statistics(system)
    waiting = {name: system.start(name) for name in ("fetch-market-data", "sync-portfolios")}
    succeeding = system.start("check-price-alerts")
    job.wait_run(job.ask("run", {"id": "c"})["id"])
    assert system.wait("check-price-alerts", succeeding)["result"] == "Succeeded"
    for name, run in waiting.items():
        system.job(name).wait_pending(run, timeout=60)
    system.clear_faults()
    found = statistics(system)
    assert (found["pending"], found["disabled"]) == ({"none": 1, "normal": 1}, 13)
    assert found["deadLetters"] - before["deadLetters"] == 1
    assert found["processed"] - before["processed"] >= 2  # and the schedule's own
    assert 0 < found["successRate"] < 1
    assert 0 < found["averageSeconds"] < 30
    assert found["scheduled"] == ["monitor-risk"]
    of_job = f'{{name="{job.name}",namespace="{system.namespace}"'
    page = operator_metrics(operator)
    assert f"scheduledjob_dead_letters{of_job}}} 1.0" in page
    assert f'scheduledjob_runs_total{of_job},result="Failed"}}' in page
    job.ask("clear.again", "all")
    for name, run in waiting.items():
        system.job(name).ask("cancel.again", run)


def operator_metrics(operator: Operator) -> str:
    """The metrics pages of all replicas."""
    root = f"/api/v1/namespaces/{operator.namespace}/pods"
    pages = [f"--raw={root}/{pod}:8080/proxy/metrics" for pod in operator.pods()]
    return "".join(operator.cluster.kubectl("get", page, check=False).stdout for page in pages)


def test_the_schedule_starts_its_runs_by_itself(system: System) -> None:
    job = system.job("monitor-risk")

    def of_schedule() -> dict[str, Any]:
        runs = job.status.get("recentRuns", [])
        return next((run for run in runs if run["trigger"] == "Schedule"), {})

    run = wait_until(of_schedule, timeout=90, describe="the risk was measured at a full minute")
    assert (run["result"], run["slot"][-4:], run["value"]["portfolios"]) == ("Succeeded", ":00Z", 4)
    assert system.sql("SELECT count(*) FROM risks") == [["4"]]
