"""The schedule held back by its own failures, and how it comes back."""

import pytest

from scheduledjob_operator.job_names import slot_job
from tests.unit.bodies import NAME, NAMESPACE
from tests.unit.moments import after_noon, text
from tests.unit.paused import PAUSE, PAUSED_AT, PROBED_AT, fail, pause_of, paused, probe_of, world_with
from tests.unit.world import verbs


def test_the_schedule_pauses_after_so_many_failures_in_a_row() -> None:
    world = world_with(**PAUSE)
    fail(world, 300)
    assert (world.cron_job["spec"]["suspend"], world.condition("Paused")) == (False, {})
    fail(world, 600)
    assert world.cron_job["spec"]["suspend"] is True
    assert pause_of(world) == ("True", "ConsecutiveFailures")
    assert (world.status["suspended"], world.status["scheduler"]) == ("Paused", "None")
    assert world.status["nextRunTimes"] == []
    assert world.ready == ("True", "Reconciled"), "the spec is accepted all the same"
    assert world.cluster.events()[-1][0] == "Paused"


def test_a_success_between_two_failures_keeps_it_going() -> None:
    world = world_with(**PAUSE)
    fail(world, 300)
    world.go_to(600)
    world.finish(world.start_slot(600))
    fail(world, 900)
    assert world.cron_job["spec"]["suspend"] is False


def test_attempts_of_one_run_are_not_failures_in_a_row() -> None:
    world = world_with(**PAUSE, retry={"limit": 5, "backoff": {"initial": "10s", "factor": 1}})
    world.go_to(300)
    name = world.start_slot(300)
    for number in range(4):
        world.go_to(305 + 15 * number)
        world.finish(world.job_names()[-1], 1)
    world.go_to(370)
    assert world.active() == [name]
    assert world.cron_job["spec"]["suspend"] is False


def test_the_slots_of_a_pause_are_skipped() -> None:
    world = paused()
    world.go_to(1700)
    assert world.status["counts"]["skipped"] == 0, "that alone is worth no write"
    world.go_to(PROBED_AT)
    assert world.unstarted() == [("Skipped", "Paused", 6)]
    assert world.status["counts"]["missed"] == 0


def test_one_run_is_tried_after_the_cool_down() -> None:
    world = paused()
    assert world.pending() == [(probe_of(PROBED_AT), "CoolDown", text(after_noon(PROBED_AT)))]
    world.go_to(PROBED_AT - 1)
    assert world.created() == []
    world.go_to(PROBED_AT)
    assert world.created() == [probe_of(PROBED_AT)]
    (run,) = world.status["active"]
    assert (run["trigger"], run.get("slot")) == ("Probe", None)
    assert world.job(probe_of(PROBED_AT))["metadata"]["annotations"]["scheduledjob.dev/trigger"] == "Probe"
    world.go_to(PROBED_AT + 3600)
    assert len(world.created()) == 1, "one at a time"


def test_when_it_succeeds_the_schedule_resumes_and_starts_no_slot_of_the_past() -> None:
    world = paused()
    world.go_to(PROBED_AT + 5)  # five seconds after a slot
    world.finish(probe_of(PROBED_AT))
    writes = [verb for verb in verbs(world.settle()) if verb != "event"]
    assert writes[:3] == ["fence", "apply", "status"]
    assert world.cron_job["spec"]["suspend"] is False
    assert world.would_start() is None
    assert pause_of(world) == ("False", "Resumed")
    assert world.status["consecutiveFailures"] == 0
    assert "suspended" not in world.status
    assert "Resumed" in [reason for reason, _ in world.cluster.events()]


def test_a_slot_after_the_pause_is_a_slot_like_any_other() -> None:
    world = paused()
    world.go_to(PROBED_AT + 5)
    world.finish(probe_of(PROBED_AT))
    world.go_to(2700)
    name = world.start_slot(2700)
    world.go_to(2720)
    world.finish(name)
    world.settle()
    assert world.runs()[-1] == (slot_job(NAME, after_noon(2700)), "Succeeded")
    assert world.unstarted() == [("Skipped", "Paused", 6)]


