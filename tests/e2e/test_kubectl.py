"""What a person sees: refusals, tables, explanations, an empty diff."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.cluster.access import Cluster
from tests.e2e.scheduled_job import ScheduledJob

pytestmark = pytest.mark.usefixtures("operator")

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "nothing to run": ({"handler": None}, "nothing to run: give handler"),
    "both handler and command": ({"command": ["true"]}, "either handler or command, not both"),
    "arguments for a command": (
        {"handler": None, "command": ["true"], "args": {"a": 1}},
        "args are for a handler",
    ),
    "an unknown field": ({"handlr": "hello"}, 'unknown field "spec.handlr"'),
    "two kinds of schedule": ({"every": "5m"}, "give one of schedule, every and at, or none of them"),
    "an interval of nothing": ({"schedule": None, "every": "0s"}, "must be a duration from 1s to 8784h"),
    "an interval below a second": (
        {"schedule": None, "every": "500ms"},
        "write for example 90s, 5m or 1h30m",
    ),
    "a time without a zone": (
        {"schedule": None, "at": "2026-12-24T08:00:00"},
        "must be a time with its zone: write for example 2026-12-24T08:00:00Z",
    ),
    "a queue of another policy": ({"queueDepth": 2}, "queueDepth is for concurrencyPolicy Queue"),
    "a negative duration": ({"timeout": "-5m"}, "write for example 90s, 5m or 1h30m"),
    "a duration of zero": ({"gracePeriod": "0s"}, "must be a duration from 1s to 1h"),
    "a number as duration": ({"timeout": 5}, "spec.timeout"),
    "four fields": ({"schedule": "* * * *"}, "schedule has five fields"),
    "seven fields": ({"schedule": "0 * * * * * *"}, "six with the seconds first"),
    "an unknown macro": ({"schedule": "@fortnightly"}, "@hourly, @daily or @weekly"),
    "too many retries": ({"retry": {"limit": 101}}, "less than or equal to 100"),
    "no history": ({"history": {"runs": 0}}, "greater than or equal to 1"),
    "an exit code that is none": ({"retry": {"neverOnExitCodes": [0]}}, "greater than or equal to 1"),
    "a policy in small letters": ({"concurrencyPolicy": "forbid"}, '"Allow", "Forbid", "Replace", "Queue"'),
    "a handler with a space": ({"handler": "a b"}, "handler is the name a function is registered under"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_apply_refuses_with_a_sentence(what: str, cluster: Cluster, namespace: str) -> None:
    change, sentence = REFUSED[what]
    body = ScheduledJob(cluster, namespace, "bad").manifest()
    body["spec"] = {key: value for key, value in {**body["spec"], **change}.items() if value is not None}
    done = cluster.kubectl(
        "apply", f"--namespace={namespace}", "--filename=-", input=yaml.safe_dump(body), check=False
    )
    assert done.returncode != 0
    assert sentence in done.stderr


def test_a_name_that_no_cronjob_can_have_is_refused(cluster: Cluster, namespace: str) -> None:
    for length, code in ((52, 0), (53, 1)):
        body = ScheduledJob(cluster, namespace, "n" * length).manifest(enabled=False)
        text = yaml.safe_dump(body)
        done = cluster.kubectl("apply", f"--namespace={namespace}", "--filename=-", input=text, check=False)
        assert done.returncode == code, done.stderr
    assert "at most 52 characters" in done.stderr


def test_get_reads_as_the_documentation_shows(cluster: Cluster, namespace: str) -> None:
    job = ScheduledJob.create(cluster, namespace, "shown")
    job.wait_run(job.run_now())
    header, row = job.kubectl("get", "sj").splitlines()
    assert header.split("  ")[0] == "NAME"
    columns = [
        "NAME", "SCHEDULE", "ENABLED", "SUSPENDED", "ACTIVE", "LAST RESULT", "LAST RUN", "NEXT RUN", "AGE",
    ]  # fmt: skip
    assert header.split() == " ".join(columns).split()
    assert row.split()[:1] == ["shown"]
    assert "true                  0        Succeeded" in row
    assert "<invalid>" not in row
    wide = job.kubectl("get", "sj", "--output=wide").splitlines()[0].split()
    assert wide[-6:] == ["TIMEZONE", "HANDLER", "FAILURES", "DURATION", "READY", "MESSAGE"]
    assert "shown" in job.kubectl("get", "all")


def test_explain_reads_as_documentation(cluster: Cluster) -> None:
    text = " ".join(cluster.kubectl("explain", "scheduledjob.spec.retry").stdout.split())
    assert "How many more attempts follow a failed one" in text
    assert "evicted, drained or preempted" in text
    assert "Exit codes that end the run at once" in text


def test_diff_is_empty_after_apply_and_the_users_object_is_not_written(
    cluster: Cluster, namespace: str
) -> None:
    job = ScheduledJob.create(cluster, namespace, "clean")
    text = yaml.safe_dump(job.manifest())
    done = cluster.kubectl("diff", f"--namespace={namespace}", "--filename=-", input=text, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    metadata = cluster.get("sj", "clean", f"--namespace={namespace}", "--show-managed-fields")["metadata"]
    assert set(metadata["annotations"]) == {"kubectl.kubernetes.io/last-applied-configuration"}
    assert "finalizers" not in metadata
    written = [entry for entry in metadata["managedFields"] if entry["manager"] == "scheduledjob-operator"]
    assert [entry["subresource"] for entry in written] == ["status"]


def test_helm_and_flux_wait_for_a_status_that_says_ready(cluster: Cluster, namespace: str) -> None:
    job = ScheduledJob.create(cluster, namespace, "waited-for")
    job.kubectl("wait", "scheduledjob/waited-for", "--for=condition=Ready", "--timeout=10s")
    assert job.status["observedGeneration"] == job.get()["metadata"]["generation"]
