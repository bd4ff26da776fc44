"""The verdicts of the soak find what they are there to find."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from scheduledjob_operator import names
from scheduledjob_operator.observed import JobSeen
from tests.soak import slots, verdicts
from tests.soak.node import Execution

BASE = datetime(2026, 12, 24, 8, tzinfo=UTC)


def _text(minutes: float) -> str:
    return (BASE + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _job(
    name: str,
    *,
    run: str | None = None,
    attempt: int = 1,
    uid: str = "",
    slot: float | None = None,
    began: float = 0,
    ended: float | None = 1,
    succeeded: bool = True,
) -> JobSeen:
    annotations = {names.ANNOTATION_ATTEMPT: str(attempt)}
    if run is not None:
        annotations |= {names.ANNOTATION_RUN_ID: run, names.ANNOTATION_TRIGGER: "Backfill"}
    if slot is not None:
        annotations[names.ANNOTATION_SCHEDULED_TIMESTAMP] = _text(slot)
    condition = {"type": "Complete" if succeeded else "Failed", "status": "True"}
    end = [{**condition, "lastTransitionTime": _text(ended)}] if ended is not None else []
    metadata = {
        "namespace": "shop",
        "name": name,
        "uid": uid or name,
        "creationTimestamp": _text(began),
        "labels": {names.LABEL_NAME: "a"},
        "annotations": annotations,
    }
    return JobSeen.from_body({"metadata": metadata, "status": {"conditions": end}})


def _run(run: str, *, result: str = "Succeeded", slot: float | None = None) -> dict[str, Any]:
    body: dict[str, Any] = {"id": run, "result": result}
    return body if slot is None else {**body, "slot": _text(slot)}


def _seen(
    *jobs: JobSeen,
    runs: list[dict[str, Any]],
    spec: dict[str, Any] | None = None,
    executions: dict[str, Execution] | None = None,
    **status: Any,
) -> verdicts.Evidence:
    return verdicts.Evidence(
        scheduled_job={"spec": spec or {}, "status": {"recentRuns": runs, **status}},
        cron_job={"metadata": {"creationTimestamp": _text(0)}, "status": {}},
        jobs=jobs,
        executions=executions or {},
        base=BASE,
    )


def test_one_job_for_each_run_is_no_problem() -> None:
    seen = _seen(_job("a-1"), runs=[_run("a-1")], counts={"succeeded": 1})
    assert verdicts.problems(seen) == []


def test_a_job_that_was_made_twice_is_found() -> None:
    seen = _seen(_job("a-1", uid="x"), _job("a-1", uid="y"), runs=[_run("a-1")])
    assert verdicts.doubled(seen) == ["doubled: 2 Jobs for attempt ('a-1', 1)"]


def test_two_runs_for_one_slot_are_found() -> None:
    seen = _seen(_job("a-1", slot=0), _job("a-2", slot=0), runs=[])
    assert len(verdicts.doubled(seen)) == 1


def test_a_job_that_was_executed_twice_is_found() -> None:
    execution = Execution(namespace="shop", job="a-1", job_uid="a-1", exit_code=0, env={})
    seen = _seen(_job("a-1"), runs=[], executions={"p": execution, "q": execution})
    assert verdicts.doubled(seen) == ["doubled: 2 Pods of a-1"]


def test_an_attempt_that_never_came_is_found() -> None:
    failed = _job("a-1", run="a-1", succeeded=False)
    spec = {"retry": {"limit": 2, "backoff": {}}}
    seen = _seen(failed, runs=[_run("a-1", result="Failed")], spec=spec)
    assert verdicts.lost(seen) == ["lost: attempt 1 of a-1 failed, and there is no other"]


def test_a_run_that_is_not_in_the_ledger_is_found() -> None:
    assert verdicts.lost(_seen(_job("a-1"), runs=[])) == ["lost: run a-1 is not in recentRuns"]


def test_a_run_that_was_given_up_and_never_made_is_found() -> None:
    seen = _seen(runs=[_run("a-1", result="Unknown")])
    assert verdicts.lost(seen) == ["lost: run a-1 was given up, and it never had a Job"]


def test_a_wrong_count_is_found() -> None:
    seen = _seen(_job("a-1"), runs=[_run("a-1")], counts={"succeeded": 2})
    assert verdicts.miscounted(seen) == ["miscounted: {'succeeded': 2} where {'succeeded': 1} happened"]


def test_what_is_left_over_is_found() -> None:
    assert verdicts.unfinished(_seen(runs=[], pending=[{"id": "a-1"}])) == ["unfinished: pending: ['a-1']"]


def test_runs_at_the_same_time_are_found_unless_they_are_allowed() -> None:
    jobs = [_job("a-1", began=0, ended=3), _job("a-2", began=2, ended=4)]
    assert len(slots.overlapping(_seen(*jobs, runs=[]))) == 1
    assert slots.overlapping(_seen(*jobs, runs=[], spec={"concurrencyPolicy": "Allow"})) == []


def test_slots_without_a_verdict_and_untrue_ones_are_found() -> None:
    run, job = _run("a-1", slot=1), _job("a-1", slot=1)
    mark: dict[str, Any] = {"accountedUntil": _text(2)}
    skipped = {"result": "Skipped", "count": 1}
    assert slots.untold(_seen(job, runs=[run], unstarted=[skipped], **mark)) == []
    assert len(slots.untold(_seen(job, runs=[run], unstarted=[], **mark))) == 1
    other = _job("a-2", slot=2)
    assert len(slots.untold(_seen(job, other, runs=[run], unstarted=[skipped], **mark))) == 1


def test_a_slot_that_was_to_be_caught_up_and_was_not_is_found() -> None:
    missed = {"result": "Missed", "count": 1}
    spec = {"catchUp": {"policy": "All"}}
    found = slots.untold(_seen(runs=[], spec=spec, unstarted=[missed], accountedUntil=_text(1)))
    assert found == ["lost: slot 2026-12-24 08:01:00+00:00 was not caught up"]
