"""`kubectl scheduledjob run --at`: a ScheduledJob of its own that runs once."""

from typing import Any

import pytest

from scheduledjob_operator.models import ScheduledJobSpec
from tests.unit.bodies import NAME, NAMESPACE, UID, Body
from tests.unit.fake_scheduled_jobs import FakeScheduledJobs, called, scheduled_job
from tests.unit.moments import NOON, after_noon, text

CANARY = "hunter2-canary"
AT = after_noon(3600)
MADE = f"{NAME}-{int(AT.timestamp())}"
SECRET: dict[str, Any] = {"secretKeyRef": {"name": "s", "key": "k"}}
SPEC: dict[str, Any] = {
    "handler": "sync",
    "args": {"batch": 100},
    "env": [
        {"name": "MODE", "value": "usual"},
        {"name": "PASSWORD", "valueFrom": SECRET},
        {"name": "LEVEL", "value": "$(MODE)"},
    ],
    "timeout": "5m",
    "retry": {"limit": 3},
    "catchUp": {"policy": "Latest", "window": "1h", "limit": 10},
    "history": {"runs": 20},
}
OF_A_SCHEDULE: dict[str, Any] = {
    "enabled": False,
    "schedule": "*/5 * * * *",
    "timeZone": "Europe/Berlin",
    "startsAt": text(NOON),
    "endsAt": text(after_noon(60)),
    "punctualFiring": False,
    "concurrencyPolicy": "Queue",
    "queueDepth": 3,
    "pauseAfter": {"consecutiveFailures": 3},
    "environments": ["production"],
    "expect": {"successWithin": "1h", "maxDuration": "10m"},
}


def later(spec: Body, *given: str) -> tuple[FakeScheduledJobs, Body]:
    """What was made of a ScheduledJob."""
    labels = {"app.kubernetes.io/instance": "shop"}
    jobs = FakeScheduledJobs(scheduled_job(spec=spec, labels=labels, annotations={"note": "x"}))
    result = called(jobs, "run", NAME, "--at", text(AT), *given)
    assert (result.exit_code, result.stdout) == (0, f"{MADE}\n"), result.output
    return jobs, jobs.bodies[NAMESPACE, MADE]


def test_it_runs_what_the_other_one_runs_once_and_goes_with_it() -> None:
    jobs, made = later({**SPEC, **OF_A_SCHEDULE})
    owner = {"apiVersion": "scheduledjob.dev/v1alpha1", "kind": "ScheduledJob", "name": NAME, "uid": UID}
    assert made["metadata"] == {
        "name": MADE,
        "namespace": NAMESPACE,
        "labels": {"scheduledjob.dev/made-from": NAME},
        "annotations": {"scheduledjob.dev/requested-by": "alice"},
        "ownerReferences": [owner],
    }
    assert made["spec"] == {**SPEC, "enabled": True, "at": text(AT), "expect": {"maxDuration": "10m"}}
    assert jobs.annotations == []


def test_every_field_of_a_spec_is_kept_or_is_one_of_a_schedule() -> None:
    fields = {field.alias for field in ScheduledJobSpec.model_fields.values() if field.alias}
    for field in fields - {*SPEC, *OF_A_SCHEDULE, "every", "at", "command"}:
        _, made = later({**SPEC, field: _EXAMPLES[field]})
        assert made["spec"][field] == _EXAMPLES[field]
    for schedule in ({"every": "5m"}, {"at": text(NOON)}, {}):
        _, made = later({**SPEC, **schedule})
        assert "every" not in made["spec"]
        assert made["spec"]["at"] == text(AT)


_EXAMPLES: dict[str, Any] = {
    "image": "registry.example.com/jobs:1",
    "alertOnFailure": False,
    "envFrom": [{"secretRef": {"name": "s"}}],
    "resources": {"limits": {"memory": "1Gi"}},
    "serviceAccountName": "sync",
    "podTemplate": {"spec": {"nodeSelector": {"disk": "ssd"}}},
    "pendingTimeout": "1m",
    "gracePeriod": "10s",
    "startingDeadline": "1m",
    "priority": "high",
    "queue": "batch",
}


def test_arguments_replace_and_variables_take_the_place_of_those_of_their_names() -> None:
    given = ["--args", '{"only": 1}', "--env", "PASSWORD=$(X) $$", "--env", "NEW=1", "--requested-by", "bob"]
    _, made = later(SPEC, *given)
    assert made["spec"]["args"] == {"only": 1}
    assert made["spec"]["env"] == [
        {"name": "MODE", "value": "usual"},
        {"name": "PASSWORD", "value": "$$(X) $$$$"},
        {"name": "LEVEL", "value": "$(MODE)"},
        {"name": "NEW", "value": "1"},
    ]
    assert made["metadata"]["annotations"] == {"scheduledjob.dev/requested-by": "bob"}


def test_how_to_call_it_off_is_said() -> None:
    jobs = FakeScheduledJobs(scheduled_job())
    result = called(jobs, "run", NAME, "--at", "2026-11-22T14:00:00+01:00")
    assert result.stderr == (
        f"It runs at {text(AT)}. To call it off: kubectl delete --namespace {NAMESPACE} scheduledjob {MADE}\n"
    )
    again = called(jobs, "run", NAME, "--at", text(AT))
    assert (again.exit_code, again.stdout) == (1, "")
    assert "already exists" in again.stderr


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["--at", text(NOON)], "--at 2026-11-22T12:00:00Z is past: give a time to come."),
        (["--at", CANARY], "'--at': write a time with its zone"),
        (["--at", text(AT), "--wait"], "--at is for a run to come: leave out --slot, --queue and --wait."),
        (["--at", text(AT), "--queue"], "--at is for a run to come"),
        (["--at", text(AT), "--slot", text(NOON)], "--at is for a run to come"),
        (["--at", text(AT), "--env", f"SCHEDULEDJOB_SLOT={CANARY}"], "env must not set SCHEDULEDJOB_SLOT"),
        (["--at", text(AT), "--requested-by", ""], "requestedBy must be text"),
    ],
)
def test_what_cannot_be_is_a_sentence(given: list[str], sentence: str) -> None:
    jobs = FakeScheduledJobs(scheduled_job())
    result = called(jobs, "run", NAME, *given)
    assert (result.exit_code, result.stdout, len(jobs.bodies)) == (2, "", 1)
    assert sentence in result.stderr
    assert CANARY not in result.output


def test_arguments_for_a_command_are_refused_and_not_repeated() -> None:
    jobs = FakeScheduledJobs(scheduled_job(spec={"command": ["true"]}))
    result = called(jobs, "run", NAME, "--at", text(AT), "--args", f'{{"a": "{CANARY}"}}')
    assert result.exit_code == 2
    assert f"--args are for a handler, and {NAME} runs a command: leave them out." in result.stderr
    assert CANARY not in result.output


def test_a_name_has_room_for_the_time() -> None:
    for length, code in ((41, 0), (42, 2)):
        name = "n" * length
        jobs = FakeScheduledJobs(scheduled_job(name))
        result = called(jobs, "run", name, "--at", text(AT))
        assert result.exit_code == code, result.output
    assert "it may have 41 characters and has 42." in result.stderr
