"""API bodies cut down to what is used: what the API server gives, and what people write by hand."""

from typing import Any

import pytest

from scheduledjob_operator.models import Trigger
from scheduledjob_operator.observed import CronJobSeen, JobSeen, Owner, PodSeen
from tests.unit import bodies
from tests.unit.bodies import CRON_JOB_UID, LABELS, NAME, NAMESPACE, UID, Body
from tests.unit.endings import COMPLETE, GIVEN_UP, JOB, crashed, deleted, pod
from tests.unit.moments import NOON, after_noon, text

# CronJobs


def test_of_a_cron_job_is_kept_what_is_compared() -> None:
    seen = CronJobSeen.from_body(
        bodies.cron_job(
            spec={"startingDeadlineSeconds": 600},
            status={"lastScheduleTime": text(after_noon(-300)), "active": [{"name": "x"}]},
        )
    )
    assert (seen.namespace, seen.name, seen.uid) == (NAMESPACE, NAME, CRON_JOB_UID)
    assert seen.owner == Owner(kind="ScheduledJob", name=NAME, uid=UID)
    assert (seen.managed, seen.spec_hash, seen.foreign_managers) == (True, "0123456789abcdef", ())
    assert (seen.schedule, seen.time_zone, seen.suspended) == ("*/5 * * * *", "Etc/UTC", False)
    assert seen.starting_deadline_seconds == 600
    assert (seen.created, seen.last_schedule_time) == (NOON, after_noon(-300))
    assert not seen.deleting


@pytest.mark.parametrize(
    ("labels", "managed"),
    [
        (LABELS, True),
        ({}, False),
        (None, False),
        ({**LABELS, "app.kubernetes.io/managed-by": "Helm"}, False),
        ({**LABELS, "scheduledjob.dev/name": "another"}, False),
    ],
    ids=["ours", "no labels", "null", "somebody else's", "another one's"],
)
def test_a_cron_job_is_ours_by_both_labels(labels: Any, managed: bool) -> None:
    assert CronJobSeen.from_body(bodies.cron_job(labels=labels)).managed is managed


def test_a_cron_job_of_somebody_else_is_read_too() -> None:
    body = {
        "metadata": {"name": NAME, "namespace": NAMESPACE, "uid": "theirs", "resourceVersion": "7"},
        "spec": {"schedule": "@daily"},
    }
    seen = CronJobSeen.from_body(body)
    assert (seen.owner, seen.managed, seen.spec_hash, seen.time_zone) == (None, False, "", "")
    assert (seen.created, seen.last_schedule_time, seen.starting_deadline_seconds) == (None, None, None)


def test_only_the_controlling_owner_counts() -> None:
    references = [{"kind": "ConfigMap", "name": "a", "uid": "u"}, *bodies.owner("ScheduledJob")]
    assert Owner.of({"ownerReferences": references}) == Owner(kind="ScheduledJob", name=NAME, uid=UID)
    assert Owner.of({"ownerReferences": references[:1]}) is None
    assert Owner.of({}) is None


# Jobs


