"""A namespace that is being deleted, and one that comes again under its name."""

from collections import Counter
from typing import Any

import pytest

from scheduledjob_operator.job_names import slot_job
from scheduledjob_operator.reconcile import GOING
from tests.unit.bodies import NAME, NAMESPACE, Body
from tests.unit.fake_cluster import OVERLOADED, Request, refused
from tests.unit.moments import after_noon, text
from tests.unit.world import KEY, World, verbs

RUN = slot_job(NAME, after_noon(300))
TERMINATING = refused(
    403, f"unable to create new content in namespace {NAMESPACE} because it is being terminated", "Forbidden"
)


def world_with(**fields: Any) -> World:
    """The run of the first slot has a Job and a Pod that runs."""
    world = World()
    world.create({"schedule": "*/5 * * * *", "handler": "sync", **fields})
    world.settle()
    world.go_to(300)
    assert world.start_slot(300) == RUN
    world.run_pod(RUN)
    world.put_namespace()
    world.settle()
    return world


def terminating(world: World) -> Body:
    metadata = {"name": NAMESPACE, "uid": "uid-of-the-namespace", "deletionTimestamp": text(world.now)}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def delete_namespace(world: World) -> None:
    """Kubernetes marks it, makes nothing in it any more, and deletes what is in it by and by."""
    world.cluster.put("Namespace", terminating(world))
    world.cluster.rule = lambda request: TERMINATING if request.verb in ("create", "event") else None


def looks_at_namespace(world: World) -> int:
    return sum(request.kind == "Namespace" for request in world.cluster.requests)


def test_the_runs_of_a_namespace_that_is_being_deleted_end_so_that_it_can_go() -> None:
    world = world_with(retry={"limit": 3})
    delete_namespace(world)
    world.settle()
    assert world.job_names() == []
    assert world.runs() == [(RUN, "Cancelled")]
    assert world.status["lastRun"]["reason"] == "JobDeleted"
    assert world.reconcile() == []


@pytest.mark.parametrize("spec", [{"timeZone": "Mars/Olympus"}, {"schedule": "every now and then"}])
def test_they_end_too_when_the_spec_cannot_be_read(spec: Body) -> None:
    world = world_with()
    world.change(**spec)
    world.settle()
    assert world.ready[0] == "False"
    delete_namespace(world)
    world.settle()
    assert world.job_names() == []
    assert world.runs() == [(RUN, "Cancelled")]


def test_they_end_too_when_the_cronjob_went_first_and_left_its_jobs() -> None:
    world = world_with()
    del world.cluster.objects["CronJob", NAMESPACE, NAME]
    delete_namespace(world)
    before = len(world.cluster.requests)
    world.restart()
    world.settle()
    world.go_to(600)
    assert world.job_names() == []
    assert "apply" not in verbs(world.cluster.requests[before:]), "no CronJob can be made there any more"
    assert world.ready == ("False", "Forbidden")
    assert "being deleted" in world.message


def test_one_look_at_a_namespace_is_enough_for_all_that_is_in_it() -> None:
    world = world_with(concurrencyPolicy="Allow")
    world.put_job("another", created=world.now)
    world.settle()
    delete_namespace(world)
    world.settle()
    world.go_to(900)
    assert world.job_names() == []
    assert looks_at_namespace(world) == 1


def test_nobody_looks_at_a_namespace_that_stays() -> None:
    world = world_with()
    world.go_to(900)
    assert looks_at_namespace(world) == 0


def test_a_look_that_fails_is_tried_again_before_anything_is_deleted() -> None:
    world = world_with()
    world.cluster.outcomes.append(OVERLOADED)
    delete_namespace(world)
    world.settle()
    (index,) = [n for n, request in enumerate(world.cluster.requests) if request.verb == "delete"]
    assert [request.kind for request in world.cluster.requests[:index]].count("Namespace") == 2
    assert world.job_names() == []


# What was seen of one that is gone


def test_a_namespace_that_comes_again_is_one_like_any_other() -> None:
    world = world_with()
    world.cluster.put("Namespace", terminating(world))
    world.cluster.delete("Namespace", "", NAMESPACE)
    world.put_namespace()
    world.settle()
    assert world.job_names() == [RUN]


@pytest.mark.parametrize("there", [False, True], ids=["nothing is seen of it", "it was made anew"])
def test_no_job_is_deleted_for_what_was_seen_of_a_namespace_of_before(there: bool) -> None:
    """The watches of the kinds know nothing of each other, and one of them may be a minute behind."""
    world = world_with()
    old = terminating(world)
    world.restart()
    if there:
        world.put_namespace()
    else:
        world.cluster.delete("Namespace", "", NAMESPACE)
    world.deliver()
    world.controller.changed("Namespace", old)
    world.settle()
    world.go_to(310)
    assert world.job_names() == [RUN]
    assert world.active() == [RUN]


