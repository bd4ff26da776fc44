"""Attempts that do not start, and Jobs that are to end before their time."""

import json
from typing import Any

import pytest

from scheduledjob_operator.job_names import slot_job
from tests.unit import bodies
from tests.unit.bodies import NAME, NAMESPACE, Body
from tests.unit.endings import GIVEN_UP, overdue, report
from tests.unit.fake_cluster import LOST, OVERLOADED, UNREACHABLE, refused
from tests.unit.moments import after_noon, text
from tests.unit.world import World

RUN = slot_job(NAME, after_noon(300))
SECRET = "hunter2-canary"
QUOTA = 'Error creating: pods "x" is forbidden: exceeded quota: few, requested: pods=1, used: pods=5'
POD_SECURITY = 'Error creating: pods "x" is forbidden: violates PodSecurity "restricted:latest": privileged'


def world_with(**fields: Any) -> World:
    """The run of the first slot has a Job and no Pod yet; patience is one minute."""
    world = World()
    world.create({"schedule": "*/5 * * * *", "handler": "sync", "pendingTimeout": "1m", **fields})
    world.settle()
    world.go_to(300)
    assert world.start_slot(300) == RUN
    world.settle()
    return world


def put_pod(world: World, status: Body, *, number: int = 1) -> None:
    created = world.now.replace(microsecond=0)
    world.put_pod(bodies.pod(f"{RUN}-p{number}", job_name=RUN, created=created, status=status))
    world.settle()


def ended_as(world: World, name: str = RUN) -> Body | None:
    """The verdict that stands on the Job."""
    annotations = world.job(name)["metadata"]["annotations"]
    verdict: Body | None = json.loads(annotations.get("scheduledjob.dev/ended", "null"))
    return verdict


def last_run(world: World) -> tuple[str, str, str | None]:
    run = world.status["lastRun"]
    return run["result"], run["reason"], run.get("message")


def end(world: World) -> None:
    """Kubernetes ends what is to end a second later, and the operator sees it."""
    world.wait(1)
    world.obey_deadlines()
    world.wait(4)


# The patience of an attempt


@pytest.mark.parametrize(
    ("status", "reason", "message"),
    [
        (bodies.waiting("ErrImagePull", "no such image"), "ImagePullBackOff", "no such image"),
        (
            bodies.waiting("CreateContainerConfigError", "no Secret x"),
            "CreateContainerConfigError",
            "no Secret x",
        ),
        (bodies.unschedulable("0/3 nodes are available"), "Unschedulable", "0/3 nodes are available"),
        (
            bodies.waiting("ContainerCreating"),
            "NotStarted",
            "the container did not start before pendingTimeout",
        ),
        (None, "NotStarted", "Kubernetes created no Pod before pendingTimeout"),
    ],
    ids=["no image", "no Secret", "no node", "no word", "no Pod"],
)
def test_an_attempt_that_does_not_start_in_time_fails_with_the_reason(
    status: Body | None, reason: str, message: str
) -> None:
    world = world_with()
    if status:
        put_pod(world, status)
    world.go_to(359)
    assert ended_as(world) is None
    world.go_to(360)
    assert ended_as(world) == {"result": "Failed", "reason": reason, "message": message}
    assert world.job(RUN)["spec"]["activeDeadlineSeconds"] == 1
    end(world)
    assert world.runs() == [(RUN, "Failed")]
    assert last_run(world) == ("Failed", reason, message)


@pytest.mark.parametrize(
    ("warnings", "reason"),
    [
        ([QUOTA], "QuotaExceeded"),
        ([POD_SECURITY], "PodSecurity"),
        (["Error creating: no ServiceAccount robot"], "FailedCreate"),
        ([POD_SECURITY, QUOTA], "QuotaExceeded"),
    ],
    ids=["quota", "Pod Security", "something else", "the newest counts"],
)
def test_when_there_is_no_pod_the_warnings_about_the_job_say_why(warnings: list[str], reason: str) -> None:
    world = world_with()
    world.cluster.warnings[f"uid-of-{RUN}"] = warnings
    world.go_to(360)
    end(world)
    assert last_run(world) == ("Failed", reason, warnings[-1])


