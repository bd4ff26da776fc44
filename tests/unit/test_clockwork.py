"""The operator's own clock: never early, one shot for each ScheduledJob, and every namespace has its turn."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from scheduledjob_operator.clockwork import LONGEST_SLEEP, Clockwork, Shot
from scheduledjob_operator.store import Key
from tests.unit.moments import NOON, after_noon
from tests.unit.virtual_time import Process, Time

CROWD = 10_000
KEYS = [Key(namespace, name) for namespace in ("bank", "shop") for name in ("a", "b", "c")]
A_KEY, ANOTHER = KEYS[0], KEYS[1]
SECONDS = st.integers(0, 20)


def shot(key: Key, seconds: float, *, proof: int = 1) -> Shot:
    return Shot(key, after_noon(seconds), proof)


def free(_: Key) -> bool:
    return True


def held(_: Key) -> bool:
    return False


class Hand:
    """A clockwork, and the clock that it goes by."""

    def __init__(self) -> None:
        self.now = NOON
        self.clockwork = Clockwork(clock=lambda: self.now)

    def take_all(self) -> list[Shot]:
        found = []
        while taken := self.clockwork.take(hold=free):
            found.append(taken)
        return found


class Ticking(RuleBasedStateMachine):
    """A clockwork beside the simplest thing that could do the same."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.clockwork = Clockwork(clock=lambda: self.now)
        self.armed: dict[Key, Shot] = {}
        self.held: set[Key] = set()

    @rule(key=st.sampled_from(KEYS), seconds=SECONDS, proof=st.integers(1, 2))
    def arm(self, key: Key, seconds: int, proof: int) -> None:
        self.armed[key] = shot(key, seconds, proof=proof)
        self.clockwork.arm(self.armed[key])

    @rule(key=st.sampled_from(KEYS))
    def disarm(self, key: Key) -> None:
        self.armed.pop(key, None)
        self.clockwork.disarm(key)

    @rule()
    def clear(self) -> None:
        self.armed.clear()
        self.clockwork.clear()

    @rule(key=st.sampled_from(KEYS))
    def hold(self, key: Key) -> None:
        self.held.add(key)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def free(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.held)))
        self.held.remove(key)
        self.clockwork.offer(key)

    @rule(seconds=st.sampled_from([-3, 1, 2, 7]))
    def pass_time(self, seconds: int) -> None:
        """Or somebody sets the clock back."""
        self.now += timedelta(seconds=seconds)

    @rule()
    def take(self) -> None:
        taken = self.clockwork.take(hold=lambda key: key not in self.held)
        if taken is None:
            ready = [key for key, shot in self.armed.items() if shot.slot <= self.now]
            assert set(ready) <= self.held, "what is due and free is taken"
        else:
            assert self.armed.pop(taken.key) == taken
            assert taken.key not in self.held

    @precondition(lambda self: not self.held)
    @rule()
    def take_all(self) -> None:
        while self.clockwork.take(hold=free):
            pass
        self.armed = {key: shot for key, shot in self.armed.items() if shot.slot > self.now}
        assert self.clockwork.next_due == min((shot.slot for shot in self.armed.values()), default=None)


TestTicking = Ticking.TestCase
TestTicking.settings = settings(max_examples=50, stateful_step_count=30)


@given(st.lists(st.tuples(st.sampled_from(KEYS), SECONDS)), st.lists(SECONDS))
def test_no_shot_is_early_and_of_each_key_only_the_last_one_is_left(
    shots: list[tuple[Key, int]], moments: list[int]
) -> None:
    hand = Hand()
    for key, seconds in shots:
        hand.clockwork.arm(shot(key, seconds))
    taken = []
    for seconds in [*sorted(moments), 20]:
        hand.now = after_noon(seconds)
        found = hand.take_all()
        assert all(entry.slot <= hand.now for entry in found)
        taken += found
    assert sorted(taken) == sorted(shot(key, seconds) for key, seconds in dict(shots).items())


def test_a_crowd_of_one_namespace_does_not_keep_another_one_waiting() -> None:
    hand = Hand()
    for number in range(CROWD):
        hand.clockwork.arm(shot(Key("crowd", f"job-{number}"), 0))
    for _ in range(100):
        assert hand.clockwork.take(hold=free)
    hand.now = after_noon(1)
    hand.clockwork.arm(shot(A_KEY, 1))
    following = [hand.clockwork.take(hold=free) for _ in range(2)]
    assert A_KEY in [entry.key for entry in following if entry]
    assert len(hand.take_all()) == CROWD - 101


@given(st.lists(st.integers(1, 30), min_size=2, max_size=5))
def test_namespaces_are_served_in_turn(sizes: list[int]) -> None:
    hand = Hand()
    for place, size in enumerate(sizes):
        for number in range(size):
            hand.clockwork.arm(shot(Key(f"n{place}", f"job-{number}"), 0))
    served = dict.fromkeys(range(len(sizes)), 0)
    for entry in hand.take_all():
        served[int(entry.key.namespace[1:])] += 1
        waiting = [count for place, count in served.items() if count < sizes[place]]
        assert max(served.values()) - min(waiting, default=max(served.values())) <= 1
    assert list(served.values()) == sizes


