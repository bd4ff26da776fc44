"""Enabling or rescheduling fires no slot of the past.

The CronJob controller starts the latest slot after lastScheduleTime, or after the CronJob's creation, that is
not older than startingDeadlineSeconds. Source: `mostRecentScheduleTime` in Kubernetes'
pkg/controller/cronjob/utils.go.
"""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduledjob_operator.models.types import parse_time
from tests.unit.fake_cluster import OVERLOADED
from tests.unit.moments import after_noon, text
from tests.unit.world import World, verbs


def world_with(*, last_schedule_time: datetime | None = None, **spec: Any) -> World:
    """One in sync whose CronJob was made half a minute after noon."""
    world = World()
    world.create({"schedule": "*/5 * * * *", "handler": "sync", **spec})
    world.settle()
    if last_schedule_time:
        status = {"lastScheduleTime": text(last_schedule_time)}
        world.cluster.put("CronJob", {**world.cron_job, "status": status})
        world.settle()
    return world


def fences(writes: Any) -> list[str]:
    """The times that were set."""
    return [write.body["lastScheduleTime"] for write in writes if write.verb == "fence"]


@pytest.mark.parametrize(
    ("before", "at", "change", "fenced"),
    [
        ({"enabled": False}, 420, {"enabled": True}, [text(after_noon(300))]),
        ({"enabled": False}, 900, {"enabled": True}, [text(after_noon(900))]),
        ({"enabled": False}, 120, {"enabled": True}, []),
        ({"enabled": False, "startingDeadline": "1m"}, 420, {"enabled": True}, []),
        ({"enabled": False, "startingDeadline": "2m"}, 420, {"enabled": True}, []),
        ({"enabled": False, "startingDeadline": "121s"}, 420, {"enabled": True}, [text(after_noon(300))]),
        ({"enabled": False, "schedule": "@daily"}, 420, {"enabled": True}, []),
        ({"schedule": "@daily"}, 420, {"schedule": "*/5 * * * *"}, [text(after_noon(300))]),
        ({"schedule": "@daily"}, 420, {"schedule": "@hourly"}, []),
        ({"schedule": "4 8 * * *"}, 420, {"timeZone": "America/New_York"}, []),
        ({"schedule": "4 7 * * *"}, 420, {"timeZone": "America/New_York"}, [text(after_noon(240))]),
        ({"schedule": "@daily"}, 420, {"timeout": "5m"}, []),
        ({}, 420, {"enabled": False}, []),
        ({"enabled": False}, 420, {"schedule": "*/2 * * * *"}, []),
        ({"enabled": False}, 420, {"schedule": "*/2 * * * *", "enabled": True}, [text(after_noon(360))]),
    ],
    ids=[
        "enabled after a slot",
        "enabled on a slot",
        "enabled before the first slot",
        "enabled when the slot is too old to start",
        "enabled when the slot is just too old",
        "enabled when the slot is just young enough",
        "enabled without a slot meanwhile",
        "rescheduled to one with a slot in the past",
        "rescheduled to one without",
        "moved to a zone without",
        "moved to a zone with a slot in the past",
        "something else changed",
        "disabled",
        "rescheduled while disabled",
        "rescheduled and enabled at once",
    ],
)
def test_an_old_slot_is_marked_as_done_exactly_when_it_would_start(
    before: dict[str, Any], at: float, change: dict[str, Any], fenced: list[str]
) -> None:
    world = world_with(**before)
    world.now = after_noon(at)
    world.change(**change)
    writes = world.settle()
    assert fences(writes) == fenced
    written = [verb for verb in verbs(writes) if verb != "event"]
    # What became of the slots so far is written first: by the next schedule it would be something else.
    before_all = ["status"] if written[0] == "status" else []
    rest = [*["fence"] * len(fenced), "apply", "status"]
    assert written == [*before_all, *rest], "and before it could start"
    assert world.would_start() is None


def test_a_slot_that_was_started_already_needs_no_mark() -> None:
    world = world_with(enabled=False, last_schedule_time=after_noon(300))
    world.now = after_noon(420)
    world.change(enabled=True)
    assert fences(world.settle()) == []


def test_a_suspension_by_hand_is_put_back_without_a_slot_of_the_past() -> None:
    world = world_with()
    world.edit_cron_job(lambda body: body["spec"].update(suspend=True))
    world.now = after_noon(420)
    written = [verb for verb in verbs(world.settle()) if verb != "event"]
    assert written == ["status", "reclaim", "fence", "apply", "status"]
    assert sorted(reason for reason, _ in world.cluster.events()) == ["DriftCorrected", "SlotsMissed"]
    assert world.would_start() is None


def test_without_the_mark_nothing_is_enabled() -> None:
    world = world_with(enabled=False)
    world.now = after_noon(420)
    world.change(enabled=True)
    world.deliver()
    world.cluster.outcomes.extend([OVERLOADED])
    world.settle()
    assert [error.status for error in world.errors] == [500]
    assert [write.verb for write in world.cluster.writes][-3:] == ["fence", "apply", "status"]
    assert world.would_start() is None


def test_a_new_cron_job_needs_no_mark() -> None:
    world = World()
    world.create()
    assert fences(world.settle()) == []
    assert world.would_start() is None


schedules = st.sampled_from(
    ["*/5 * * * *", "* * * * *", "*/7 * * * *", "2 12 * * *", "@hourly", "@daily", "3,4 7 * * *"]
)
zones = st.sampled_from(["Etc/UTC", "America/New_York", "Asia/Kolkata"])
states = st.fixed_dictionaries(
    {
        "schedule": schedules,
        "timeZone": zones,
        "enabled": st.booleans(),
        "startingDeadline": st.sampled_from(["10s", "1m", "5m", "1h"]),
    }
)


@settings(max_examples=60)
@given(states, states, st.integers(31, 4000), st.none() | st.integers(31, 600))
def test_no_change_of_when_it_runs_starts_a_slot_of_the_past(
    before: dict[str, Any], after: dict[str, Any], at: int, last: int | None
) -> None:
    last_time = None if last is None else after_noon(min(last, at))
    world = world_with(last_schedule_time=last_time, **before)
    world.now = after_noon(at)
    world.change(**after)
    writes = world.settle()
    timing = ("schedule", "timeZone")
    changes_timing = not before["enabled"] or any(before[key] != after[key] for key in timing)
    if after["enabled"] and changes_timing:
        assert world.would_start() is None
    else:
        assert fences(writes) == []
    for fence in fences(writes):
        assert parse_time(fence) <= world.now, "no slot of the future is lost"