def test_a_warning_that_repeats_what_people_wrote_is_told_without_that() -> None:
    world = world_with(env=[{"name": "TOKEN", "value": SECRET}], args={"token": SECRET})
    world.cluster.warnings[f"uid-of-{RUN}"] = [f'Error creating: env: Invalid value: "{SECRET}"']
    world.go_to(360)
    end(world)
    assert last_run(world)[2] == 'Error creating: env: Invalid value: "[redacted]"'
    told = [write.body for write in world.cluster.writes if write.verb in ("status", "event", "end")]
    assert SECRET not in json.dumps(told)


def test_warnings_that_cannot_be_read_keep_nothing_from_its_end() -> None:
    world = world_with()
    world.cluster.rule = lambda request: (
        refused(403) if request.kind == "Event" and request.verb == "list" else None
    )
    world.go_to(360)
    assert (ended_as(world) or {})["reason"] == "NotStarted"


def test_an_attempt_that_has_started_has_all_the_time_of_its_timeout() -> None:
    world = world_with()
    put_pod(world, bodies.running(after_noon(301)))
    world.go_to(3000)
    assert ended_as(world) is None


def test_patience_begins_with_the_pod_and_anew_with_the_next_one() -> None:
    """Between two Pods of one Job Kubernetes waits by itself."""
    world = world_with(retry={"limit": 3})
    world.go_to(310)
    put_pod(world, bodies.ended(1, started=after_noon(301), finished=after_noon(310)))
    world.go_to(500)
    assert ended_as(world) is None
    put_pod(world, bodies.waiting("ErrImagePull", "gone"), number=2)
    world.go_to(559)
    assert ended_as(world) is None
    world.go_to(560)
    assert (ended_as(world) or {})["reason"] == "ImagePullBackOff"


def test_a_changed_patience_holds_for_the_attempt_that_waits() -> None:
    world = world_with()
    world.change(pendingTimeout="10m")
    world.go_to(400)
    assert ended_as(world) is None
    world.change(pendingTimeout="90s")
    world.settle()
    assert ended_as(world) is not None


def test_patience_goes_on_over_a_restart() -> None:
    world = world_with()
    put_pod(world, bodies.waiting("ErrImagePull", "no such image"))
    world.go_to(330)
    world.restart()
    world.settle()
    world.go_to(359)
    assert ended_as(world) is None
    world.go_to(360)
    assert ended_as(world) is not None


@pytest.mark.parametrize("restarted", [False, True], ids=["", "the operator was away then"])
def test_why_it_did_not_start_is_known_also_when_its_pod_says_it_no_more(restarted: bool) -> None:
    """A container that never started is ContainerStatusUnknown once its Pod has ended."""
    world = world_with()
    put_pod(world, bodies.waiting("ErrImagePull", "no such image"))
    world.wait(10)
    lost = {"exitCode": 137, "reason": "ContainerStatusUnknown", "message": "could not be located"}
    status = {"containerStatuses": [{"name": "job", "state": {"terminated": lost}}]}
    created = world.now.replace(microsecond=0)
    world.put_pod(bodies.pod(f"{RUN}-p1", job_name=RUN, created=created, status=overdue(status)))
    world.cluster.put("Job", {**world.job(RUN), "status": GIVEN_UP})
    if restarted:
        world.restart()
    world.wait(4)
    assert last_run(world) == ("Failed", "ImagePullBackOff", "no such image")
    assert [attempt["reason"] for attempt in world.status["lastRun"]["attempts"]] == ["ImagePullBackOff"]


