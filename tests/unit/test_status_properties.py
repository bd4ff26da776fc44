"""What holds for every status: its patch is exact, assessing again changes nothing, order does not matter."""

import random
from datetime import timedelta
from functools import cache
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from scheduledjob_operator.models import ScheduledJobStatus
from scheduledjob_operator.recording import changed_fields, dump
from tests.unit.bodies import Body
from tests.unit.endings import ENDINGS, JOB
from tests.unit.ledger import Ledger, observe
from tests.unit.merge_patch import merge_patch
from tests.unit.moments import after_noon, text

# A merge patch cannot say null, and lists are compared as Python does, for which 1 is True.
values = st.recursive(
    st.integers(2, 9) | st.booleans() | st.text("ab", max_size=2),
    lambda inner: st.lists(st.integers(2, 9), max_size=2) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=5,
)
times = st.integers(0, 3600).map(lambda seconds: text(after_noon(seconds)))
numbers = st.integers(0, 5)
words = st.sampled_from(["a", "b"])
runs = st.fixed_dictionaries(
    {
        "id": words,
        "jobName": words,
        "trigger": st.sampled_from(["Schedule", "Manual"]),
        "result": st.sampled_from(["Succeeded", "Failed", "TimedOut", "Cancelled", "Unknown"]),
        "reason": words,
        "endTime": times,
        "attempts": st.lists(
            st.fixed_dictionaries({"number": st.integers(1, 3), "reason": words}), max_size=2
        ),
    },
    optional={
        "slot": times,
        "requestedBy": words,
        "exitCode": numbers,
        "startTime": times,
        "durationSeconds": st.just(2.5),
        "message": words,
        "value": values,
        "peakMemoryBytes": numbers,
    },
)
attempts = st.lists(st.fixed_dictionaries({"number": st.integers(1, 3), "reason": words}), max_size=2)
active_runs = st.fixed_dictionaries(
    {
        "id": words,
        "jobName": words,
        "trigger": st.just("Schedule"),
        "startTime": times,
        "attempt": st.integers(1, 3),
        "attempts": attempts,
    },
    optional={"slot": times, "reason": words, "message": words},
)
pending_runs = st.fixed_dictionaries(
    {
        "id": words,
        "jobName": words,
        "trigger": st.sampled_from(["Schedule", "CatchUp", "Backfill"]),
        "reason": st.sampled_from(["Backoff", "Queued", "CatchUp", "CoolDown"]),
        "dueTime": times,
        "since": times,
        "attempt": st.integers(1, 3),
        "attempts": attempts,
    },
    optional={"slot": times, "startTime": times, "result": st.just("Failed"), "message": words},
)
unstarted = st.fixed_dictionaries(
    {
        "result": st.sampled_from(["Skipped", "Missed"]),
        "reason": words,
        "count": st.integers(1, 3),
        "first": times,
        "last": times,
    }
)
letters = st.fixed_dictionaries(
    {
        "id": words,
        "trigger": st.just("Schedule"),
        "run": words,
        "attempts": numbers,
        "result": st.just("Failed"),
        "reason": words,
        "time": times,
        "overridden": st.booleans(),
    }
)
requests = st.fixed_dictionaries(
    {
        "annotation": words,
        "id": words,
        "outcome": st.sampled_from(["Accepted", "Refused"]),
        "message": words,
        "time": times,
    }
)
conditions = st.fixed_dictionaries(
    {
        "type": st.just("Ready"),
        "status": st.sampled_from(["True", "False"]),
        "reason": words,
        "message": words,
        "observedGeneration": numbers,
        "lastTransitionTime": times,
    }
)
COUNTS = ["succeeded", "failed", "timedOut", "cancelled", "unknown", "retries", "skipped", "missed"]
statuses = st.fixed_dictionaries(
    {
        "observedGeneration": st.integers(-1, 3),
        "conditions": st.lists(conditions, max_size=1),
        "nextRunTimes": st.lists(times, max_size=2),
        "active": st.lists(active_runs, max_size=2),
        "activeCount": numbers,
        "consecutiveFailures": numbers,
        "recentRuns": st.lists(runs, max_size=2),
        "pending": st.lists(pending_runs, max_size=2),
        "unstarted": st.lists(unstarted, max_size=2),
        "deadLetters": st.lists(letters, max_size=1),
        "deadLettersDropped": numbers,
        "requests": st.lists(requests, max_size=1),
    },
    optional={
        "accountedUntil": times,
        "suspended": st.just("Paused"),
        "scheduledSince": times,
        "cronJobName": words,
        "scheduler": st.sampled_from(["CronJob", "None"]),
        "resolvedSchedule": words,
        "lastRun": runs,
        "lastScheduleTime": times,
        "lastSuccessTime": times,
        "lastFailureTime": times,
        "counts": st.fixed_dictionaries(dict.fromkeys(COUNTS, numbers)),
        "averageDurationSeconds": st.just(1.5),
    },
)
"""Statuses as they stand in the resource."""
LISTS = [
    "conditions",
    "nextRunTimes",
    "active",
    "recentRuns",
    "pending",
    "unstarted",
    "deadLetters",
    "requests",
]


