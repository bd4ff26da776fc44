"""The queue of keys: each once, never twice at the same time, at the right time. The clock is the test's."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduledjob_operator.work_queue import FIRST_BACKOFF, LONGEST_BACKOFF, WorkQueue


class Clock:
    """Seconds, as the test says."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


Scenario = Callable[[WorkQueue[str], Clock], Coroutine[Any, Any, None]]


def play(scenario: Scenario) -> None:
    async def main() -> None:
        clock = Clock()
        async with asyncio.timeout(20):
            await scenario(WorkQueue(clock=clock), clock)

    asyncio.run(main())


async def nothing_comes(queue: WorkQueue[str]) -> bool:
    """Whether whoever asks now has to wait."""
    asking = asyncio.create_task(queue.get())
    for _ in range(5):
        await asyncio.sleep(0)
    asking.cancel()
    return not asking.done()


def test_keys_come_in_the_order_in_which_they_were_added() -> None:
    async def scenario(queue: WorkQueue[str], _: Clock) -> None:
        for key in "abc":
            queue.add(key)
        assert [await queue.get() for _ in range(3)] == ["a", "b", "c"]

    play(scenario)


def test_a_key_that_is_waiting_is_not_added_again() -> None:
    async def scenario(queue: WorkQueue[str], _: Clock) -> None:
        queue.add("a")
        queue.add("a")
        assert len(queue) == 1
        await queue.get()
        assert len(queue) == 0

    play(scenario)


def test_a_key_that_is_worked_on_comes_again_only_when_that_is_done() -> None:
    async def scenario(queue: WorkQueue[str], _: Clock) -> None:
        queue.add("a")
        key = await queue.get()
        queue.add("a")
        queue.add("a")
        assert await nothing_comes(queue)
        queue.done(key)
        assert await queue.get() == "a"
        queue.done("a")
        assert await nothing_comes(queue), "once, however often it was added"

    play(scenario)


def test_a_key_that_is_worked_on_does_not_stop_the_others() -> None:
    async def scenario(queue: WorkQueue[str], _: Clock) -> None:
        queue.add("a")
        await queue.get()
        queue.add("b")
        assert await queue.get() == "b"

    play(scenario)


def test_whoever_waits_is_woken() -> None:
    async def scenario(queue: WorkQueue[str], _: Clock) -> None:
        asking = [asyncio.create_task(queue.get()) for _ in range(3)]
        await asyncio.sleep(0)
        for key in "abc":
            queue.add(key)
        assert sorted(await asyncio.gather(*asking)) == ["a", "b", "c"]

    play(scenario)


def test_a_key_comes_when_it_is_due() -> None:
    async def scenario(queue: WorkQueue[str], clock: Clock) -> None:
        queue.add_at("late", 20.0)
        queue.add_at("early", 10.0)
        clock.now = 9.9
        assert await nothing_comes(queue)
        clock.now = 20.0
        assert [await queue.get(), await queue.get()] == ["early", "late"]

    play(scenario)


def test_whoever_waits_for_a_later_key_is_woken_by_an_earlier_one() -> None:
    async def scenario(queue: WorkQueue[str], clock: Clock) -> None:
        queue.add_at("late", 1000.0)
        asking = asyncio.create_task(queue.get())
        await asyncio.sleep(0)
        clock.now = 1.0
        queue.add_at("now", 0.5)
        assert await asking == "now"

    play(scenario)


@pytest.mark.parametrize(
    "wishes", [(10.0, 20.0), (20.0, 10.0), (10.0, 10.0)], ids=["later", "earlier", "same"]
)
def test_of_two_wishes_of_one_key_the_earlier_stands(wishes: tuple[float, float]) -> None:
    async def scenario(queue: WorkQueue[str], clock: Clock) -> None:
        for due in wishes:
            queue.add_at("a", due)
        clock.now = 10.0
        queue.done(await queue.get())
        clock.now = 30.0
        assert await nothing_comes(queue), "and the later one is forgotten"

    play(scenario)


def test_a_key_may_be_due_again_after_it_came() -> None:
    async def scenario(queue: WorkQueue[str], clock: Clock) -> None:
        queue.add_at("a", 10.0)
        clock.now = 10.0
        queue.done(await queue.get())
        queue.add_at("a", 20.0)
        clock.now = 20.0
        assert await queue.get() == "a"

    play(scenario)


