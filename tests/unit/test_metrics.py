"""What is shown of each ScheduledJob, and that it goes with it."""

from prometheus_client import generate_latest

from scheduledjob_operator.metrics import RUNS, SLOTS, forget, show_state
from scheduledjob_operator.models import Result, ScheduledJobStatus
from scheduledjob_operator.names import SlotReason


def lines(name: str) -> list[str]:
    return [line for line in generate_latest().decode().splitlines() if f'name="{name}"' in line]


def test_nothing_is_shown_of_what_is_gone_and_the_others_stay() -> None:
    for name in ("gone-for-good", "still-there"):
        show_state(namespace="shop", name=name, status=ScheduledJobStatus())
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
