"""Attempts whose Job is refused, and operators that die between them."""

from typing import Any

import pytest

from scheduledjob_operator.cluster import ApiError
from tests.unit.bodies import NAMESPACE
from tests.unit.fake_cluster import LOST, OVERLOADED, UNREACHABLE, refused
from tests.unit.moments import after_noon, text
from tests.unit.retried import RETRY, RUN, SECOND, THIRD, failed_once, world_with
from tests.unit.world import KEY, World, verbs


def test_an_attempt_whose_job_is_refused_waits_and_is_tried_again() -> None:
    world = failed_once()
    quota = refused(403, 'jobs.batch "x" is forbidden: exceeded quota: few, requested: 1, used: 1')
    world.cluster.rule = lambda request: quota if request.verb == "create" else None
    world.go_to(350)
    assert world.pending() == [(RUN, "Backoff", text(after_noon(340)))]
    world.cluster.rule = lambda _: None
    world.go_to(370)
    assert world.created() == [SECOND]
    assert world.active() == [RUN]


def test_one_that_is_refused_for_too_long_fails_with_the_reason() -> None:
    world = failed_once(pendingTimeout="1m")
    quota = refused(403, 'jobs.batch "x" is forbidden: exceeded quota: few, requested: 1, used: 1')
    world.cluster.rule = lambda request: quota if request.verb == "create" else None
    world.go_to(420)
    assert world.runs() == [(RUN, "Failed")]
    assert world.status["lastRun"]["reason"] == "QuotaExceeded"
    assert "exceeded quota: few" in world.status["lastRun"]["message"]
    assert world.pending() == []


def test_a_job_of_that_name_that_is_not_ours_is_left_alone() -> None:
    world = failed_once(pendingTimeout="1m")
    world.put_job(SECOND, labels={}, annotations={})
    body = world.job(SECOND)
    foreign = {
        **body["metadata"],
        "ownerReferences": [{**body["metadata"]["ownerReferences"][0], "uid": "x"}],
    }
    world.cluster.objects["Job", NAMESPACE, SECOND] = {**body, "metadata": foreign}
    world.go_to(420)
    assert world.runs() == [(RUN, "Failed")]
    assert world.status["lastRun"]["reason"] == "NameConflict"
    assert [write.verb for write in world.cluster.writes if write.name == SECOND] == []


@pytest.mark.parametrize("outcome", [LOST, OVERLOADED, UNREACHABLE], ids=["lost answer", "500", "no answer"])
@pytest.mark.parametrize("restarted", [False, True], ids=["", "and restarted"])
def test_a_creation_that_broke_off_makes_one_job(outcome: Any, restarted: bool) -> None:
    world = failed_once()
    world.go_to(339)
    answers = iter([outcome])

    def once(request: Any) -> ApiError | None:
        if request.verb == "create" and (answer := next(answers, None)):
            if answer == LOST:
                world.cluster.outcomes.append(LOST)
                return None
            return answer  # type: ignore[no-any-return]
        return None

    world.cluster.rule = once
    world.now = after_noon(340)
    world.deliver()
    with pytest.raises(ApiError):
        world.reconcile()
    if restarted:
        world.restart()
    world.settle()
    assert world.job_names() == [RUN, SECOND]
    assert world.active() == [RUN]
    world.go_to(345)
    world.finish(SECOND)
    world.settle()
    assert world.runs() == [(RUN, "Succeeded")]
    assert world.created() == [SECOND]


def whole_story(world: World, *, until: float = 420) -> None:
    """Fails, fails again, succeeds at the third attempt."""
    world.go_to(300)
    world.start_slot(300)
    for seconds, name, exit_code in ((310, RUN, 1), (345, SECOND, 1), (410, THIRD, 0)):
        world.go_to(seconds)
        world.finish(name, exit_code)
    world.go_to(until)


def told(world: World) -> tuple[Any, ...]:
    status = {key: value for key, value in world.status.items() if key != "pending"}
    return status, world.job_names(), world.pending(), world.told_active()


REFERENCE = world_with(retry=RETRY)
STEPS_BEFORE = len(REFERENCE.cluster.requests)
whole_story(REFERENCE)
STEPS = len(REFERENCE.cluster.requests) - STEPS_BEFORE


@pytest.mark.parametrize("outcome", [LOST, UNREACHABLE], ids=["after", "before"])
@pytest.mark.parametrize("step", range(STEPS))
def test_an_operator_that_dies_at_any_request_is_continued_by_the_next(step: int, outcome: Any) -> None:
    world = world_with(retry=RETRY)
    world.cluster.outcomes.extend([None] * step + [outcome])
    world.dies_of_errors = True
    whole_story(world)
    assert world.created() == [SECOND, THIRD]
    assert told(world) == told(REFERENCE)


@pytest.mark.parametrize("seconds", [305, 311, 339, 341, 346, 404, 406, 411])
def test_an_operator_that_is_started_anew_at_any_time_goes_on(seconds: float) -> None:
    world = world_with(retry=RETRY)
    world.go_to(300)
    world.start_slot(300)
    moments = [(310, RUN, 1), (345, SECOND, 1), (410, THIRD, 0)]
    for at, name, exit_code in moments:
        if world.now <= after_noon(seconds) <= after_noon(at):
            world.go_to(seconds)
            world.restart()
            world.settle()
        world.go_to(at)
        world.finish(name, exit_code)
    world.go_to(420)
    assert told(world) == told(REFERENCE)


def test_an_attempt_that_fell_due_while_the_operator_was_away_is_made_when_it_is_back() -> None:
    world = failed_once(schedule="5 12 * * *")
    world.now = after_noon(2000)
    world.restart()
    assert "create" in verbs(world.settle())
    assert world.created() == [SECOND]
    assert world.active() == [RUN]
    assert KEY in world.due
