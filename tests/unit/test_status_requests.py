"""A request that was refused stands in a condition, for as long as it is there."""

from tests.unit.moments import after_noon
from tests.unit.world import World


def asking(value: str) -> World:
    world = World()
    world.create()
    world.settle()
    world.annotate(backfill=value)
    world.settle()
    return world


def test_a_refusal_is_a_condition_that_says_why() -> None:
    world = asking('{"from": "2026-11-22T11:00:00Z"}')
    condition = world.condition("RequestRefused")
    assert (condition["status"], condition["reason"]) == ("True", "Refused")
    assert condition["message"].startswith("backfill: ")
    assert condition["message"].removeprefix("backfill: ") == world.status["requests"][0]["message"]


def test_the_condition_goes_with_the_request() -> None:
    world = asking("everything")
    world.now = after_noon(60)
    world.annotate(backfill=None)
    world.settle()
    assert world.condition("RequestRefused") == {}


def test_what_is_accepted_is_no_condition() -> None:
    world = asking('{"from": "2026-11-22T11:00:00Z", "to": "2026-11-22T11:20:00Z"}')
    assert world.status["requests"][0]["outcome"] == "Accepted"
    assert world.condition("RequestRefused") == {}