def test_a_key_that_falls_due_while_it_is_worked_on_comes_after_that() -> None:
    async def scenario(queue: WorkQueue[str], clock: Clock) -> None:
        queue.add("a")
        await queue.get()
        queue.add_at("a", 10.0)
        clock.now = 10.0
        assert await nothing_comes(queue)
        queue.done("a")
        assert await queue.get() == "a"

    play(scenario)


def delays(failures: int) -> list[float]:
    """Seconds until the key comes again, after each of so many failures in a row."""
    found: list[float] = []

    async def scenario(queue: WorkQueue[str], clock: Clock) -> None:
        for _ in range(failures):
            queue.add_after_failure("a")
            found.append(queue._due["a"] - clock.now)
            clock.now = queue._due["a"]
            queue.done(await queue.get())

    play(scenario)
    return found


def test_the_back_off_doubles_up_to_its_longest() -> None:
    for number, delay in enumerate(delays(15)):
        full = min(FIRST_BACKOFF * 2**number, LONGEST_BACKOFF)
        assert full / 2 <= delay <= full


def test_the_back_off_stays_at_its_longest_for_days() -> None:
    """An API server that is away for a weekend must not end the work."""
    assert LONGEST_BACKOFF / 2 <= delays(5000)[-1] <= LONGEST_BACKOFF


def test_two_keys_that_fail_together_do_not_come_again_together() -> None:
    assert len({delays(1)[0] for _ in range(5)}) > 1


def test_after_a_success_the_back_off_begins_anew() -> None:
    async def scenario(queue: WorkQueue[str], clock: Clock) -> None:
        for _ in range(8):
            queue.add_after_failure("a")
            clock.now = queue._due["a"]
            queue.done(await queue.get())
        queue.forget_failures("a")
        queue.add_after_failure("a")
        assert queue._due["a"] - clock.now <= FIRST_BACKOFF

    play(scenario)


def test_a_failure_does_not_hold_back_what_is_new() -> None:
    async def scenario(queue: WorkQueue[str], _: Clock) -> None:
        queue.add_after_failure("a")
        queue.add("a")
        assert await queue.get() == "a"

    play(scenario)


def test_whoever_stops_asking_takes_no_key_along() -> None:
    async def scenario(queue: WorkQueue[str], _: Clock) -> None:
        asking = asyncio.create_task(queue.get())
        await asyncio.sleep(0)
        queue.add("a")
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        assert await queue.get() == "a"

    play(scenario)


def test_nothing_is_remembered_of_a_key_that_is_done() -> None:
    async def scenario(queue: WorkQueue[str], clock: Clock) -> None:
        queue.add("a")
        queue.add_at("a", 5.0)
        queue.add_after_failure("a")
        clock.now = 100.0
        for _ in range(2):
            if len(queue) or queue._heap:
                queue.done(await queue.get())
        queue.forget_failures("a")
        state = (queue._ready, queue._waiting, queue._working, queue._again, queue._due, queue._heap)
        assert not any(state)
        assert not queue._failures

    play(scenario)


class Workers:
    """Who takes keys and gives them back; `owed` are those that have still to come."""

    def __init__(self, queue: WorkQueue[str], clock: Clock) -> None:
        self.queue, self.clock = queue, clock
        self.owed: set[str] = set()
        self.working: set[str] = set()

    async def add(self, key: str) -> None:
        self.queue.add(key)
        self.owed.add(key)

    async def add_at(self, key: str) -> None:
        self.queue.add_at(key, self.clock.now + 5)
        self.owed.add(key)

    async def tick(self, _: str) -> None:
        self.clock.now += 3

    async def get(self, _: str) -> None:
        if len(self.queue):
            key = await self.queue.get()
            assert key not in self.working
            self.working.add(key)
            if key not in self.queue._due:
                self.owed.discard(key)

    async def done(self, key: str) -> None:
        if key in self.working:
            self.working.discard(key)
            self.queue.done(key)


steps = st.tuples(st.sampled_from(["add", "add_at", "tick", "get", "done"]), st.sampled_from("ab"))


@given(st.lists(steps, max_size=40))
def test_no_key_is_lost_and_none_is_worked_on_twice(steps: list[tuple[str, str]]) -> None:
    async def scenario(queue: WorkQueue[str], clock: Clock) -> None:
        workers = Workers(queue, clock)
        for step, key in steps:
            await getattr(workers, step)(key)
        clock.now += 10
        for key in list(workers.working):
            await workers.done(key)
        while workers.owed:
            key = await asyncio.wait_for(queue.get(), timeout=5)
            workers.owed.discard(key)
            queue.done(key)

    play(scenario)
