"""What the operator warns of before it happens."""

from tests.unit.firing.own_slots import world_with


def test_runs_that_may_pile_up_are_warned_of() -> None:
    world = world_with(schedule="* * * * * *", concurrencyPolicy="Allow", timeout="1m")
    warning = world.condition("OverlapGrows")
    assert (warning["status"], warning["reason"]) == ("True", "TimeoutBeyondInterval")
    assert warning["message"].startswith("a run starts every 1s beside those that still run")
    world.change(concurrencyPolicy="Forbid")
    world.settle()
    assert not world.condition("OverlapGrows")


def test_a_slot_that_the_clocks_skip_is_warned_of() -> None:
    world = world_with(schedule="30 2 * * *", timeZone="Europe/Berlin")
    assert "2027-03-28" in world.message
    assert "2027-10-31" in world.message
