"""What is wrong with a ScheduledJob after all that: Jobs doubled or lost, and its final state. Pure."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scheduledjob_operator.observed import JobSeen
from tests.bench.api import Body
from tests.soak.node import Execution

_COUNTS = {
    "Succeeded": "succeeded",
    "Failed": "failed",
    "TimedOut": "timedOut",
    "Cancelled": "cancelled",
    "Unknown": "unknown",
}


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All that is known of one ScheduledJob."""

    scheduled_job: Body
    cron_job: Body
    jobs: Sequence[JobSeen]
    """Every Job there ever was, as last seen."""
    executions: Mapping[str, Execution]
    base: datetime

    @property
    def status(self) -> Body:
        status: Body = self.scheduled_job["status"]
        return status


def problems(seen: Evidence) -> list[str]:
    """What is wrong, whatever the story was: one sentence each, beginning with the kind of it."""
    return [*doubled(seen), *lost(seen), *miscounted(seen), *unfinished(seen)]


def doubled(seen: Evidence) -> list[str]:
    """Two Jobs for one attempt, two runs for one slot, two Pods for one Job."""
    attempts = Counter((job.run_id, job.attempt) for job in seen.jobs)
    slots: dict[tuple[Any, ...], set[str]] = defaultdict(set)
    for job in seen.jobs:
        if job.slot is not None and job.trigger in ("Schedule", "CatchUp"):
            slots[job.slot, "the schedule"].add(job.run_id)
        elif job.slot is not None:
            slots[job.slot, job.request].add(job.run_id)
    pods = Counter(execution.job_uid for execution in seen.executions.values())
    names = {job.uid: job.name for job in seen.jobs}
    return [
        *(f"doubled: {times} Jobs for attempt {key}" for key, times in attempts.items() if times > 1),
        *(f"doubled: runs {sorted(runs)} for slot {key}" for key, runs in slots.items() if len(runs) > 1),
        *(
            f"doubled: {times} Pods of {names[uid]}"
            for uid, times in pods.items()
            if times > 1 and uid in names
        ),
    ]


def lost(seen: Evidence) -> list[str]:
    """A failed attempt without its next one, a run that is not in the ledger."""
    retry = seen.scheduled_job["spec"].get("retry") or {}
    limit = retry.get("limit", 0) if "backoff" in retry else 0
    made = {(job.run_id, job.attempt) for job in seen.jobs}
    failed = [
        job
        for job in seen.jobs
        if job.end is not None
        and not job.end.succeeded
        and job.ended_as is None
        and job.trigger != "Probe"
        and job.attempt <= limit
    ]
    ledger = Counter(run["id"] for run in seen.status.get("recentRuns", ()))
    runs = {job.run_id for job in seen.jobs}
    given_up = [run["id"] for run in seen.status.get("recentRuns", ()) if run["result"] == "Unknown"]
    return [
        *(f"lost: run {run} was given up, and it never had a Job" for run in given_up if run not in runs),
        *(
            f"lost: attempt {job.attempt} of {job.run_id} failed, and there is no other"
            for job in failed
            if (job.run_id, job.attempt + 1) not in made
        ),
        *(f"lost: run {run} is not in recentRuns" for run in sorted(runs - ledger.keys())),
        *(f"doubled: run {run} is in recentRuns {times} times" for run, times in ledger.items() if times > 1),
    ]


def miscounted(seen: Evidence) -> list[str]:
    """Counts that are not what happened."""
    last: dict[str, JobSeen] = {}
    for job in sorted(seen.jobs, key=lambda job: job.attempt):
        last[job.run_id] = job
    told = {run["id"]: run["result"] for run in seen.status.get("recentRuns", ())}
    unknown = {run for run, result in told.items() if result == "Unknown"}
    happened = Counter(_COUNTS[_result(job)] for run, job in last.items() if run not in unknown)
    happened.update(_COUNTS[result] for run, result in told.items() if run not in last or run in unknown)
    for entry in seen.status.get("unstarted", ()):
        happened["unknown"] += entry["count"] if entry["result"] == "Unknown" else 0
    retries = len({(job.run_id, job.attempt) for job in seen.jobs}) - len(last)
    wanted = {**{name: happened[name] for name in _COUNTS.values()}, "retries": retries}
    counts = seen.status.get("counts") or {}
    have = {name: counts.get(name, 0) for name in wanted}
    return (
        []
        if have == wanted
        else [f"miscounted: {_differing(have, wanted)} where {_differing(wanted, have)} happened"]
    )