@pytest.mark.parametrize(
    ("annotations", "slot", "manual"),
    [
        ({"batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-11-22T12:00:00Z"}, NOON, False),
        ({"batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-11-22T13:00:00+01:00"}, NOON, False),
        ({"scheduledjob.dev/slot": "2026-11-22T12:00:00Z"}, NOON, False),
        ({"cronjob.kubernetes.io/instantiate": "manual"}, None, True),
        ({}, None, True),
        (None, None, True),
        ({"scheduledjob.dev/slot": ""}, None, True),
        ({"scheduledjob.dev/slot": "half past nine"}, None, True),
        ({"scheduledjob.dev/slot": "2026-11-22T12:00:00"}, None, True),
        ({"scheduledjob.dev/slot": "0001-01-01T00:00:00+14:00"}, None, True),
        ({"scheduledjob.dev/slot": "0500-01-01T00:00:00Z"}, None, True),
        (
            {
                "scheduledjob.dev/slot": "nonsense",
                "batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-11-22T12:00:00Z",
            },
            NOON,
            False,
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_the_slot_of_a_job_is_read_if_there_is_one(annotations: Any, slot: Any, manual: bool) -> None:
    """Annotations are free text: whoever may make a Job must not be able to stop the operator with one."""
    seen = JobSeen.from_body(bodies.job(JOB, annotations=annotations))
    assert (seen.slot, seen.trigger is Trigger.MANUAL) == (slot, manual)


def test_who_asked_for_a_run_is_cut_to_what_the_status_takes() -> None:
    annotations = {"scheduledjob.dev/requested-by": "a" * 1000}
    assert JobSeen.from_body(bodies.job(JOB, annotations=annotations)).requested_by == "a" * 253


@pytest.mark.parametrize(
    ("status", "succeeded", "reason", "when"),
    [
        (COMPLETE, True, "CompletionsReached", after_noon(13)),
        (GIVEN_UP, False, "BackoffLimitExceeded", after_noon(13)),
    ],
    ids=["complete", "failed"],
)
def test_a_job_ended_by_its_condition(status: Body, succeeded: bool, reason: str, when: Any) -> None:
    end = JobSeen.from_body(bodies.job(JOB, status=status)).end
    assert end is not None
    assert (end.succeeded, end.reason, end.time) == (succeeded, reason, when)


@pytest.mark.parametrize(
    "status",
    [
        {},
        {"active": 1},
        {"conditions": [{"type": "FailureTarget", "status": "True", "lastTransitionTime": text(NOON)}]},
        {"conditions": [{"type": "SuccessCriteriaMet", "status": "True", "lastTransitionTime": text(NOON)}]},
        {"conditions": [{"type": "Suspended", "status": "True", "lastTransitionTime": text(NOON)}]},
        {"conditions": [{"type": "Failed", "status": "False", "lastTransitionTime": text(NOON)}]},
    ],
    ids=["new", "active", "failing", "succeeding", "suspended", "not failed"],
)
def test_a_job_whose_end_is_only_in_sight_has_not_ended(status: Body) -> None:
    assert JobSeen.from_body(bodies.job(JOB, status=status)).end is None


def test_ended_pods_are_counted() -> None:
    status = {**COMPLETE, "failed": 2}
    assert JobSeen.from_body(bodies.job(JOB, status=status)).ended_pods == 3
    assert JobSeen.from_body(bodies.job(JOB)).ended_pods == 0


# Pods


def test_of_a_pod_that_ended_is_kept_how() -> None:
    seen = PodSeen.from_body(crashed(exit_code=3, message="boom", disruption="PreemptionByScheduler"))
    assert (seen.job_name, seen.parent, seen.phase) == (JOB, NAME, "Failed")
    assert (seen.exit_code, seen.terminated_reason, seen.termination_message) == (3, "Error", "boom")
    assert (seen.started, seen.ended) == (after_noon(1), after_noon(11))
    assert seen.disruption == "PreemptionByScheduler"


def test_a_disruption_that_did_not_come_is_none() -> None:
    body = pod(status={"conditions": [{"type": "DisruptionTarget", "status": "False", "reason": "X"}]})
    assert PodSeen.from_body(body).disruption == ""


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (bodies.waiting("ImagePullBackOff", "m"), "ImagePullBackOff"),
        (bodies.unschedulable("m"), "Unschedulable"),
        (bodies.running(NOON), ""),
        ({"containerStatuses": [{"name": "job"}]}, ""),
        ({"containerStatuses": [{"name": "proxy", "state": {"waiting": {"reason": "X"}}}]}, ""),
        ({}, ""),
    ],
    ids=["pulling", "unschedulable", "running", "no state yet", "a sidecar", "no status"],
)
def test_why_a_pod_waits_is_its_containers_reason_or_the_schedulers(status: Body, reason: str) -> None:
    assert PodSeen.from_body(pod(status=status)).waiting_reason == reason


def test_a_pod_without_a_status_is_read_too() -> None:
    body = pod()
    del body["status"]
    seen = PodSeen.from_body(body)
    assert (seen.phase, seen.exit_code, seen.started, seen.deleting) == ("", None, None, False)


def test_deletion_shows() -> None:
    assert PodSeen.from_body(deleted(pod())).deleting
    assert JobSeen.from_body(bodies.job(JOB, deletionTimestamp=text(NOON))).deleting
    assert CronJobSeen.from_body(bodies.cron_job(deletionTimestamp=text(NOON))).deleting
