"""From Jobs and Pods to runs: the result, its cause and the attempts are what really happened."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scheduledjob_operator.causes import MESSAGE_LENGTH, cause_of, stuck
from scheduledjob_operator.models import Result, Run, Trigger
from scheduledjob_operator.observed import JobSeen, PodSeen
from scheduledjob_operator.runs import (
    MAX_ATTEMPTS,
    active_run,
    deleted_run,
    evidence_is_complete,
    finished_run,
    vanished_run,
)
from tests.unit import bodies
from tests.unit.bodies import Body
from tests.unit.endings import COMPLETE, ENDINGS, GIVEN_UP, JOB, Ending, crashed, deleted, pod, report
from tests.unit.moments import NOON, after_noon
from tests.unit.strategies import json_values


def run_of(job: Body, pods: list[Body]) -> Run:
    return finished_run(job=JobSeen.from_body(job), pods=[PodSeen.from_body(body) for body in pods])


@pytest.mark.parametrize("ending", ENDINGS, ids=[ending.name for ending in ENDINGS])
def test_a_run_says_what_happened(ending: Ending) -> None:
    run = run_of(ending.job, ending.pods)
    said = (run.result, run.reason, run.exit_code, run.message)
    assert said == (ending.result, ending.reason, ending.exit_code, ending.message)
    assert [attempt.reason for attempt in run.attempts] == ending.attempts
    assert {name: getattr(run, name) for name in ending.more} == ending.more
    assert (run.id, run.slot, run.trigger) == (JOB, NOON, Trigger.SCHEDULE)


@pytest.mark.parametrize("ending", ENDINGS, ids=[ending.name for ending in ENDINGS])
def test_all_evidence_is_there_once_the_pods_have_been_seen(ending: Ending) -> None:
    job, pods = JobSeen.from_body(ending.job), [PodSeen.from_body(body) for body in ending.pods]
    ended_pods = ending.status.get("failed", 0) + ending.status.get("succeeded", 0)
    assert evidence_is_complete(job=job, pods=pods) is (len(pods) >= ended_pods)


def test_attempts_are_numbered_from_the_oldest() -> None:
    run = run_of(
        bodies.job(JOB, status=bodies.failed(NOON, after_noon(143), pods=2)), [crashed(1), crashed(2)]
    )
    assert [(attempt.number, attempt.pod_name, attempt.exit_code) for attempt in run.attempts] == [
        (1, f"{JOB}-p1", 1),
        (2, f"{JOB}-p2", 1),
    ]
    assert (run.attempts[1].start_time, run.attempts[1].end_time) == (after_noon(61), after_noon(71))


def test_of_many_attempts_the_newest_are_kept() -> None:
    pods = [crashed(number) for number in range(1, 31)]
    run = run_of(bodies.job(JOB, status=bodies.failed(NOON, after_noon(1900), pods=30)), pods)
    assert len(run.attempts) == MAX_ATTEMPTS
    assert run.attempts[-1].number == 30


def test_the_state_of_a_sidecar_is_not_the_runs() -> None:
    body = crashed(exit_code=3, message="boom")
    sidecar = {"name": "proxy", "state": {"terminated": {"exitCode": 0, "message": "bye"}}}
    body["status"]["containerStatuses"].insert(0, sidecar)
    assert run_of(bodies.job(JOB, status=GIVEN_UP), [body]).exit_code == 3


# Messages


def test_of_a_long_log_the_end_is_kept_and_of_a_long_error_the_beginning() -> None:
    log = run_of(bodies.job(JOB, status=GIVEN_UP), [crashed(message="x" * 4000 + "end")])
    error = report("Failed", error={"type": "ValueError", "message": "begin" + "x" * 3000})
    reported = run_of(bodies.job(JOB, status=GIVEN_UP), [crashed(message=error)])
    for run in (log, reported):
        assert run.message is not None
        assert len(run.message) == MESSAGE_LENGTH
    assert str(log.message).startswith("…")
    assert str(log.message).endswith("end")
    assert str(reported.message).startswith("ValueError: begin")
    assert str(reported.message).endswith("…")


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{not json}",
        '{"level": "error", "msg": "a JSON log line"}',
        '{"version": 2, "result": "Succeeded"}',
        '{"version": 1, "value": NaN}',
        '{"version": 1, "durationSeconds": Infinity}',
        '{"version": 1, "durationSeconds": 1e999}',
        '{"version": 1, "value": 123456789012345678901234567890}',
        '{"version": 1, "value": ' + "[" * 300 + "]" * 300 + "}",
        '{"version": 1, "value": ' + "[" * 2000 + "]" * 2000 + "}",
    ],
    ids=lambda text: text[:40],
)
def test_a_message_that_is_no_report_or_could_not_be_stored_is_a_log(text: str) -> None:
    run = run_of(bodies.job(JOB, status=GIVEN_UP), [crashed(message=text)])
    assert (run.result, run.reason, run.value) == ("Failed", "ExitCode", None)
    assert run.message == text[-MESSAGE_LENGTH:] or str(run.message).startswith("…")


@pytest.mark.parametrize(
    "fields",
    [
        {"error": "boom"},
        {"error": {"message": None}},
        {"error": {"type": ["x"], "message": {"a": 1}}},
        {"durationSeconds": "long"},
        {"durationSeconds": -1},
        {"peakMemoryBytes": 1.5},
        {"peakMemoryBytes": -1},
        {"peakMemoryBytes": True},
        {"result": ["TimedOut"]},
    ],
    ids=str,
)
def test_a_report_with_fields_of_another_type_is_used_as_far_as_it_goes(fields: Body) -> None:
    message = json.dumps({"version": 1, "result": "Failed", "value": [1], **fields})
    run = run_of(bodies.job(JOB, status=GIVEN_UP), [crashed(message=message)])
    assert (run.result, run.value) == ("Failed", [1])


def test_half_a_character_in_a_report_is_replaced() -> None:
    """Python's JSON writes the odd bytes of a file name like that; the API server takes no such text."""
    text = (
        '{"version": 1, "result": "Failed", "value": "\\udcff", "error": {"type": "E", "message": "\\ud800"}}'
    )
    run = run_of(bodies.job(JOB, status=GIVEN_UP), [crashed(message=text)])
    assert (run.value, run.message) == ("?", "E: ?")


