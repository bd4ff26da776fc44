"""The command line asks: runs, their end, dead letters, a pause; with the rights of its user."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.access import Cluster
from tests.cluster.release import Operator
from tests.e2e.command_line import Said, ended, started
from tests.e2e.scheduled_job import ScheduledJob, as_text
from tests.plugin import RESTRICTED
from tests.waiting import wait_until

pytestmark = pytest.mark.meanwhile

AHEAD = timedelta(seconds=20)
"""Until the run to come: longer than a busy machine takes to start the program."""
PODS = 90
"""Seconds that a few Pods in a row may take on a busy machine."""
ONLY_A_RETRY_SUCCEEDS = 'test "$SCHEDULEDJOB_TRIGGER" = Retry || { echo so sad; exit 3; }'
RETRY = {"limit": 1, "backoff": {"initial": "1s"}}
SPECS: dict[str, dict[str, Any]] = {
    "greeting": {"handler": "hello"},
    "failing": {"command": ["sh", "-c", ONLY_A_RETRY_SUCCEEDS], "retry": RETRY},
    "hopeless": {"command": ["false"], "retry": RETRY},
    "busy": {"handler": "sleep", "args": {"seconds": 300}, "gracePeriod": "5s"},
    "again-later": {"handler": "hello", "args": {"name": "now"}},
    "switched": {"handler": "hello"},
}


@dataclass
class CommandLine:
    """The command line in one namespace, and what was begun with it."""

    cluster: Cluster
    namespace: str
    at: datetime
    begun: dict[str, subprocess.Popen[str]] = field(default_factory=dict)

    def job(self, name: str) -> ScheduledJob:
        return ScheduledJob(self.cluster, self.namespace, name)

    def begin(self, what: str, *arguments: str) -> None:
        self.begun[what] = started(self.cluster, self.namespace, *arguments)

    def end(self, what: str) -> Said:
        return ended(self.begun.pop(what))

    def __call__(self, *arguments: str, environment: Mapping[str, str] | None = None) -> Said:
        return ended(started(self.cluster, self.namespace, *arguments, environment=environment))


@pytest.fixture(scope="module")
def line(cluster: Cluster, operator: Operator) -> Iterator[CommandLine]:
    """With all that takes its time begun at once."""
    namespace = cluster.create_namespace(f"command-line-{secrets.token_hex(3)}", labels=RESTRICTED)
    jobs = [ScheduledJob(cluster, namespace, name) for name in SPECS]
    for job in jobs:
        job.apply(**SPECS[job.name])
    for job in jobs:
        job.wait_ready()
    line = CommandLine(cluster, namespace, at=datetime.now(UTC).replace(microsecond=0) + AHEAD)
    when, arguments = as_text(line.at), '{"name": "then"}'
    line.begin("later", "run", "again-later", "--at", when, "--args", arguments, "--requested-by", "dave")
    for name in ("busy", "hopeless"):
        line.job(name).annotate("run", "at once")
    line.begin("failure", "run", "failing", "--wait")
    line.begin("success", "run", "greeting", "--args", '{"name": "you"}', "--wait", "--timeout=90s")
    yield line
    for process in line.begun.values():
        process.kill()
        process.communicate()
    cluster.kubectl("delete", "namespace", namespace, "--wait=false")


def test_an_active_run_is_cancelled(line: CommandLine) -> None:
    job = line.job("busy")
    (run,) = wait_until(lambda: job.status["active"], describe="it is active")
    said = line("cancel", "busy", "--requested-by=carol")
    assert (said.code, said.out, said.err) == (0, f"run {run['id']} will be ended\n", ""), said
    cancelled = job.wait_run(run["id"])
    assert (cancelled["result"], cancelled["message"]) == ("Cancelled", "cancelled by carol")
    annotations = job.get()["metadata"]["annotations"]
    assert [name for name in annotations if name.startswith("scheduledjob.dev/")] == ["scheduledjob.dev/run"]


def test_a_run_is_waited_for_and_its_value_told(line: CommandLine) -> None:
    said = line.end("success")
    assert said.code == 0, said
    run, verdict, value = said.out.splitlines()
    assert verdict.startswith("Succeeded (Completed) after ")
    assert value == 'value: {"greeting": "Hello, you!"}'
    found = line.job("greeting").find_run(run)
    user = line.cluster.kubectl("auth", "whoami", "--output=json").stdout
    assert found["requestedBy"] == json.loads(user)["status"]["userInfo"]["username"]


def test_a_run_that_fails_ends_with_exit_code_1_and_as_a_dead_letter(line: CommandLine) -> None:
    said = line.end("failure")
    assert said.code == 1, said
    run, verdict, message = said.out.splitlines()
    assert verdict.startswith("Failed (ExitCode 3)")
    assert message == "message: so sad"
    header, row = line("dlq", "list", "failing").out.splitlines()
    assert header.split()[:2] == ["SCHEDULEDJOB", "RUN"]
    assert row.split()[:2] == ["failing", run]
    retried = line("dlq", "retry", "failing", run)
    assert (retried.code, retried.out) == (0, "1 dead letter will be tried again\n"), retried
    job = line.job("failing")
    wait_until(
        lambda: job.status["deadLetters"] == [], timeout=PODS, describe="it was tried again, with success"
    )


def test_dead_letters_are_cleared(line: CommandLine) -> None:
    job = line.job("hopeless")
    wait_until(lambda: job.status["deadLetters"], timeout=PODS, describe="it has failed for good")
    cleared = line("dlq", "clear", "hopeless", "--all")
    assert (cleared.code, cleared.out) == (0, "1 dead letter cleared\n"), cleared
    assert job.status["deadLetters"] == []


def test_a_schedule_is_paused_and_resumed(line: CommandLine) -> None:
    job = line.job("switched")
    assert line("pause", "switched").out.startswith("switched is paused. ")
    wait_until(lambda: job.status.get("suspended") == "Disabled", describe="it is suspended")
    assert line("resume", "switched").out.startswith("switched is resumed; no slot of the past runs. ")
    wait_until(lambda: "suspended" not in job.status, describe="it is in force")


def test_who_may_only_look_is_refused_by_the_api_server(line: CommandLine, tmp_path: Path) -> None:
    job = line.job("switched")
    job.kubectl("create", "serviceaccount", "viewer")
    account = f"--serviceaccount={line.namespace}:viewer"
    job.kubectl("create", "rolebinding", "viewer", "--clusterrole=view", account)
    config = json.loads(job.kubectl("config", "view", "--raw", "--flatten", "--minify", "--output=json"))
    config["users"][0]["user"] = {"token": job.kubectl("create", "token", "viewer").strip()}
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(json.dumps(config), encoding="utf-8")
    environment = {"KUBECONFIG": str(kubeconfig)}
    said = line("run", "switched", environment=environment)
    assert (said.code, said.out) == (1, ""), said
    assert 'scheduledjobs.scheduledjob.dev "switched" is forbidden: User ' in said.err
    assert "cannot patch resource" in said.err
    assert line("dlq", "list", environment=environment).code == 0


def test_a_name_that_is_not_there_is_said_in_the_words_of_the_api_server(line: CommandLine) -> None:
    said = line("run", "nobody", "--wait")
    sentence = 'Error: scheduledjobs.scheduledjob.dev "nobody" not found (NotFound)\n'
    assert (said.code, said.out, said.err) == (1, "", sentence), said


def test_a_run_at_a_time_of_its_own_is_a_scheduledjob_that_goes_with_the_other(line: CommandLine) -> None:
    said = line.end("later")
    assert said.code == 0, said
    made = line.job(said.out.strip())
    assert made.name == f"again-later-{int(line.at.timestamp())}"
    run = made.wait_run()
    assert (run["slot"], run["result"]) == (as_text(line.at), "Succeeded")
    assert run["value"] == {"greeting": "Hello, then!"}
    assert made.get()["metadata"]["annotations"]["scheduledjob.dev/requested-by"] == "dave"
    job = line.job("again-later")
    selector = "--selector=scheduledjob.dev/made-from=again-later"
    (found,) = line.cluster.items("scheduledjobs", f"--namespace={line.namespace}", selector)
    assert found["metadata"]["name"] == made.name
    job.kubectl("delete", "scheduledjob", job.name)
    wait_until(
        lambda: line.cluster.items("scheduledjobs", f"--namespace={line.namespace}", selector) == [],
        timeout=60,
        describe="it has gone with the one it was made from",
    )
