"""When the alerts fire, and when they had better not: what Prometheus has read, and what fires then."""

from typing import Any

from scheduledjob_operator.names import SlotReason
from tests.chart.alert_series import LEADS, Series, firing, job, operator
from tests.chart.rendering import NAMESPACE

SHOP = {"namespace": "shop", "name": "sync", "severity": "warning"}
HERE = {"namespace": NAMESPACE}
FAILING = [firing("ScheduledJobFailing", SHOP)]
DEAD_LETTERS = [firing("ScheduledJobDeadLetters", SHOP)]
MISSED = [firing("ScheduledJobSlotsMissed", SHOP)]
ABSENT = [firing("ScheduledJobOperatorAbsent", {**HERE, "severity": "critical"})]
ERRORS = [firing("ScheduledJobReconcileErrors", {**HERE, "severity": "warning"})]
NOTHING: list[Any] = []

Case = tuple[str, Series, dict[str, list[Any]]]
"""A sentence, the series, and exactly what fires, by the time since their beginning."""

STANDING: list[Case] = [
    (
        "a failing one, once it has been failing for five minutes, until it succeeds",
        job(healthy="0x19 1x60"),
        {"4m30s": NOTHING, "5m": FAILING, "9m30s": FAILING, "10m": NOTHING},
    ),
    (
        "a healthy one and one that never ran are silent",
        {
            **job(healthy="1x80", consecutive_failures="0x80"),
            **job(name="new", dead_letters="0x80"),
        },
        {"10m": NOTHING, "30m": NOTHING},
    ),
    (
        "one that fails now and then is silent",
        job(healthy="0x7 1x7 0x7 1x7 0x7 1x7"),
        {"4m": NOTHING, "12m": NOTHING, "20m": NOTHING},
    ),
    (
        "one that alerts shall not speak of is silent",
        {
            **job(alert_on_failure="0x80", healthy="0x80", last_missed_timestamp_seconds="60x80"),
            **job(name="letters", alert_on_failure="0x80", dead_letters="3x80", consecutive_failures="0x80"),
        },
        {"5m": NOTHING, "10m": NOTHING, "30m": NOTHING},
    ),
    (
        "and is silent at once when that is switched while its alert fires",
        job(alert_on_failure="_x16 0x60", healthy="0x80"),
        {"7m30s": FAILING, "8m": NOTHING, "30m": NOTHING},
    ),
    (
        "one whose spec could not be read since the operator began is spoken of",
        job(healthy="0x80"),
        {"5m": FAILING},
    ),
    *(
        (
            f"one that somebody holds back is silent while they do: {reason}",
            job(healthy="0x80", **{f"suspended_because_{reason}": "_x20 1x19 _x60"}),
            {"9m30s": FAILING, "10m": NOTHING, "20m": NOTHING, "31m": FAILING},
        )
        for reason in (SlotReason.DISABLED, SlotReason.OTHER_ENVIRONMENT, SlotReason.SUSPENDED)
    ),
    *(
        (
            f"one that is held back by how it fares is not: {reason}",
            job(healthy="0x80", **{f"suspended_because_{reason}": "1x80"}),
            {"5m": FAILING, "30m": FAILING},
        )
        for reason in (SlotReason.PAUSED, SlotReason.OUT_OF_BOUNDS)
    ),
    (
        "a deleted one is silent after five minutes",
        job(healthy="0x16 stale"),
        {"8m": FAILING, "12m30s": FAILING, "13m30s": NOTHING, "30m": NOTHING},
    ),
    (
        "dead letters are no second alert while it fails, but one of their own after that, until cleared",
        job(healthy="0x60", dead_letters="2x39 0x20", consecutive_failures="1x19 0x60"),
        {"9m30s": FAILING, "10m": NOTHING, "15m": DEAD_LETTERS, "19m30s": DEAD_LETTERS, "20m": NOTHING},
    ),
    (
        "dead letters of one that is disabled are silent",
        job(dead_letters="2x60", consecutive_failures="0x60", suspended_because_Disabled="1x60"),
        {"10m": NOTHING},
    ),
    (
        "missed slots, for a quarter of an hour after that was found, by whatever operator began with it",
        job(last_missed_timestamp_seconds="_x4 120x80"),
        {"1m30s": NOTHING, "2m": MISSED, "16m30s": MISSED, "17m": NOTHING, "30m": NOTHING},
    ),
    (
        "missed slots also when the operator that found them is gone",
        job(last_missed_timestamp_seconds="_x4 120 120 stale"),
        {"3m": MISSED, "15m": MISSED, "18m": NOTHING},
    ),
]