def stored(run: Run) -> Any:
    """The run as the API server has it after a write; raises when it would not take it."""
    text = json.dumps(run.model_dump(by_alias=True, exclude_none=True, mode="json"), allow_nan=False)
    text.encode()
    return json.loads(text)


@given(st.text(max_size=200) | json_values.map(lambda value: report("Failed", value=value)))
@example('{"version": 1, "value": "\\ud800"}')
@example("\x00\x01")
def test_whatever_a_container_leaves_the_run_can_be_stored_and_read_back(message: str) -> None:
    run = run_of(bodies.job(JOB, status=GIVEN_UP), [crashed(message=message)])
    assert Run.model_validate(stored(run)) == run


# Runs that have not ended


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        (bodies.waiting("ContainerCreating"), None),
        (bodies.waiting("PodInitializing"), None),
        (bodies.waiting("ErrImagePull", "not found"), ("ImagePullBackOff", "not found")),
        (bodies.waiting("ImagePullBackOff", "Back-off"), ("ImagePullBackOff", "Back-off")),
        (bodies.waiting("InvalidImageName", "x"), ("InvalidImageName", "x")),
        (
            bodies.waiting("CreateContainerConfigError", "no secret"),
            ("CreateContainerConfigError", "no secret"),
        ),
        (bodies.unschedulable("0/3 nodes"), ("Unschedulable", "0/3 nodes")),
        (bodies.running(NOON), None),
    ],
    ids=lambda value: "" if isinstance(value, dict) else str(value),
)
def test_a_run_that_cannot_start_says_why(status: Body, trouble: tuple[str, str] | None) -> None:
    pods = [PodSeen.from_body(pod(status=status))]
    assert stuck(pods) == trouble
    run = active_run(job=JobSeen.from_body(bodies.job(JOB, slot=NOON)), pods=pods)
    assert (run.reason, run.message) == (trouble or (None, None))
    assert (run.id, run.slot, run.trigger, run.start_time) == (JOB, NOON, Trigger.SCHEDULE, NOON)


def test_a_run_without_a_pod_is_not_known_to_be_stuck() -> None:
    assert stuck([]) is None


