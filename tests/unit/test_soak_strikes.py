from __future__ import annotations

import json
from typing import Any

import pytest

from scheduledjob_operator import names
from tests.soak.strikes import EVERY_MOMENT, KILLS, Moment, Strikes
from tests.soak.writes import kind_of

BATCH = "/apis/batch/v1/namespaces/shop"
MERGE = "application/merge-patch+json"


def _job(*, trigger: str = "Manual", attempt: str = "1") -> dict[str, Any]:
    annotations = {names.ANNOTATION_TRIGGER: trigger, names.ANNOTATION_ATTEMPT: attempt}
    return {"metadata": {"annotations": annotations}}


@pytest.mark.parametrize(
    ("kind", "method", "path", "content_type", "body"),
    [
        ("apply CronJob", "PATCH", f"{BATCH}/cronjobs/a", "application/apply-patch+yaml", {"spec": {}}),
        ("reclaim CronJob", "PATCH", f"{BATCH}/cronjobs/a", "application/json-patch+json", []),
        ("annotate CronJob", "PATCH", f"{BATCH}/cronjobs/a", MERGE, {"metadata": {}}),
        ("fence CronJob", "PATCH", f"{BATCH}/cronjobs/a/status", MERGE, {"status": {"lastScheduleTime": ""}}),
        ("list Job in CronJob", "PATCH", f"{BATCH}/cronjobs/a/status", MERGE, {"status": {"active": []}}),
        ("create Job: Manual", "POST", f"{BATCH}/jobs", "application/json", _job()),
        ("create Job: next attempt", "POST", f"{BATCH}/jobs", "application/json", _job(attempt="2")),
        ("end Job", "PATCH", f"{BATCH}/jobs/a", MERGE, {"spec": {}}),
        ("delete Job", "DELETE", f"{BATCH}/jobs/a", "application/json", {}),
        (
            "status: requests",
            "PATCH",
            "/apis/scheduledjob.dev/v1alpha1/namespaces/shop/scheduledjobs/a/status",
            MERGE,
            {"status": {"pending": [], "requests": []}},
        ),
        ("create Event", "POST", "/apis/events.k8s.io/v1/namespaces/shop/events", "application/json", {}),
    ],
)
def test_a_write_has_a_kind(kind: str, method: str, path: str, content_type: str, body: Any) -> None:
    assert kind_of(method, path, content_type=content_type, data=json.dumps(body).encode()) == kind


def test_what_only_reads_has_none() -> None:
    assert kind_of("GET", f"{BATCH}/jobs", content_type="application/json", data=b"") is None


def test_nothing_is_struck_before_there_is_a_quota() -> None:
    strikes = Strikes(seed=1, kills_left=10)
    assert [strikes.choose("end Job") for _ in range(20)] == [None] * 20
    assert strikes.seen["end Job"] == 20


def test_a_rare_write_is_struck_at_each_moment_in_turn() -> None:
    strikes = Strikes(seed=1, kills_left=10, quota=1)
    assert [strikes.choose("delete Job") for _ in range(5)] == list(EVERY_MOMENT)
    assert strikes.choose("delete Job") is None


def test_no_more_is_killed_than_was_asked_for() -> None:
    strikes = Strikes(seed=1, kills_left=7, quota=100)
    for number in range(1000):
        strikes.choose(f"kind {number % 3}")
    assert (strikes.kills, strikes.kills_left) == (7, 0)


def test_in_a_short_round_each_kind_is_struck_once_and_the_moments_take_turns() -> None:
    strikes = Strikes(seed=1, moments=KILLS, kills_left=10, quota=1, once=True)
    struck = [strikes.choose(kind) for kind in ("a", "a", "b", "c", "b", "d")]
    assert struck == [Moment.BEFORE, None, Moment.UNANSWERED, Moment.AFTER, None, Moment.BEFORE]
