"""Which of the runs that wait start now: their order, the concurrency policy, the quiet around a slot."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduledjob_operator.models import ActiveRun, ConcurrencyPolicy, PendingReason, PendingRun, Trigger
from scheduledjob_operator.pending import MOST_STARTS, Plan, plan
from tests.unit.moments import NOON, after_noon

TRIGGERS = {
    PendingReason.BACKOFF: Trigger.SCHEDULE,
    PendingReason.QUEUED: Trigger.BACKFILL,
    PendingReason.CATCH_UP: Trigger.CATCH_UP,
    PendingReason.COOL_DOWN: Trigger.PROBE,
}


def waits(id_: str, *, seconds: float = 0, reason: str = "Queued", **given: Any) -> PendingRun:
    """A run that is due so many seconds after noon."""
    why = PendingReason(reason)
    fields = {"trigger": TRIGGERS[why], **given}
    return PendingRun(
        id=id_, job_name=id_, reason=why, due_time=after_noon(seconds), since=after_noon(-60), **fields
    )


def manual(id_: str, **given: Any) -> PendingRun:
    return waits(id_, trigger=Trigger.MANUAL, **given)


def runs(id_: str, **given: Any) -> ActiveRun:
    return ActiveRun(id=id_, job_name=f"{id_}-r2", trigger=Trigger.SCHEDULE, start_time=NOON, **given)


def planned(
    *pending: PendingRun,
    active: Sequence[ActiveRun] = (),
    policy: str = "Forbid",
    next_slots: Sequence[datetime] = (),
    unstarted_slot: datetime | None = None,
    held: bool = False,
    catching_up: bool = True,
    now: datetime = NOON,
) -> Plan:
    return plan(
        pending=pending,
        active=active,
        concurrency_policy=ConcurrencyPolicy(policy),
        next_slots=next_slots,
        unstarted_slot=unstarted_slot,
        held=held,
        catching_up=catching_up,
        now=now,
    )


def started(result: Plan) -> list[str]:
    return [start.run.id for start in result.start]


# When and in which order


@pytest.mark.parametrize("policy", ["Allow", "Forbid", "Replace"])
def test_nothing_starts_before_it_is_due(policy: str) -> None:
    waiting = [waits("a", seconds=90), waits("b", seconds=60)]
    early = planned(*waiting, policy=policy, now=after_noon(59.9))
    assert (started(early), early.look_again) == ([], after_noon(60))
    late = planned(*waiting, policy=policy, now=after_noon(60))
    assert (started(late), late.look_again) == (["b"], after_noon(90))


@pytest.mark.parametrize("policy", ["Allow", "Forbid", "Replace"])
def test_when_nothing_waits_there_is_nothing_to_look_for(policy: str) -> None:
    assert planned(policy=policy, next_slots=[after_noon(1)]) == Plan()


@pytest.mark.parametrize(
    "in_order",
    [
        [waits("a", seconds=-9, reason="CatchUp"), waits("b", seconds=-8, reason="Backoff")],
        [
            waits("d", reason="Backoff"),
            waits("c", reason="Queued"),
            waits("b", reason="CoolDown"),
            waits("a", reason="CatchUp"),
        ],
        [waits("b", slot=after_noon(-120)), waits("a", slot=after_noon(-60)), waits("c")],
        [waits("a"), waits("b")],
    ],
    ids=["by their due times", "then by what they wait for", "then by their slots", "then by their names"],
)
@pytest.mark.parametrize("policy", ["Allow", "Forbid", "Replace"])
def test_runs_start_in_order(policy: str, in_order: list[PendingRun]) -> None:
    expected = [run.id for run in in_order]
    result = planned(*reversed(in_order), policy=policy)
    assert started(result) == (expected if policy == "Allow" else expected[:1])


def test_while_everything_is_held_nothing_starts() -> None:
    for policy in ("Allow", "Forbid", "Replace"):
        waiting = [manual("a"), waits("b", reason="Backoff"), waits("c", seconds=60)]
        assert planned(*waiting, policy=policy, held=True) == Plan()


@pytest.mark.parametrize("policy", ["Allow", "Forbid", "Replace"])
def test_while_the_schedule_is_held_back_only_catching_up_waits(policy: str) -> None:
    waiting = [waits("a", seconds=-60, reason="CatchUp"), waits("b", reason="CoolDown")]
    assert started(planned(*waiting, policy=policy, catching_up=False)) == ["b"]
    later = planned(waits("a", seconds=60, reason="CatchUp"), policy=policy, catching_up=False)
    assert later == Plan()


@pytest.mark.parametrize("policy", ["Allow", "Forbid", "Replace"])
def test_a_run_whose_job_exists_does_not_start_again(policy: str) -> None:
    assert planned(manual("a"), active=[runs("a")], policy=policy) == Plan()


# Allow


def test_under_allow_runs_start_beside_active_ones_at_any_time() -> None:
    result = planned(
        waits("a"),
        waits("b", reason="CatchUp"),
        manual("c"),
        active=[runs("x")],
        policy="Allow",
        next_slots=[after_noon(1)],
        unstarted_slot=NOON,
    )
    assert started(result) == ["a", "c", "b"]
    assert all(start.replaces == () for start in result.start)


@pytest.mark.parametrize(
    ("parallelism", "active", "expected"),
    [
        (1, 0, ["a0", "other"]),
        (3, 0, ["a0", "a1", "a2", "other"]),
        (3, 2, ["a0", "other"]),
        (3, 3, ["other"]),
    ],
    ids=["one", "three", "three of which two are active", "three of which all are active"],
)
def test_a_backfill_has_so_many_runs_at_once(parallelism: int, active: int, expected: list[str]) -> None:
    of_it = [waits(f"a{number}", request="r", parallelism=parallelism) for number in range(5)]
    busy = [runs(f"x{number}", request="r") for number in range(active)]
    busy.append(runs("y", request="q"))
    result = planned(*of_it, waits("other", request="s", parallelism=1), active=busy, policy="Allow")
    assert (started(result), result.look_again) == (expected, None)


def test_a_crowd_starts_in_several_passes() -> None:
    crowd = [waits(f"a{number:02}", reason="CatchUp") for number in range(MOST_STARTS + 3)]
    first = planned(*crowd, policy="Allow")
    assert (len(first.start), first.look_again) == (MOST_STARTS, after_noon(1))
    second = planned(*crowd[MOST_STARTS:], policy="Allow")
    assert (len(second.start), second.look_again) == (3, None)
    exact = planned(*crowd[:MOST_STARTS], policy="Allow")
    assert (len(exact.start), exact.look_again) == (MOST_STARTS, None)


# Forbid and Replace


@pytest.mark.parametrize("policy", ["Forbid", "Replace"])
@pytest.mark.parametrize("reason", ["Backoff", "Queued", "CoolDown", "CatchUp"])
def test_a_run_waits_for_the_end_of_the_active_one(policy: str, reason: str) -> None:
    waiting = [waits("a", reason=reason), waits("b", seconds=60)]
    result = planned(*waiting, active=[runs("x")], policy=policy)
    assert (started(result), result.look_again) == ([], after_noon(60))
    assert started(planned(*waiting, policy=policy)) == ["a"]


def test_under_forbid_a_person_waits_too() -> None:
    assert started(planned(manual("a"), active=[runs("x")])) == []


def test_under_replace_a_person_does_not_wait() -> None:
    waiting = [waits("b", seconds=-60, reason="Backoff"), manual("a"), manual("c", seconds=-1)]
    result = planned(*waiting, active=[runs("x"), runs("y")], policy="Replace")
    assert [(start.run.id, start.replaces) for start in result.start] == [("c", ("x-r2", "y-r2"))]
    alone = planned(*waiting, policy="Replace")
    assert [(start.run.id, start.replaces) for start in alone.start] == [("c", ())]


def test_a_further_attempt_for_a_person_replaces_nothing() -> None:
    again = manual("a", reason="Backoff", attempt=2)
    assert started(planned(again, active=[runs("x")], policy="Replace")) == []
    assert started(planned(again, policy="Replace")) == ["a"]


# The quiet around a slot


@pytest.mark.parametrize("policy", ["Forbid", "Replace"])
@pytest.mark.parametrize(
    ("seconds", "starts"),
    [(56.9, True), (57, False), (60, False), (64.9, False), (65, True)],
    ids=["well before", "right before", "at the slot", "right after", "well after"],
)
def test_nothing_starts_around_a_slot(policy: str, seconds: float, starts: bool) -> None:
    now, slot = after_noon(seconds), after_noon(60)
    to_come = slot > now
    result = planned(
        manual("a"),
        policy=policy,
        next_slots=[slot, after_noon(120)] if to_come else [after_noon(120)],
        unstarted_slot=None if to_come else slot,
        now=now,
    )
    assert started(result) == (["a"] if starts else [])
    assert result.look_again == (None if starts else after_noon(65))


@pytest.mark.parametrize("policy", ["Forbid", "Replace"])
def test_the_quiet_ends_when_the_job_of_the_slot_has_been_seen(policy: str) -> None:
    result = planned(manual("a"), policy=policy, next_slots=[after_noon(60)], now=after_noon(1))
    assert started(result) == ["a"]


def test_old_news_of_the_next_slot_does_not_block_for_ever() -> None:
    result = planned(waits("a"), next_slots=[after_noon(60)], now=after_noon(600))
    assert (started(result), result.look_again) == (["a"], None)


def test_while_another_run_is_active_the_quiet_is_no_matter() -> None:
    result = planned(waits("a"), active=[runs("x")], next_slots=[after_noon(1)])
    assert result == Plan()


# What holds always

reasons = st.sampled_from(["Backoff", "Queued", "CoolDown", "CatchUp"])
queues = st.lists(
    st.builds(
        waits,
        st.integers(0, 99).map("r{}".format),
        seconds=st.integers(-120, 120),
        reason=reasons,
        trigger=st.sampled_from(list(Trigger)),
        request=st.none() | st.sampled_from(["q1", "q2"]),
        parallelism=st.just(2),
    ),
    max_size=25,
    unique_by=lambda run: run.id,
)
actives = st.lists(
    st.builds(runs, st.integers(90, 110).map("r{}".format), request=st.none() | st.just("q1")),
    max_size=3,
    unique_by=lambda run: run.id,
)


@given(
    pending=queues,
    active=actives,
    policy=st.sampled_from(["Allow", "Forbid", "Replace"]),
    slots=st.lists(st.integers(1, 200).map(after_noon), max_size=2).map(sorted),
    unstarted=st.none() | st.integers(-20, 0).map(after_noon),
    held=st.booleans(),
    catching_up=st.booleans(),
)
def test_every_plan_is_safe_and_nothing_that_is_due_is_forgotten(
    pending: list[PendingRun],
    active: list[ActiveRun],
    policy: str,
    slots: list[datetime],
    unstarted: datetime | None,
    held: bool,
    catching_up: bool,
) -> None:
    result = planned(
        *pending,
        active=active,
        policy=policy,
        next_slots=slots,
        unstarted_slot=unstarted,
        held=held,
        catching_up=catching_up,
    )
    chosen = [start.run for start in result.start]
    assert all(run in pending and run.due_time <= NOON for run in chosen)
    assert not {run.id for run in chosen} & {run.id for run in active}
    assert not (held and chosen)
    of_request = Counter(run.request for run in (*active, *chosen))
    for run in chosen:
        assert not run.parallelism or not run.request or of_request[run.request] <= run.parallelism
    if policy != "Allow":
        assert len(chosen) <= 1
        assert not chosen or not active or result.start[0].replaces == tuple(run.job_name for run in active)
    assert result.look_again is None or result.look_again >= NOON
    startable = [
        run
        for run in pending
        if (catching_up or run.reason is not PendingReason.CATCH_UP) and run.id not in {a.id for a in active}
    ]
    if startable and not held and not active:
        assert chosen or result.look_again is not None
