"""A schedule goes from Kubernetes to the operator and back."""

from datetime import timedelta

from scheduledjob_operator.job_names import slot_job
from tests.unit.bodies import NAME
from tests.unit.firing.own_slots import job_of, run, world_with
from tests.unit.moments import after_noon


def test_a_schedule_that_becomes_ours_and_kubernetes_again_keeps_its_past() -> None:
    world = world_with(schedule="*/5 * * * *")
    world.go_to(300)
    world.finish(world.start_slot(300))
    world.go_to(310)
    world.change(schedule="30 */5 * * * *")
    world.settle()
    assert world.cron_job["spec"]["suspend"]
    run(world, 330)
    world.change(schedule="*/5 * * * *")
    world.settle()
    assert not world.cron_job["spec"]["suspend"]
    assert world.would_start() is None
    assert [name for name, _ in world.runs()] == [slot_job(NAME, after_noon(300)), job_of(330)]
    assert world.unstarted() == []


def test_a_queue_makes_a_native_schedule_ours_and_without_it_no_old_slot_is_started() -> None:
    world = world_with(schedule="*/5 * * * *", concurrencyPolicy="Queue")
    assert world.status["scheduler"] == "Operator"
    run(world, 300)
    world.change(concurrencyPolicy="Forbid")
    world.settle()
    assert world.status["scheduler"] == "CronJob"
    assert world.would_start() is None


def test_kubernetes_is_kept_from_a_queued_slot_also_when_the_clocks_went_back() -> None:
    world = world_with(schedule="*/5 * * * *", concurrencyPolicy="Queue")
    world.go_to(300)
    world.go_to(605)
    assert [entry[0] for entry in world.pending()] == [job_of(600)]
    world.now -= timedelta(seconds=90)
    world.change(concurrencyPolicy="Forbid")
    world.settle()
    world.now += timedelta(seconds=100)
    assert world.would_start() is None
