"""One verdict a slot, never two Jobs for one: whatever happens to the operator, Kubernetes and the spec."""

from typing import Any

import pytest
from hypothesis import settings

from tests.unit.bodies import Body
from tests.unit.fake_cluster import UNREACHABLE
from tests.unit.life import ERRORS, RUNS_KEPT, Life, begun

TestLife = Life.TestCase
TestLife.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)


@pytest.mark.parametrize("seconds", [-2, -1, 0.2, 4])
def test_a_run_asked_for_around_a_slot_waits_for_the_one_of_the_slot(seconds: float) -> None:
    life = begun()
    life.go_near_a_slot(seconds, asks=True)
    life.pass_time(7)
    life.teardown()
    assert [made.trigger for made in life.chronicle.made.values()][:2] == ["Schedule", "Manual"]


@pytest.mark.parametrize("before", range(6))
@pytest.mark.parametrize("error", ERRORS, ids=str)
def test_an_edit_that_breaks_off_makes_no_slots_of_the_past(before: int, error: Any) -> None:
    life = begun(timing={"schedule": "*/15 * * * *"}, catch_up={"policy": "All", "window": "24h"})
    life.pass_time(13 * 60)
    life.reschedule({"schedule": "*/5 * * * *"}, [*[None] * before, error], dies=True)
    life.pass_time(30)
    assert life.world.job_names() == []
    life.teardown()


@pytest.mark.parametrize("after", range(6))
def test_what_the_operator_was_caught_at_is_finished_by_the_next_one(after: int) -> None:
    life = begun(exit_code=3, retry={"limit": 2, "backoff": {"initial": "30s"}})
    life.let_operator_die(after, UNREACHABLE)
    life.pass_time(700)
    life.start_operator()
    life.pass_time(100)
    life.teardown()
    assert not life.world.is_to_die
    assert max(made.attempt for made in life.chronicle.made.values()) > 1


@pytest.mark.parametrize("seconds", [None, 400, 100])
def test_what_was_replaced_while_the_operator_was_away_is_not_started_again(seconds: float | None) -> None:
    life = begun(
        policy={"concurrencyPolicy": "Replace"}, catch_up={"policy": "All", "window": "24h"}, seconds=seconds
    )
    life.pass_hours(1900, operator_is_up=False, native_is_up=True)
    life.pass_time(61)
    life.teardown()
    assert life.world.created() == []


@pytest.mark.parametrize(
    ("before", "edit"),
    [
        ({"policy": {"concurrencyPolicy": "Replace"}, "seconds": None}, {"concurrencyPolicy": "Allow"}),
        ({"kept": 1}, {"history": {"succeededJobs": 9, "failedJobs": 9, "runs": RUNS_KEPT}}),
    ],
    ids=["from Replace to Allow", "more Jobs are kept"],
)
def test_an_edit_while_the_operator_was_away_does_not_hide_which_jobs_are_gone(
    before: dict[str, Any], edit: Body
) -> None:
    life = begun(catch_up={"policy": "All", "window": "24h"}, lateness=1, **before)
    life.go_near_a_slot(12, asks=False)
    life.edit(edit)
    life.pass_hours(1900, operator_is_up=False, native_is_up=True)
    life.ask_for_a_run("Refuse")  # its status cannot be written before the watch has shown that
    life.pass_time(7)
    life.teardown()
    assert "CatchUp" not in {made.trigger for made in life.chronicle.made.values()}
