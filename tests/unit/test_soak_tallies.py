from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from scheduledjob_operator import names
from scheduledjob_operator.models.types import format_time
from tests.soak.tallies import Tally, tally

BEGIN = 1_800_000_000


def _job(slot: int, *, uid: str = "", trigger: str = "Schedule") -> dict[str, Any]:
    moment = format_time(datetime.fromtimestamp(slot, tz=UTC))
    return {
        "metadata": {
            "namespace": "soak",
            "name": f"a-{slot}",
            "uid": uid or str(slot),
            "creationTimestamp": moment,
            "labels": {names.LABEL_NAME: "a"},
            "annotations": {names.ANNOTATION_TRIGGER: trigger, names.ANNOTATION_SLOT: moment},
        }
    }


def _tally(*slots: int, period: int = 5, **counts: int) -> Tally:
    jobs = [_job(BEGIN + slot, uid=str(number)) for number, slot in enumerate(slots)]
    return tally("a", period=period, jobs=jobs, status={"counts": counts})


def test_one_job_for_each_slot_and_as_many_successes_is_right() -> None:
    found = _tally(0, 5, 10, succeeded=3)
    assert (found.slots, found.jobs, found.problems) == (3, 3, [])


def test_two_jobs_for_a_slot_are_doubled() -> None:
    assert _tally(0, 5, 5, succeeded=3).problems == [f"a: doubled: 2 Jobs for slot {BEGIN + 5}"]


def test_a_slot_without_a_job_is_lost_unless_the_ledger_says_that_nobody_knows() -> None:
    assert "a: lost" in _tally(0, 10, succeeded=2).problems[0]
    assert _tally(0, 10, succeeded=2, unknown=1).problems == []


def test_a_run_that_is_counted_twice_or_not_at_all_is_miscounted() -> None:
    assert "a: miscounted" in _tally(0, 5, succeeded=3).problems[0]
    assert "a: miscounted" in _tally(0, 5, succeeded=1).problems[0]


def test_a_verdict_that_no_run_of_a_trial_can_have_is_untrue() -> None:
    assert _tally(0, 5, succeeded=2, missed=1).problems == [
        "a: untrue: the ledger has 1 missed, and all Jobs succeeded"
    ]


def test_what_is_missed_after_the_last_job_came_when_the_schedule_was_disabled() -> None:
    missed = {"result": "Missed", "count": 1, "first": format_time(datetime.fromtimestamp(BEGIN + 5, tz=UTC))}
    status = {"counts": {"succeeded": 1, "missed": 1}, "unstarted": [missed]}
    assert tally("a", period=5, jobs=[_job(BEGIN)], status=status).problems == []


def test_a_slot_between_those_of_the_schedule_is_strange() -> None:
    assert (
        _tally(0, 3, 5, succeeded=3).problems[0] == f"a: strange: slot {BEGIN + 3} is none of the schedule's"
    )


def test_the_jobs_of_kubernetes_and_those_caught_up_are_told_apart() -> None:
    of_kubernetes = _job(BEGIN)
    moment = of_kubernetes["metadata"]["annotations"][names.ANNOTATION_SLOT]
    of_kubernetes["metadata"]["annotations"] = {names.ANNOTATION_SCHEDULED_TIMESTAMP: moment}
    jobs = [of_kubernetes, _job(BEGIN + 5, trigger="CatchUp")]
    found = tally("a", period=5, jobs=jobs, status={"counts": {"succeeded": 2}})
    assert (found.by_kubernetes, found.caught_up, found.problems) == (1, 1, [])
