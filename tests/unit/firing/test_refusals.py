"""Slots whose Job the API server refuses."""

from tests.unit import bodies
from tests.unit.bodies import NAMESPACE
from tests.unit.fake_cluster import refused
from tests.unit.firing.own_slots import job_of, world_with
from tests.unit.moments import after_noon, text
from tests.unit.world import World

NO_ROOM = refused(403, 'jobs.batch "x" is forbidden: exceeded quota: few, requested: 1, used: 1')


def refuse_jobs(world: World) -> None:
    world.cluster.rule = lambda request: NO_ROOM if request.verb == "create" else None


def test_a_refused_slot_waits_and_is_tried_again() -> None:
    world = world_with(every="7m", startsAt=text(after_noon(100)))
    refuse_jobs(world)
    world.go_to(101)
    assert world.pending() == [(job_of(100), "Queued", text(after_noon(100)))]
    assert "exceeded quota" in world.status["pending"][0]["message"]
    world.cluster.rule = lambda _request: None
    world.go_to(140)
    assert world.pending() == []
    assert world.active() == [job_of(100)]


def test_a_refused_slot_ends_as_failed_when_its_patience_is_over() -> None:
    world = world_with(every="7m", startsAt=text(after_noon(100)), pendingTimeout="1m")
    refuse_jobs(world)
    world.go_to(200)
    (ended,) = world.status["recentRuns"]
    assert (ended["result"], ended["reason"]) == ("Failed", "QuotaExceeded")
    assert "exceeded quota" in ended["message"]


def test_a_foreign_job_of_the_name_is_left_alone_and_said() -> None:
    world = world_with(every="7m", startsAt=text(after_noon(100)), pendingTimeout="10s")
    foreign = world.cluster.put("Job", bodies.job(job_of(100), labels={}, ownerReferences=[]))
    world.go_to(140)
    (ended,) = world.status["recentRuns"]
    assert (ended["result"], ended["reason"]) == ("Failed", "NameConflict")
    assert world.cluster.objects["Job", NAMESPACE, job_of(100)] == foreign