# The pod a leads until 8m, b from 9m on.
SILENT: Series = {
    **job(healthy="0x16 stale", alert_on_failure="0x16 stale"),
    **job(pod="b", healthy="_x18 0x60", alert_on_failure="_x18 0x60"),
    **job(name="off", healthy="0x16 stale", suspended_because_Disabled="1x16 stale"),
    **job(name="off", pod="b", healthy="_x18 0x60", suspended_because_Disabled="_x18 1x60"),
}
CHANGES: list[Case] = [
    (
        "a change of leader ends no alert and makes no second one",
        {
            **job(healthy="0x16 stale"),
            **job(pod="b", healthy="_x18 0x60"),
        },
        {"8m": FAILING, "8m30s": FAILING, "9m": FAILING, "9m30s": FAILING, "14m": FAILING, "20m": FAILING},
    ),
    (
        "nor when the former leader is still read for a while",
        {
            **job(healthy="0x30 stale"),
            **job(pod="b", healthy="_x18 0x60"),
        },
        {"9m": FAILING, "12m": FAILING, "15m30s": FAILING, "25m": FAILING},
    ),
    (
        "a change of leader does not begin the five minutes anew",
        {
            **job(healthy="_x12 0x4 stale"),
            **job(pod="b", healthy="_x18 0x60"),
        },
        {"10m30s": NOTHING, "11m": FAILING},
    ),
    (
        "what succeeded meanwhile is silent at once",
        {
            **job(healthy="0x16 stale"),
            **job(pod="b", healthy="_x18 1x60"),
        },
        {"8m30s": FAILING, "9m": NOTHING, "20m": NOTHING},
    ),
    (
        "what alerts shall not speak of and what is disabled stays silent",
        SILENT,
        {"8m": NOTHING, "8m30s": NOTHING, "9m": NOTHING, "14m": NOTHING, "20m": NOTHING},
    ),
]

OPERATOR: list[Case] = [
    (
        "nobody leads: for two minutes, until somebody does",
        {**operator("leader", "1x9 0x19 1x20"), **operator("leader", "0x60", pod="b")},
        {"6m30s": NOTHING, "7m": ABSENT, "14m30s": ABSENT, "15m": NOTHING},
    ),
    ("there is no operator at all", {}, {"1m30s": NOTHING, "2m": ABSENT}),
    (
        "there is one of another namespace only",
        operator("leader", "1x60", namespace="tools"),
        {"2m": ABSENT},
    ),
    (
        "a change of leader that takes a minute is silent, and so are two that lead for a moment",
        {
            **operator("leader", "1x9 0 stale"),
            **operator("leader", "0x11 1x40", pod="b"),
            **operator("leader", "_x20 1x40", pod="c"),
        },
        {"5m": NOTHING, "6m": NOTHING, "8m": NOTHING, "12m": NOTHING},
    ),
    (
        "errors that go on for a quarter of an hour, over a restart and a change of leader too",
        {
            **LEADS,
            **operator("reconcile_errors_total", "0+1x20 0+1x9 stale"),
            **operator("reconcile_errors_total", "_x20 0x12 0+1x60", pod="b"),
        },
        {"10m": NOTHING, "15m": NOTHING, "18m": ERRORS, "22m": ERRORS, "40m": ERRORS},
    ),
    (
        "an API server that was away for some minutes is silent",
        {**LEADS, **operator("reconcile_errors_total", "0x9 0+100x12 1200x80")},
        {"8m": NOTHING, "16m": NOTHING, "20m": NOTHING, "25m": NOTHING, "40m": NOTHING},
    ),
    (
        "conflicts now and then are silent",
        {**LEADS, **operator("reconcile_errors_total", "0x5 1x5 2x5 3x5 4x5 5x5 6x5 7x5 8x5 9x5 10x5")},
        {"10m": NOTHING, "20m": NOTHING, "30m": NOTHING},
    ),
]