def test_when_it_fails_another_is_tried_after_another_cool_down() -> None:
    world = paused()
    world.go_to(PROBED_AT + 5)
    world.finish(probe_of(PROBED_AT), 1)
    world.settle()
    assert pause_of(world) == ("True", "ConsecutiveFailures")
    again = PROBED_AT + 5 + 1800
    assert world.pending() == [(probe_of(again), "CoolDown", text(after_noon(again)))]
    world.go_to(again)
    assert world.created() == [probe_of(PROBED_AT), probe_of(again)]


def test_a_run_that_is_tried_is_tried_once_and_leaves_no_dead_letter() -> None:
    world = paused(retry={"limit": 3, "backoff": {"initial": "1s"}, "neverOnExitCodes": [1]})
    letters = len(world.status["deadLetters"])
    world.go_to(PROBED_AT + 5)
    world.finish(probe_of(PROBED_AT), 3)
    world.go_to(PROBED_AT + 600)
    assert world.created() == [probe_of(PROBED_AT)]
    assert len(world.status["deadLetters"]) == letters


@pytest.mark.parametrize("how", ["deleted", "cancelled", "gone while the operator was away"])
def test_when_it_is_called_off_another_is_tried_all_the_same(how: str) -> None:
    """A schedule that nothing tries again would be paused for ever."""
    world = paused()
    world.go_to(PROBED_AT + 5)
    name = probe_of(PROBED_AT)
    if how == "cancelled":
        world.run_pod(name)
        world.annotate(cancel=name)
        world.settle()
        world.obey_deadlines()
    else:
        world.cluster.delete("Job", NAMESPACE, name)
    if how == "gone while the operator was away":
        world.restart()
    world.settle()
    assert world.active() == []
    world.go_to(PROBED_AT + 2 * 3600)
    assert len(world.created()) > 1


def test_a_pause_survives_a_restart_with_its_time() -> None:
    world = paused()
    before = world.status
    world.now = after_noon(PAUSED_AT + 600)
    world.restart()
    assert world.settle() == []
    assert world.status == before
    world.go_to(PROBED_AT)
    assert world.created() == [probe_of(PROBED_AT)]


def test_a_cool_down_that_ended_while_the_operator_was_away_is_over_when_it_is_back() -> None:
    world = paused()
    world.now = after_noon(PROBED_AT + 5000)
    world.restart()
    world.settle()
    assert world.created() == [probe_of(PROBED_AT)]


def test_a_person_may_run_it_meanwhile_and_a_success_ends_the_pause() -> None:
    world = paused()
    world.go_to(700)
    world.annotate(run="fixed")
    world.settle()
    (name,) = world.created()
    world.finish(name)
    world.settle()
    assert pause_of(world) == ("False", "Resumed")
    assert world.pending() == [], "nothing is left to try"
    world.go_to(PROBED_AT + 100)
    assert world.created() == [name]


def test_a_pause_that_is_taken_from_the_spec_ends() -> None:
    world = paused()
    world.go_to(700)
    world.change(pauseAfter=None)
    world.settle()
    assert world.cron_job["spec"]["suspend"] is False
    assert world.would_start() is None
    assert (world.pending(), pause_of(world)) == ([], ("False", "Resumed"))


def test_a_paused_schedule_that_is_edited_stays_paused() -> None:
    world = paused()
    world.go_to(700)
    world.change(timeout="5m")
    world.settle()
    assert world.cron_job["spec"]["suspend"] is True
    assert world.status["observedGeneration"] == 2


def test_a_suspension_that_somebody_lifts_by_hand_is_put_back() -> None:
    world = paused()
    world.go_to(700)
    world.edit_cron_job(lambda body: body["spec"].update(suspend=False))
    world.settle()
    assert world.cron_job["spec"]["suspend"] is True