def test_a_job_is_told_once_to_end() -> None:
    world = world_with()
    world.go_to(500)
    world.restart()
    world.settle()
    assert [write.verb for write in world.cluster.writes].count("end") == 1


@pytest.mark.parametrize("outcome", [LOST, OVERLOADED, UNREACHABLE], ids=["lost answer", "500", "no answer"])
@pytest.mark.parametrize("dies", [False, True], ids=["", "and died of it"])
def test_an_end_that_broke_off_comes_all_the_same(outcome: Any, dies: bool) -> None:
    world = world_with()
    put_pod(world, bodies.waiting("ErrImagePull", "no such image"))
    world.go_to(359)
    world.dies_of_errors = dies
    world.cluster.outcomes.append(outcome)
    world.go_to(361)
    end(world)
    assert last_run(world) == ("Failed", "ImagePullBackOff", "no such image")
    assert world.status["counts"]["failed"] == 1


def test_a_job_that_went_meanwhile_needs_no_end() -> None:
    world = world_with()
    world.go_to(359)
    world.cluster.delete("Job", NAMESPACE, RUN)
    world.now = after_noon(360)
    world.reconcile()
    world.settle()
    assert world.errors == []
    assert world.runs() == [(RUN, "Cancelled")]


def test_an_attempt_that_did_not_start_is_tried_again() -> None:
    world = world_with(retry={"limit": 1, "backoff": {"initial": "30s"}})
    put_pod(world, bodies.waiting("ErrImagePull", "no such image"))
    world.go_to(360)
    world.go_to(361)
    world.obey_deadlines()
    world.go_to(395)
    assert world.created() == [f"{RUN}-r2"]
    assert [attempt["reason"] for attempt in world.status["active"][0]["attempts"]] == ["ImagePullBackOff"]


# Cancelled on the Job itself


def test_an_annotation_on_the_job_ends_its_run() -> None:
    world = world_with()
    world.run_pod(RUN)
    world.settle()
    world.annotate_job(RUN, cancel="dave")
    world.settle()
    verdict = {"result": "Cancelled", "reason": "Cancelled", "message": "cancelled by dave"}
    assert ended_as(world) == verdict
    end(world)
    assert world.runs() == [(RUN, "Cancelled")]
    assert last_run(world) == ("Cancelled", "Cancelled", "cancelled by dave")
    assert world.status["lastRun"]["exitCode"] == 143
    assert (
        "RunCancelled",
        f"run {RUN} ended as Cancelled: Cancelled, exit code 143",
    ) in world.cluster.events()


def test_nobody_need_say_who_asks() -> None:
    world = world_with()
    world.annotate_job(RUN, cancel="")
    world.settle()
    assert (ended_as(world) or {})["message"] == "cancelled"


def test_a_run_that_was_done_before_its_end_came_is_what_it_was() -> None:
    world = world_with()
    world.annotate_job(RUN, cancel="dave")
    world.settle()
    world.finish(RUN)
    world.settle()
    assert world.runs() == [(RUN, "Succeeded")]


def test_a_run_that_was_cancelled_keeps_what_its_handler_reported() -> None:
    world = world_with()
    world.run_pod(RUN)
    world.annotate_job(RUN, cancel="dave")
    world.settle()
    world.wait(1)
    message = report("Cancelled", value={"rows": 3})
    status = bodies.ended(143, started=after_noon(300), finished=after_noon(301), message=message)
    put_pod(world, status)
    world.obey_deadlines()
    world.wait(4)
    assert world.status["lastRun"]["value"] == {"rows": 3}
    assert world.status["lastRun"]["result"] == "Cancelled"


# Held back in a queue


def suspended_job(world: World) -> None:
    body = world.job(RUN)
    world.cluster.put("Job", {**body, "spec": {**body["spec"], "suspend": True}, "status": {}})
    world.settle()


