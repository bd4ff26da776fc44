"""What is shown of each ScheduledJob, and that it goes with it."""

from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import REGISTRY, generate_latest

from scheduledjob_operator.metrics import RUNS, SLOTS, count_slots, forget, forget_all, show_state
from scheduledjob_operator.models import Condition, Result, ScheduledJobSpec, ScheduledJobStatus, Unstarted
from scheduledjob_operator.names import SlotReason
from tests.unit.moments import NOON, after_noon

SPEC = {"schedule": "@daily", "handler": "hello"}


def lines(name: str) -> list[str]:
    return [line for line in generate_latest().decode().splitlines() if f'name="{name}"' in line]


@pytest.fixture
def name() -> Iterator[str]:
    """A ScheduledJob of this test's own, which is forgotten afterwards."""
    yield "looked-at"
    forget(namespace="shop", name="looked-at")


def spec(**fields: Any) -> ScheduledJobSpec:
    return ScheduledJobSpec.model_validate({**SPEC, **fields})


def status(*, healthy: str = "True", suspended: SlotReason | None = None) -> ScheduledJobStatus:
    condition = {"type": "Healthy", "status": healthy, "reason": "Because", "lastTransitionTime": NOON}
    return ScheduledJobStatus(conditions=[Condition.model_validate(condition)], suspended=suspended)


def value(metric: str, name: str, **labels: str) -> float | None:
    """What a series says; None when there is none."""
    return REGISTRY.get_sample_value(f"scheduledjob_{metric}", {"namespace": "shop", "name": name, **labels})


def show(name: str, *, spec: ScheduledJobSpec | None, status: ScheduledJobStatus) -> None:
    show_state(namespace="shop", name=name, spec=spec, status=status)


def test_nothing_is_shown_of_what_is_gone_and_the_others_stay() -> None:
    for name in ("gone-for-good", "still-there"):
        show(name, spec=spec(), status=status(suspended=SlotReason.DISABLED))
        missed = Unstarted(
            result=Result.MISSED, reason=SlotReason.NOTHING_STARTED_IT, count=1, first=NOON, last=NOON
        )
        count_slots(namespace="shop", name=name, verdicts=[missed], now=NOON)
        for result in Result:
            RUNS.labels(namespace="shop", name=name, result=result).inc()
        for reason in SlotReason:
            SLOTS.labels(namespace="shop", name=name, result=Result.SKIPPED, reason=reason).inc()
    shown = len(lines("still-there"))
    assert len(lines("gone-for-good")) == shown
    forget(namespace="shop", name="gone-for-good")
    assert lines("gone-for-good") == []
    assert len(lines("still-there")) == shown
    forget(namespace="shop", name="still-there")


def test_a_replica_that_does_not_lead_any_more_shows_no_scheduled_job(name: str) -> None:
    show(name, spec=spec(), status=status(suspended=SlotReason.DISABLED))
    assert lines(name)
    forget_all()
    assert lines(name) == []


def test_what_was_healthy_or_not_is_not_shown_of_one_that_never_ran(name: str) -> None:
    # As when it is made anew under its name, or nothing is expected of it by a time any more.
    show(name, spec=spec(), status=status(healthy="False"))
    assert value("healthy", name) == 0
    show(name, spec=spec(), status=status(healthy="Unknown"))
    assert value("healthy", name) is None


def test_that_alerts_shall_be_silent_is_shown_and_stays_while_the_spec_cannot_be_read(
    name: str,
) -> None:
    show(name, spec=None, status=status())
    assert value("alert_on_failure", name) is None
    show(name, spec=spec(alertOnFailure=False), status=status())
    assert value("alert_on_failure", name) == 0
    show(name, spec=None, status=status())
    assert value("alert_on_failure", name) == 0
    show(name, spec=spec(), status=status())
    assert value("alert_on_failure", name) is None


def test_what_holds_a_schedule_back_is_shown_by_its_reason_while_it_does(name: str) -> None:
    for reason in (SlotReason.DISABLED, SlotReason.PAUSED):
        show(name, spec=spec(), status=status(suspended=reason))
        shown = {other: value("suspended", name, reason=other) for other in SlotReason}
        assert shown == {**dict.fromkeys(SlotReason), reason: 1}
    show(name, spec=spec(), status=status())
    assert not any(value("suspended", name, reason=reason) for reason in SlotReason)


def test_when_slots_were_last_found_missed_is_shown_and_skipped_ones_are_not_missed(name: str) -> None:
    def found(result: Result, reason: SlotReason, *, seconds: float) -> None:
        entry = Unstarted.model_validate(
            {"result": result, "reason": reason, "count": 3, "first": NOON, "last": NOON}
        )
        count_slots(namespace="shop", name=name, verdicts=[entry], now=after_noon(seconds))

    found(Result.SKIPPED, SlotReason.DISABLED, seconds=60)
    assert value("last_missed_timestamp_seconds", name) is None
    found(Result.MISSED, SlotReason.NOTHING_STARTED_IT, seconds=120)
    found(Result.UNKNOWN, SlotReason.NOT_OBSERVED, seconds=180)
    assert value("last_missed_timestamp_seconds", name) == after_noon(120).timestamp()