@given(statuses, statuses, st.sets(st.sampled_from(LISTS)))
def test_the_patch_turns_one_status_into_the_other(before: Body, after: Body, unwritten: set[str]) -> None:
    empty = {key for key in unwritten if not before[key]}
    written = {key: value for key, value in before.items() if key not in empty}
    previous, status = (ScheduledJobStatus.model_validate(body) for body in (written, after))
    patch = changed_fields(previous=previous, written=written, status=status)
    assert merge_patch(written, patch) == after
    assert changed_fields(previous=status, written=after, status=status) == {}


@given(statuses)
def test_a_status_is_written_as_it_was_read(written: Body) -> None:
    assert dump(ScheduledJobStatus.model_validate(written)) == written


# Histories


SECONDS = {text(after_noon(seconds)): after_noon(seconds) for seconds in range(3600)}


def shifted(value: Any, *, seconds: int, old: str, new: str) -> Any:
    """A body with all its times moved, under another name."""
    if isinstance(value, dict):
        return {key: shifted(item, seconds=seconds, old=old, new=new) for key, item in value.items()}
    if isinstance(value, list):
        return [shifted(item, seconds=seconds, old=old, new=new) for item in value]
    if isinstance(value, str):
        return (
            text(SECONDS[value] + timedelta(seconds=seconds)) if value in SECONDS else value.replace(old, new)
        )
    return value


@cache
def minute(number: int, name: str) -> tuple[Body, list[Body]]:
    """The ending in the n-th minute after noon."""
    ending = BY_NAME[name]
    body, pods = shifted([ending.job, ending.pods], seconds=60 * number, old=JOB, new=f"job-{number}")
    return body, pods


BY_NAME = {ending.name: ending for ending in ENDINGS if ending.pods}
histories = st.lists(st.sampled_from(list(BY_NAME)), max_size=4)
"""Names of endings, of the Jobs of one minute after the other."""


def history_of(names: list[str]) -> list[tuple[Body, list[Body]]]:
    return [minute(number, name) for number, name in enumerate(names)]


@given(histories, st.integers(1, 5), st.randoms())
def test_assessing_twice_is_as_good_as_once(names: list[str], runs_kept: int, chance: random.Random) -> None:
    history = history_of(names)
    jobs = [job for job, _ in history if chance.random() < 0.8]
    pods = [pod for _, pods in history for pod in pods if chance.random() < 0.8]
    seen = observe(jobs=jobs, pods=pods, runs_kept=runs_kept, now=after_noon(chance.choice([0, 14, 600])))
    ledger = Ledger()
    ledger.see(seen)
    patches = len(ledger.patches)
    assert ledger.see(seen).new_runs == ()
    assert len(ledger.patches) == patches


@given(histories, st.randoms())
def test_the_ledger_does_not_depend_on_the_order_in_which_runs_are_seen(
    names: list[str], chance: random.Random
) -> None:
    history = history_of(names)
    at_once, one_by_one = Ledger(), Ledger()
    now = after_noon(600)
    pods = [pod for _, pods in history for pod in pods]
    at_once.see(observe(jobs=[job for job, _ in history], pods=pods, now=now))
    order = [job for job, _ in history]
    chance.shuffle(order)
    for count in range(len(order) + 1):
        one_by_one.see(observe(jobs=order[:count], pods=pods, now=now))
    assert one_by_one.written == at_once.written


@given(histories, st.randoms())
def test_every_run_is_counted_once_though_its_evidence_goes_bit_by_bit(
    names: list[str], chance: random.Random
) -> None:
    history = history_of(names)
    ledger = Ledger()
    now = after_noon(600)
    jobs = [job for job, _ in history]
    pods = [pod for _, pods in history for pod in pods]
    gone: list[Body] = []
    ledger.see(observe(jobs=jobs, pods=pods, now=now))
    while jobs or pods or gone:
        things = chance.choice([some for some in (jobs, pods, gone) if some])
        thing = things.pop(chance.randrange(len(things)))
        if things is jobs:
            gone.append(thing)
        ledger.see(observe(jobs=jobs, pods=pods, gone=gone, now=now))
    assert sorted(name for name, _ in ledger.runs()) == [f"job-{number}" for number in range(len(history))]
    counted = {name: count for name, count in ledger.counts().items() if name != "retries"}
    assert sum(counted.values()) == len(history)
