"""Dead letters that are to be retried or cleared."""

from tests.unit.moments import after_noon, text
from tests.unit.requested import ask, world_with
from tests.unit.world import World


def dead_letter(world: World, *, exit_code: int = 1) -> str:
    """The run of the first slot fails for good; its id."""
    world.go_to(300)
    name = world.start_slot(300)
    world.go_to(310)
    world.finish(name, exit_code)
    world.settle()
    return name


def test_a_retry_that_succeeds_takes_its_dead_letter_away() -> None:
    world = world_with(retry={"limit": 1, "backoff": {"initial": "1s"}})
    letter = dead_letter(world, exit_code=65)
    assert [entry["id"] for entry in world.status["deadLetters"]] == [letter]
    ask(world, retry={"run": letter, "requestedBy": "bob"})
    (name,) = world.created()
    annotations = world.job(name)["metadata"]["annotations"]
    assert annotations["scheduledjob.dev/retry-of"] == letter
    assert annotations["scheduledjob.dev/slot"] == text(after_noon(300))
    world.go_to(330)
    world.finish(name)
    world.settle()
    assert world.status["deadLetters"] == []
    assert world.runs() == [(letter, "Failed"), (name, "Succeeded")]


def test_a_retry_that_fails_leaves_its_dead_letter_with_one_attempt_more() -> None:
    world = world_with(retry={"limit": 1, "backoff": {"initial": "1s"}})
    letter = dead_letter(world, exit_code=65)
    ask(world, retry="all")
    world.finish(world.created()[-1], 65)
    world.settle()
    (entry,) = world.status["deadLetters"]
    assert (entry["id"], entry["run"], entry["attempts"]) == (letter, world.created()[-1], 2)
    told = [reason for reason, _ in world.cluster.events()]
    assert told.count("DeadLetter") == 1, "it is the same letter"


def test_a_cleared_dead_letter_is_forgotten_without_a_run() -> None:
    world = world_with(retry={"limit": 1, "backoff": {"initial": "1s"}})
    letter = dead_letter(world, exit_code=65)
    ask(world, clear=letter)
    assert (world.status["deadLetters"], world.created()) == ([], [])
    assert world.status["deadLettersDropped"] == 0
    world.restart()
    assert world.settle() == []
