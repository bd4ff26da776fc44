"""A take-over that breaks off in the middle is finished, told once and forgotten."""

import copy
from typing import Any

import pytest

from scheduledjob_operator.cluster import ApiError
from tests.unit.adopting.foreign import ADOPT, spec_from_scratch, world_with
from tests.unit.fake_cluster import LOST, OVERLOADED, refused
from tests.unit.world import KEY

STEPS = ["get", "dry run", "rehearse", "reclaim", "apply", "list", "status"]


@pytest.mark.parametrize("step", range(len(STEPS)), ids=STEPS)
@pytest.mark.parametrize(
    "outcome",
    [refused(409, "the object has been modified"), OVERLOADED, LOST],
    ids=["conflict", "500", "lost"],
)
@pytest.mark.parametrize("restarted", [False, True], ids=["", "and restarted"])
def test_it_is_done_though_it_broke_off_in_the_middle(step: int, outcome: Any, restarted: bool) -> None:
    world = world_with()
    world.deliver()
    world.cluster.outcomes.extend([None] * step + [outcome])
    with pytest.raises(ApiError):
        world.reconcile()
    if restarted:
        world.restart()
    world.settle()
    assert world.cron_job["spec"] == spec_from_scratch()
    assert world.status["unstarted"] == [], "the slots of before were somebody else's"
    if not restarted and STEPS[step] not in ("list", "status"):
        assert [reason for reason, _ in world.cluster.events()] == ["CronJobAdopted"]
    world.go_to(70)
    assert world.reconcile() == []


def test_what_another_replica_has_finished_and_told_is_not_told_again() -> None:
    world = world_with()
    world.deliver()
    world.cluster.outcomes.extend([None] * STEPS.index("apply") + [OVERLOADED])
    with pytest.raises(ApiError):
        world.reconcile()
    began = world.reconciler
    world.restart()
    world.settle()
    world.go_to(100)
    assert [reason for reason, _ in world.cluster.events()] == ["CronJobAdopted"]
    # It leads again, with what it remembers, and has seen what the other one did.
    cron_jobs = began._cron_jobs
    cron_jobs._store = cron_jobs._adoption._store = world.store
    world.reconciler._cron_jobs = cron_jobs
    world.reconciler.lost_sight()
    world.controller.queue.add(KEY)
    world.settle()
    assert [reason for reason, _ in world.cluster.events()] == ["CronJobAdopted"]


@pytest.mark.parametrize("how", ["the ScheduledJob goes", "the wish is withdrawn", "it is finished"])
def test_nothing_is_remembered_of_a_take_over_that_is_over(how: str) -> None:
    world = world_with()
    world.settle()
    remembered = world.reconciler._cron_jobs._adoption._listed
    assert remembered == {KEY: "theirs"}
    if how == "the ScheduledJob goes":
        world.cluster.delete("ScheduledJob", *KEY)
    elif how == "the wish is withdrawn":
        body = copy.deepcopy(world.cron_job)
        del body["metadata"]["annotations"][ADOPT]
        world.cluster.put("CronJob", body)
    else:
        world.go_to(70)
    world.settle()
    assert remembered == {}