def test_a_job_that_waits_in_a_queue_has_all_the_time_in_the_world() -> None:
    world = world_with(queue="batch")
    suspended_job(world)
    world.go_to(100_000)
    assert ended_as(world) is None
    assert world.active() == [RUN]


def test_its_patience_begins_when_it_is_let_go() -> None:
    world = world_with(queue="batch")
    suspended_job(world)
    world.go_to(1000)
    body = world.job(RUN)
    released = {**body, "spec": {**body["spec"], "suspend": False}, "status": {"startTime": text(world.now)}}
    world.cluster.put("Job", released)
    world.go_to(1059)
    assert ended_as(world) is None
    world.go_to(1060)
    assert ended_as(world) is not None


def test_one_that_is_cancelled_in_the_queue_is_deleted_for_it_has_no_clock() -> None:
    world = world_with(queue="batch")
    suspended_job(world)
    world.annotate_job(RUN, cancel="dave")
    world.settle()
    assert world.job_names() == []
    assert world.runs() == [(RUN, "Cancelled")]
    assert last_run(world)[2] == "cancelled by dave"


@pytest.mark.parametrize("outcome", [LOST, OVERLOADED], ids=["lost answer", "500"])
@pytest.mark.parametrize("step", [0, 1], ids=["verdict", "deletion"])
@pytest.mark.parametrize("dies", [False, True], ids=["", "and died of it"])
def test_a_deletion_that_broke_off_comes_all_the_same(outcome: Any, step: int, dies: bool) -> None:
    world = world_with(queue="batch")
    suspended_job(world)
    world.annotate_job(RUN, cancel="dave")
    world.cluster.outcomes.extend([None] * step + [outcome])
    world.dies_of_errors = dies
    world.settle()
    world.wait(60)
    assert world.job_names() == []
    assert [result for _, result in world.runs()] == ["Cancelled"]


# What an attempt says that has no Pod


def active_reason(world: World) -> tuple[str | None, str | None]:
    (run,) = world.status["active"]
    return run.get("reason"), run.get("message")


@pytest.mark.parametrize(
    ("sentence", "reason"), [(QUOTA, "QuotaExceeded"), (POD_SECURITY, "PodSecurity"), ("no", "FailedCreate")]
)
def test_a_run_that_has_no_pod_says_why_while_it_waits(sentence: str, reason: str) -> None:
    world = world_with()
    world.cluster.warnings[world.job(RUN)["metadata"]["uid"]] = ["an older one", sentence]
    assert active_reason(world) == (None, None)
    world.go_to(306)
    assert active_reason(world) == (reason, sentence)
    asked = len([request for request in world.cluster.requests if request.verb == "list"])
    world.go_to(340)
    world.restart()
    assert world.settle() == [], "it stands there already"
    asked += 1
    assert len([request for request in world.cluster.requests if request.verb == "list"]) == asked
    assert world.reconcile() == []


def test_that_it_had_no_pod_is_forgotten_when_it_has_one() -> None:
    world = world_with()
    world.cluster.warnings[world.job(RUN)["metadata"]["uid"]] = [QUOTA]
    world.go_to(306)
    put_pod(world, bodies.running(world.now))
    assert active_reason(world) == (None, None)
    world.go_to(400)
    assert world.active() == [RUN]


def test_nothing_is_asked_about_a_run_that_has_its_pod_in_time() -> None:
    world = world_with()
    put_pod(world, bodies.waiting("ContainerCreating"))
    world.go_to(320)
    assert [request for request in world.cluster.requests if request.verb == "list"] == []


def test_kubernetes_words_for_a_pod_it_could_not_make_have_no_secret_in_them() -> None:
    world = world_with(env=[{"name": "PASSWORD", "value": SECRET}])
    world.cluster.warnings[world.job(RUN)["metadata"]["uid"]] = [f"{QUOTA}: {SECRET}"]
    world.go_to(306)
    assert active_reason(world) == ("QuotaExceeded", f"{QUOTA}: [redacted]")
