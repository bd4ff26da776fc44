"""CronJobs that other hands change, delete, leave behind, or made."""

from typing import Any

import pytest

from scheduledjob_operator.cluster import ApiError
from tests.unit import bodies, managed_fields
from tests.unit.bodies import NAME
from tests.unit.endings import GIVEN_UP, JOB
from tests.unit.fake_cluster import LOST, Request, refused
from tests.unit.moments import NOON, after_noon, text
from tests.unit.world import KEY, World, verbs


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def settled() -> World:
    """One ScheduledJob, in sync."""
    world = World()
    world.create()
    world.settle()
    return world


# Changed, deleted, left behind


def suspend(body: dict[str, Any]) -> None:
    body["spec"]["suspend"] = True


def put_on_ssd(body: dict[str, Any]) -> None:
    body["spec"]["jobTemplate"]["spec"]["template"]["spec"]["nodeSelector"] = {"disk": "ssd"}


def add_variable(body: dict[str, Any]) -> None:
    (container,) = body["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    container["env"].append({"name": "EXTRA", "value": "1"})


def drop_zone(body: dict[str, Any]) -> None:
    del body["spec"]["timeZone"]


@pytest.mark.parametrize("change", [suspend, put_on_ssd, add_variable], ids=lambda change: change.__name__)
def test_a_change_of_the_cron_job_is_put_back(settled: World, change: Any) -> None:
    before = settled.cron_job["spec"]
    settled.edit_cron_job(change)
    assert settled.cron_job["spec"] != before
    assert verbs(settled.settle())[-3:] == ["reclaim", "apply", "event"]
    assert settled.cron_job["spec"] == before
    ((reason, note),) = settled.cluster.events()
    assert reason == "DriftCorrected"
    assert note == "kubectl-edit changed the CronJob; it was put back. Change the ScheduledJob instead"
    assert settled.reconcile() == []
    settled.restart()
    assert settled.settle() == []


def test_a_field_that_is_removed_from_the_cron_job_is_put_back(settled: World) -> None:
    settled.edit_cron_job(drop_zone)
    settled.settle()
    assert settled.cron_job["spec"]["timeZone"] == "Etc/UTC"


def test_everyone_who_changed_the_cron_job_is_named(settled: World) -> None:
    settled.edit_cron_job(suspend, manager="argocd")
    settled.edit_cron_job(put_on_ssd)
    settled.settle()
    assert settled.cluster.events()[0][1].startswith("argocd, kubectl-edit changed the CronJob")


def test_a_change_that_came_while_the_operator_was_down_is_put_back(settled: World) -> None:
    settled.edit_cron_job(suspend)
    settled.restart()
    settled.settle()
    assert settled.cron_job["spec"]["suspend"] is False


@pytest.mark.parametrize("step", range(3), ids=["get", "reclaim", "apply"])
@pytest.mark.parametrize(
    "outcome", [refused(409, "the object has been modified"), LOST], ids=["conflict", "lost"]
)
@pytest.mark.parametrize("restarted", [False, True], ids=["", "and restarted"])
def test_a_change_is_put_back_though_that_broke_off_in_the_middle(
    settled: World, step: int, outcome: Any, restarted: bool
) -> None:
    before = settled.cron_job["spec"]
    settled.edit_cron_job(put_on_ssd)
    settled.deliver()
    settled.cluster.outcomes.extend([None] * step + [outcome])
    with pytest.raises(ApiError):
        settled.reconcile()
    if restarted:
        settled.restart()
    settled.settle()
    assert settled.cron_job["spec"] == before
    assert settled.reconcile() == []


@pytest.mark.parametrize("what", ["labels", "annotations", "ownerReferences"])
def test_what_makes_the_cron_job_ours_is_put_back(settled: World, what: str) -> None:
    before = settled.cron_job["metadata"][what]
    settled.edit_cron_job(
        lambda body: body["metadata"].update({what: []} if what == "ownerReferences" else {what: {}})
    )
    settled.settle()
    assert settled.cron_job["metadata"][what] == before
    assert settled.reconcile() == []


def test_labels_and_annotations_of_others_stay(settled: World) -> None:
    settled.edit_cron_job(lambda body: body["metadata"]["labels"].update(team="x"))
    settled.change(timeout="5m")
    settled.settle()
    assert settled.cron_job["metadata"]["labels"]["team"] == "x"


def test_a_cron_job_that_was_deleted_is_made_again(settled: World) -> None:
    settled.cluster.delete("CronJob", *KEY)
    assert verbs(settled.settle()) == ["apply", "event"]
    assert settled.cluster.events() == [("CronJobRecreated", "the CronJob was gone; it was created again")]
    assert settled.reconcile() == []


def test_a_cron_job_that_is_being_deleted_is_made_again_when_it_is_gone(settled: World) -> None:
    body = settled.cron_job
    metadata = {**body["metadata"], "deletionTimestamp": text(NOON)}
    settled.cluster.put("CronJob", {**body, "metadata": metadata})
    assert "apply" not in verbs(settled.settle())
    assert settled.due[KEY] <= after_noon(35), "it will look again soon"
    settled.cluster.delete("CronJob", *KEY)
    assert "apply" in verbs(settled.settle())
    assert "deletionTimestamp" not in settled.cron_job["metadata"]


def test_a_cron_job_left_over_from_an_earlier_scheduled_job_is_taken_over(settled: World) -> None:
    """kubectl delete --cascade=orphan keeps it, and with it the Jobs and their history."""
    uid = settled.cron_job["metadata"]["uid"]
    settled.edit_cron_job(
        lambda body: body["metadata"].update(ownerReferences=[]), manager="garbage-collector"
    )
    settled.cluster.delete("ScheduledJob", *KEY)
    settled.settle()
    settled.create(uid="successor")
    assert verbs(settled.settle()) == ["apply", "status"]
    assert settled.cron_job["metadata"]["uid"] == uid
    (owner,) = settled.cron_job["metadata"]["ownerReferences"]
    assert owner["uid"] == "successor"


# Somebody else's CronJob


FOREIGN = {
    "nobody's": [],
    "another controller's": bodies.owner("CronJobSet", name="theirs", uid="theirs"),
}


@pytest.mark.parametrize("owners", FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("labels", [{}, {"app.kubernetes.io/managed-by": "Helm"}], ids=["bare", "Helm's"])
def test_a_cron_job_of_somebody_else_is_left_as_it_is(world: World, owners: Any, labels: Any) -> None:
    foreign = world.cluster.put(
        "CronJob", bodies.cron_job(uid="theirs", labels=labels, ownerReferences=owners, annotations={})
    )
    world.create()
    assert verbs(world.settle()) == ["status", "event"]
    assert world.cron_job == foreign
    assert world.ready == ("False", "NameConflict")
    assert f"a CronJob named {NAME} exists already" in world.message
    assert "Rename the ScheduledJob" in world.message
    assert (world.status["scheduler"], "cronJobName" in world.status) == ("None", False)
    assert world.reconcile() == []


def test_a_cron_job_that_somebody_else_makes_at_the_same_moment_is_left_as_it_is(world: World) -> None:
    theirs = bodies.cron_job(uid="theirs", labels={}, ownerReferences=[], spec={"schedule": "@yearly"})
    fields = set(managed_fields.leaves(theirs))
    theirs["metadata"]["managedFields"] = [managed_fields.entry("helm", fields, operation="Update")]

    def rule(request: Request) -> None:
        if request.verb == "apply" and not world.has_cron_job:
            world.cluster.put("CronJob", theirs)

    world.cluster.rule = rule
    world.create()
    world.settle()
    assert [error.status for error in world.errors] == [409]
    assert world.cron_job["spec"]["schedule"] == "@yearly"
    assert world.ready == ("False", "NameConflict")


def test_when_the_foreign_cron_job_is_gone_ours_is_made(world: World) -> None:
    world.cluster.put("CronJob", bodies.cron_job(uid="theirs", labels={}, ownerReferences=[]))
    world.create()
    world.settle()
    world.cluster.delete("CronJob", *KEY)
    assert verbs(world.wait(60)) == ["apply", "status", "event"]
    assert world.ready == ("True", "Reconciled")


def test_jobs_of_a_foreign_cron_job_are_not_runs(world: World) -> None:
    world.cluster.put("CronJob", bodies.cron_job(uid="theirs", labels={}, ownerReferences=[]))
    world.cluster.put("Job", bodies.job(JOB, labels={}, status=GIVEN_UP))
    world.create()
    world.settle()
    assert world.runs() == []


def test_a_cron_job_that_took_the_place_of_ours_unseen_is_not_overwritten(settled: World) -> None:
    settled.change(timeout="1m")
    settled.deliver()
    foreign = bodies.cron_job(spec={"schedule": "0 0 1 1 *"}, uid="another")
    del foreign["metadata"]["labels"], foreign["metadata"]["ownerReferences"]
    settled.cluster.delete("CronJob", *KEY)
    settled.cluster.put("CronJob", foreign)
    with pytest.raises(ApiError):
        settled.reconcile()
    assert settled.cron_job["metadata"]["uid"] == "another"
    assert settled.cron_job["spec"]["schedule"] == "0 0 1 1 *"
    settled.settle()
    assert settled.ready == ("False", "NameConflict")
