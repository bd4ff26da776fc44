"""The chart's alerts, by a real Prometheus that reads the operator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.access import Cluster
from tests.cluster.binaries import binary
from tests.cluster.release import CHART, Operator
from tests.e2e.scheduled_job import ScheduledJob
from tests.servers.process import ServerProcess, answers, free_port
from tests.servers.prometheus import PrometheusServer, prometheus_server
from tests.waiting import wait_until

pytestmark = pytest.mark.meanwhile

EXITS = ["python", "-c", "import os, sys; sys.exit(int(os.environ['CODE']))"]
FAILS = {"command": EXITS, "env": [{"name": "CODE", "value": "3"}], "retry": {"limit": 0}}
ABSENT = "ScheduledJobOperatorAbsent"
SUCCEEDS = {"env": {"CODE": "0"}}


def impatient_rules() -> dict[str, Any]:
    """The chart's rules, which wait a second where they would wait minutes."""
    rules: dict[str, Any] = yaml.safe_load((CHART / "files" / "alerts.yaml").read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            rule["for"] = "1s"
    return rules


@contextmanager
def port_of(operator: Operator, folder: Path) -> Iterator[int]:
    """A port of this machine that leads to the operator's, by whatever right the kubeconfig gives."""
    port = free_port()
    forward = ServerProcess(
        [
            *(binary("kubectl"), "port-forward", "--address=127.0.0.1"),
            *(f"--namespace={operator.namespace}", f"deployment/{operator.name}", f"{port}:8080"),
        ],
        folder=folder,
        ready=lambda: answers(port),
        environment=operator.cluster.environment,
    )
    try:
        forward.start()
        yield port
    finally:
        forward.stop()


@pytest.fixture
def prometheus(promtool: str, operator: Operator, tmp_path: Path) -> Iterator[PrometheusServer]:
    """It evaluates the chart's rules. What brings promtool brings it too."""
    with (
        port_of(operator, tmp_path) as port,
        prometheus_server(
            target=f"127.0.0.1:{port}", labels={"namespace": operator.namespace}, rules=impatient_rules()
        ) as server,
    ):
        yield server


def test_an_alert_fires_for_a_job_that_fails_unless_it_says_otherwise_and_ends_when_it_succeeds(
    cluster: Cluster, namespace: str, operator: Operator, prometheus: PrometheusServer
) -> None:
    jobs = [ScheduledJob(cluster, namespace, name) for name in ("loud", "quiet")]
    loud, quiet = jobs
    loud.apply(**FAILS)
    quiet.apply(**FAILS, alertOnFailure=False)
    for job in jobs:
        job.wait_ready()
        job.annotate("run", "first")

    def seen(expression: str) -> list[str]:
        found = prometheus.query(expression)
        return sorted(labels["name"] for labels in found if labels["namespace"] == namespace)

    def firing() -> set[tuple[str, str | None]]:
        found = [alert["labels"] for alert in prometheus.alerts() if alert["state"] == "firing"]
        ours = [each for each in found if each["namespace"] == namespace or each["alertname"] == ABSENT]
        return {(each["alertname"], each.get("name")) for each in ours}

    wait_until(
        lambda: seen("scheduledjob_healthy == 0") == ["loud", "quiet"],
        timeout=60,
        describe="Prometheus has read that both have failed",
    )
    rule = impatient_rules()["groups"][0]["rules"][0]
    assert seen(rule["expr"]) == ["loud"]
    wait_until(
        lambda: firing() == {("ScheduledJobFailing", "loud")},
        timeout=60,
        describe="there is one alert, for the one that alerts shall speak of",
    )

    loud.annotate("run", SUCCEEDS)
    loud.wait_condition("Healthy", "Succeeding", timeout=60)
    wait_until(lambda: not firing(), timeout=60, describe="the alert has ended")
    # A look that took more than its second leaves nothing to be seen for a moment.
    wait_until(
        lambda: seen("scheduledjob_healthy == 0") == ["quiet"],
        timeout=60,
        describe="the other one is still failing",
    )