def test_within_a_namespace_the_oldest_slot_comes_first() -> None:
    hand = Hand()
    for seconds, key in zip((3, 1, 2), KEYS, strict=False):
        hand.clockwork.arm(shot(key, seconds))
    hand.now = after_noon(5)
    assert [entry.slot for entry in hand.take_all()] == [after_noon(seconds) for seconds in (1, 2, 3)]


def test_what_waits_for_a_key_that_is_held_is_offered_again() -> None:
    hand = Hand()
    hand.clockwork.arm(shot(A_KEY, 0))
    assert hand.clockwork.take(hold=held) is None
    assert hand.clockwork.take(hold=free) is None, "not before the key is free"
    hand.clockwork.offer(A_KEY)
    assert hand.clockwork.take(hold=free) == shot(A_KEY, 0)


@pytest.mark.parametrize("again", [0, 5], ids=["the same shot", "a later one"])
def test_what_is_armed_while_its_key_is_held_is_fired_once(again: int) -> None:
    hand = Hand()
    hand.clockwork.arm(shot(A_KEY, 0))
    assert hand.clockwork.take(hold=held) is None
    hand.clockwork.arm(shot(A_KEY, again))
    hand.clockwork.offer(A_KEY)
    hand.now = after_noon(5)
    assert hand.take_all() == [shot(A_KEY, again)]


# Waiting


class Morning:
    """A clockwork in virtual time, and the shots that a worker took from it, with the seconds after noon."""

    def __init__(self, *, works: bool = True) -> None:
        self.time = Time()
        self.process = Process(self.time)
        self.held: set[Key] = set()
        self.fired: list[tuple[Shot, float]] = []
        self.rested: list[float] = []
        self.clockwork = Clockwork(clock=lambda: after_noon(self.process.clock()))
        if works:
            self.process.start(self._work())

    async def _work(self) -> None:
        while True:
            taken = await self.clockwork.next(hold=lambda key: key not in self.held)
            self.fired.append((taken, round(self.process.clock(), 3)))

    async def rest(self, seconds: float) -> None:
        """Until no slot is due."""
        await self.clockwork.idle(seconds=seconds)
        self.rested.append(round(self.process.clock(), 3))

    def do(self, deed: Callable[[], object]) -> None:
        self.process.loop.call_soon(deed)


def test_a_worker_wakes_up_when_a_slot_comes() -> None:
    morning = Morning()
    morning.do(lambda: morning.clockwork.arm(shot(A_KEY, 2 * LONGEST_SLEEP + 1)))
    morning.time.pass_(100)
    assert morning.fired == [(shot(A_KEY, 2 * LONGEST_SLEEP + 1), 2 * LONGEST_SLEEP + 1)]
    morning.time.close()


def test_a_worker_that_waits_for_a_slot_turns_to_an_earlier_one() -> None:
    morning = Morning()
    morning.do(lambda: morning.clockwork.arm(shot(A_KEY, 4)))
    morning.time.pass_(1)
    morning.do(lambda: morning.clockwork.arm(shot(ANOTHER, 2)))
    morning.time.pass_(10)
    assert [seconds for _, seconds in morning.fired] == [2, 4]
    morning.time.close()


def test_a_worker_turns_to_a_key_as_soon_as_it_is_free() -> None:
    morning = Morning()
    morning.held.add(A_KEY)
    morning.do(lambda: morning.clockwork.arm(shot(A_KEY, 1)))
    morning.time.pass_(3)
    assert morning.fired == []
    morning.held.clear()
    morning.do(lambda: morning.clockwork.offer(A_KEY))
    morning.time.pass_(1)
    assert morning.fired == [(shot(A_KEY, 1), 3)]
    morning.time.close()


@pytest.mark.parametrize(
    ("left", "rested_at"), [(0, 0), (1, 5)], ids=["nothing is due", "for so long at most"]
)
def test_whoever_waits_for_rest_waits_while_slots_are_due(left: int, rested_at: float) -> None:
    morning = Morning(works=False)
    for key in KEYS[: left + 1]:
        morning.clockwork.arm(shot(key, 0))
    assert morning.clockwork.take(hold=free)
    morning.process.start(morning.rest(5))
    morning.time.pass_(10)
    assert morning.rested == [rested_at]
    morning.time.close()


def test_whoever_waits_for_rest_goes_on_when_the_last_slot_has_been_taken() -> None:
    morning = Morning(works=False)
    for key in KEYS[:2]:
        morning.clockwork.arm(shot(key, 0))
    assert morning.clockwork.take(hold=free)
    morning.process.start(morning.rest(5))
    morning.time.pass_(2)
    morning.do(lambda: morning.clockwork.take(hold=free))
    morning.time.pass_(10)
    assert morning.rested == [2]
    morning.time.close()