def test_slots_go_on_in_a_namespace_that_was_made_anew_and_whose_deletion_is_all_that_was_seen() -> None:
    world = World()
    world.create({"every": "90s", "handler": "sync", "concurrencyPolicy": "Allow"})
    world.put_namespace()
    world.settle()
    world.controller.changed("Namespace", terminating(world))
    world.go_to(400)
    assert len(world.created()) == 4


def test_a_job_of_the_namespace_made_anew_is_not_taken_for_one_of_the_old() -> None:
    """The old ScheduledJob is still in memory, and so is the old namespace."""
    world = world_with()
    delete_namespace(world)
    world.settle()
    world.put_namespace()
    world.cluster.rule = lambda _request: None
    world.deliver()
    world.controller.changed("Namespace", terminating(world))
    world.start_slot(600)
    world.go_to(610)
    assert world.job_names() == [slot_job(NAME, after_noon(600))]


def made_anew_behind_its_watch(world: World, **annotations: str) -> None:
    """All that is seen of the namespace is the deletion of the one before."""
    world.put_namespace(**annotations)
    world.deliver()
    old = terminating(world)
    old["metadata"]["uid"] = "uid-of-the-one-before"
    world.controller.changed("Namespace", old)


def test_one_look_at_a_namespace_that_was_made_anew_is_enough_too() -> None:
    world = World()
    world.create({"every": "90s", "handler": "sync", "concurrencyPolicy": "Allow"})
    world.settle()
    made_anew_behind_its_watch(world)
    world.go_to(900)
    assert looks_at_namespace(world) == 1
    delete_namespace(world)
    world.settle()
    assert world.store.namespaces.is_going(NAMESPACE)
    assert looks_at_namespace(world) == 2


def test_the_master_switch_of_a_namespace_that_was_made_anew_counts_when_it_is_seen() -> None:
    world = World()
    world.create()
    world.settle()
    made_anew_behind_its_watch(world, suspend="moving house")
    world.settle()
    assert world.cron_job["spec"]["suspend"] is False
    world.controller.changed("Namespace", world.cluster.objects["Namespace", "", NAMESPACE])
    world.settle()
    assert world.cron_job["spec"]["suspend"] is True


@pytest.mark.parametrize("again", [False, True], ids=["gone", "and made anew"])
def test_a_scheduled_job_that_went_with_its_namespace_makes_no_cronjob_though_it_is_still_known(
    again: bool,
) -> None:
    world = World()
    world.create()
    world.put_namespace()
    world.settle()
    world.cluster.put("Namespace", terminating(world))
    world.settle()
    world.cluster.delete("CronJob", NAMESPACE, NAME)
    world.settle()
    assert world.message == GOING
    del world.cluster.objects["ScheduledJob", NAMESPACE, NAME]  # of which nothing is told yet
    world.cluster.delete("Namespace", "", NAMESPACE)
    if again:
        world.put_namespace()
    world.deliver()
    before = len(world.cluster.requests)
    world.controller.queue.add(KEY)
    assert world.settle() == []
    assert [(request.verb, request.kind) for request in world.cluster.requests[before:]] == [
        ("get", "ScheduledJob")
    ]
    assert world.store.scheduled_job(KEY) is None


# What would be refused there


@pytest.mark.parametrize("spec", [{"every": "90s"}, {"schedule": "*/9 * * * * *"}, {"schedule": "* * * * *"}])
def test_nothing_is_started_in_a_namespace_that_is_being_deleted(spec: Body) -> None:
    world = World()
    world.punctual = True
    world.restart()
    world.create({"handler": "sync", **spec})
    world.put_namespace()
    world.settle()
    delete_namespace(world)
    before = len(world.cluster.requests)
    world.go_to(900)
    asked = Counter(request.verb for request in world.cluster.requests[before:])
    assert asked["create"] == asked["apply"] == 0


def test_what_waits_is_not_started_there() -> None:
    world = world_with(concurrencyPolicy="Allow")
    delete_namespace(world)
    world.annotate(run="now")
    world.go_to(600)
    assert len(world.pending()) == 1
    assert "create" not in verbs(world.cluster.requests)


def test_no_events_are_posted_into_it() -> None:
    world = world_with()
    delete_namespace(world)
    before = len(world.cluster.requests)
    world.settle()
    assert world.runs() == [(RUN, "Cancelled")], "which is worth an Event elsewhere"
    assert "event" not in verbs(world.cluster.requests[before:])


def test_that_an_event_is_refused_for_that_reason_is_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    """Its deletion has not been seen yet."""
    world = world_with()
    posted: list[Request] = []

    def rule(request: Request) -> Any:
        if request.verb == "event":
            posted.append(request)
            return TERMINATING
        return None

    world.cluster.rule = rule
    world.finish(RUN, exit_code=1)
    world.settle()
    assert posted
    assert [record for record in caplog.records if record.levelname == "WARNING"] == []