def _result(job: JobSeen) -> str:
    if job.end is not None and job.end.succeeded:
        return "Succeeded"
    return job.ended_as.result if job.ended_as else "Failed"


def _differing(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {key: value for key, value in one.items() if other[key] != value}


def unfinished(seen: Evidence) -> list[str]:
    """Something that should be over and is not."""
    status = seen.status
    left = {
        "pending": [run["id"] for run in status.get("pending", ())],
        "active": [run["id"] for run in status.get("active", ())],
        "listed in the CronJob": [job["name"] for job in seen.cron_job.get("status", {}).get("active", ())],
    }
    return [f"unfinished: {what}: {ids}" for what, ids in left.items() if ids]


def final_state(seen: Evidence) -> Body:
    """All that two rounds of one story have in common: without times, and without names made of them."""
    status = seen.status
    return {
        "runs": _sorted(_run(run, base=seen.base) for run in status.get("recentRuns", ())),
        "jobs": _sorted([job.trigger.value, job.attempt, _offset(job.slot, seen.base)] for job in seen.jobs),
        "executions": _sorted(
            [execution.exit_code, execution.env.get("MODE")] for execution in seen.executions.values()
        ),
        "counts": status.get("counts") or {},
        "unstarted": [
            [entry["result"], entry["reason"], entry["count"], _offset(entry["first"], seen.base)]
            for entry in status.get("unstarted", ())
        ],
        "deadLetters": [
            {
                **{key: letter.get(key) for key in ("trigger", "attempts", "result", "reason", "exitCode")},
                "slot": _offset(letter.get("slot"), seen.base),
            }
            for letter in status.get("deadLetters", ())
        ],
        "requests": {entry["annotation"]: entry["outcome"] for entry in status.get("requests", ())},
        "conditions": _sorted(
            [entry["type"], entry["status"], entry["reason"]] for entry in status["conditions"]
        ),
        "consecutiveFailures": status.get("consecutiveFailures", 0),
        "scheduler": status.get("scheduler"),
        "suspended": status.get("suspended"),
        "current": status["observedGeneration"] == seen.scheduled_job["metadata"]["generation"],
        "cronJobSuspended": seen.cron_job["spec"]["suspend"],
    }


def _run(run: Body, *, base: datetime) -> Body:
    state = {key: run.get(key) for key in ("trigger", "result", "reason", "requestedBy")}
    state["slot"] = _offset(run.get("slot"), base)
    if run["result"] != "Cancelled":  # how the Pod of such a run ended is seen or not: it goes along
        state["attempts"] = [
            [attempt["number"], attempt["reason"], attempt.get("exitCode")] for attempt in run["attempts"]
        ]
        state["message"] = run.get("message")
    return state


def _offset(slot: datetime | str | None, base: datetime) -> int | None:
    """Minutes from the base."""
    if slot is None:
        return None
    moment = datetime.fromisoformat(slot) if isinstance(slot, str) else slot
    return int((moment - base).total_seconds() // 60)


def _sorted(items: Any) -> list[Any]:
    return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))


def differences(have: Body, wanted: Body) -> list[str]:
    """Where a final state is not that of an undisturbed run."""
    return [
        f"different: {field} is {json.dumps(have.get(field))} and undisturbed {json.dumps(wanted.get(field))}"
        for field in sorted(have.keys() | wanted.keys())
        if have.get(field) != wanted.get(field)
    ]
