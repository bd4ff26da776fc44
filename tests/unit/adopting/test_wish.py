"""A CronJob is taken over where its own annotation wishes it, and only there."""

import pytest

from tests.unit import bodies
from tests.unit.adopting.foreign import ADOPT, TEMPLATE, spec_from_scratch, with_wish, world_with
from tests.unit.bodies import NAME, NAMESPACE
from tests.unit.fake_cluster import Request
from tests.unit.world import KEY, World, verbs


def test_it_becomes_what_it_would_be_had_nobody_made_one_before() -> None:
    world = world_with()
    before = world.cron_job
    assert verbs(world.settle()) == ["reclaim", "apply", "status", "event"]
    after = world.cron_job
    assert after["spec"] == spec_from_scratch()
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["metadata"]["labels"] == {**bodies.LABELS, "team": "x"}
    (owner,) = after["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["controller"]) == ("ScheduledJob", True)
    assert after["status"] == before["status"]
    assert world.ready == ("True", "Reconciled")
    ((reason, note),) = world.cluster.events()
    assert reason == "CronJobAdopted"
    assert ADOPT in note


def test_the_wish_is_taken_away_when_it_is_fulfilled() -> None:
    world = world_with()
    world.settle()
    assert ADOPT in world.cron_job["metadata"]["annotations"]
    assert verbs(world.go_to(70)) == ["annotate"]
    assert ADOPT not in world.cron_job["metadata"]["annotations"]
    assert world.reconcile() == []
    world.restart()
    assert world.settle() == []


def test_a_conflict_says_what_to_do() -> None:
    world = world_with(wanted=False)
    before = world.cron_job
    world.settle()
    assert world.ready == ("False", "NameConflict")
    assert f"kubectl annotate cronjob {NAME} {ADOPT}=true" in world.message
    assert world.cron_job == before


def test_the_wish_counts_at_once() -> None:
    world = world_with(wanted=False)
    world.settle()
    world.cluster.put("CronJob", with_wish(world.cron_job))
    world.settle()
    assert world.ready == ("True", "Reconciled")


@pytest.mark.parametrize("value", ["false", "", "yes"])
def test_only_the_word_true_is_a_wish(value: str) -> None:
    world = world_with(wanted=False)
    before = world.cluster.put("CronJob", with_wish(world.cron_job, value))
    world.settle()
    assert world.ready == ("False", "NameConflict")
    assert world.cron_job == before


def test_what_another_controller_owns_is_never_taken() -> None:
    world = world_with(owners=bodies.owner("CronJobSet", name="theirs", uid="another"))
    before = world.cron_job
    world.settle()
    world.go_to(600)
    assert world.cron_job == before
    assert "controlled by CronJobSet theirs" in world.message
    assert "annotate" not in world.message, "it would be of no use"


def test_a_wish_on_the_scheduled_job_means_nothing() -> None:
    world = world_with(wanted=False)
    before = world.cron_job
    world.annotate(adopt="true")
    world.settle()
    assert world.cron_job == before


def test_a_wish_that_is_withdrawn_in_the_last_moment_counts_no_more() -> None:
    world = world_with()

    def rule(request: Request) -> None:
        if request.verb == "get" and ADOPT in world.cron_job["metadata"]["annotations"]:
            body = world.cron_job
            given = {key: text for key, text in body["metadata"]["annotations"].items() if key != ADOPT}
            world.cluster.put("CronJob", {**body, "metadata": {**body["metadata"], "annotations": given}})

    world.cluster.rule = rule
    world.settle()
    assert world.ready == ("False", "NameConflict")
    assert world.cron_job["spec"]["jobTemplate"] == TEMPLATE


def test_deleting_the_scheduled_job_alone_gives_it_back_as_it_is() -> None:
    world = world_with()
    world.go_to(70)
    world.cluster.edit(
        "CronJob", *KEY, lambda body: body["metadata"].update(ownerReferences=[]), manager="garbage-collector"
    )
    before = world.cron_job
    world.cluster.delete("ScheduledJob", *KEY)
    world.settle()
    world.wait(3600)
    assert world.cron_job == before
    assert ("CronJob", NAMESPACE, NAME) in world.cluster.objects


def test_a_wish_that_is_put_back_is_taken_away_again() -> None:
    world = world_with()
    world.go_to(70)
    for _ in range(3):
        world.cluster.put("CronJob", with_wish(world.cron_job))
        assert verbs(world.settle()) == ["annotate"]
    assert [reason for reason, _ in world.cluster.events()] == ["CronJobAdopted"]


def test_the_wish_on_a_cron_job_of_ours_is_taken_away_and_means_nothing() -> None:
    world = World()
    world.create()
    world.settle()
    world.cluster.put("CronJob", with_wish(world.cron_job))
    assert verbs(world.settle()) == ["annotate"]
    assert world.reconcile() == []
    assert not [request for request in world.cluster.requests if request.verb == "list"]