def test_a_manual_run_has_no_slot_and_may_name_who_asked() -> None:
    annotations = {"cronjob.kubernetes.io/instantiate": "manual", "scheduledjob.dev/requested-by": "alice"}
    run = active_run(job=JobSeen.from_body(bodies.job("by-hand", annotations=annotations)), pods=[])
    assert (run.slot, run.trigger, run.requested_by) == (None, Trigger.MANUAL, "alice")


@pytest.mark.parametrize(
    "body",
    [
        pod(),
        pod(status=bodies.running(NOON)),
        pod(status=bodies.waiting("ImagePullBackOff")),
        pod(status=bodies.unschedulable("no node")),
        pod(status={}),
    ],
    ids=["new", "running", "waiting", "unschedulable", "without a status"],
)
def test_a_pod_that_has_not_ended_has_no_cause(body: Body) -> None:
    assert cause_of(PodSeen.from_body(body)) is None


# Evidence


@pytest.mark.parametrize(
    ("status", "pods", "complete"),
    [
        ({"active": 1}, [], False),
        (COMPLETE, [], False),
        (COMPLETE, [pod(status=bodies.running(NOON))], False),
        (COMPLETE, [crashed(exit_code=0)], True),
        (GIVEN_UP, [pod(status=bodies.running(NOON))], False),
        (GIVEN_UP, [deleted(pod(status=bodies.running(NOON)))], True),
        (bodies.failed(NOON, after_noon(9), pods=0), [], True),
        (bodies.failed(NOON, after_noon(9), pods=0), [pod()], False),
        (bodies.failed(NOON, after_noon(9), pods=2), [crashed(1)], False),
        (bodies.failed(NOON, after_noon(9), pods=2), [crashed(1), crashed(2)], True),
    ],
    ids=[
        "the Job runs",
        "no Pod seen",
        "the Pod was last seen running",
        "the Pod was seen to end",
        "failed, and the Pod was last seen running",
        "failed, and the Pod is being deleted",
        "failed without a Pod",
        "failed without a Pod having ended",
        "one of two Pods seen",
        "both Pods seen",
    ],
)
def test_a_job_that_ended_waits_for_the_pods_that_explain_it(
    status: Body, pods: list[Body], complete: bool
) -> None:
    job = JobSeen.from_body(bodies.job(JOB, status=status))
    assert evidence_is_complete(job=job, pods=[PodSeen.from_body(body) for body in pods]) is complete


# Jobs that went


@pytest.mark.parametrize(
    ("replaced", "reason", "message"),
    [
        (False, "JobDeleted", "the Job was deleted while it was running"),
        (True, "Replaced", "the next run replaced this one"),
    ],
)
def test_a_run_whose_job_was_deleted_was_cancelled(replaced: bool, reason: str, message: str) -> None:
    job = JobSeen.from_body(bodies.job(JOB, slot=NOON))
    pods = [PodSeen.from_body(pod(status=bodies.running(after_noon(2))))]
    run = deleted_run(job=job, pods=pods, replaced=replaced, now=after_noon(30.5))
    assert (run.result, run.reason, run.message) == (Result.CANCELLED, reason, message)
    assert (run.start_time, run.end_time) == (after_noon(2), after_noon(30)), (
        "times are stored in whole seconds"
    )
    assert run.duration_seconds == 28.0


def test_a_deleted_run_ended_when_its_pod_did() -> None:
    run = deleted_run(
        job=JobSeen.from_body(bodies.job(JOB)),
        pods=[PodSeen.from_body(deleted(crashed(exit_code=143)))],
        replaced=False,
        now=after_noon(30),
    )
    assert (run.end_time, run.exit_code) == (after_noon(11), 143)


def test_of_a_run_whose_job_went_unseen_the_end_is_unknown() -> None:
    active = active_run(job=JobSeen.from_body(bodies.job(JOB, slot=NOON)), pods=[])
    run = vanished_run(active=active, now=after_noon(90.7))
    assert (run.result, run.reason) == (Result.UNKNOWN, "JobDeleted")
    assert (run.id, run.slot, run.start_time, run.end_time) == (JOB, NOON, NOON, after_noon(90))
    assert run.duration_seconds is None


def test_a_clock_that_goes_wrong_makes_no_negative_duration() -> None:
    body = pod(status=bodies.ended(1, started=after_noon(10), finished=after_noon(5)))
    assert run_of(bodies.job(JOB, status=GIVEN_UP), [body]).duration_seconds == 0.0
