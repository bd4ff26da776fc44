"""What a person would look at first when a test on the cluster fails, put into the report of the failure."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from tests.cluster.access import Cluster
from tests.cluster.release import NAMESPACE, RELEASE

LINES = 80
KINDS = "scheduledjobs,cronjobs,jobs,pods"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    fixtures: dict[str, Any] = getattr(item, "funcargs", {})
    cluster = fixtures.get("cluster")
    if report.when == "call" and report.failed and isinstance(cluster, Cluster):
        report.sections += evidence(cluster, fixtures.get("namespace"), operator="operator" in fixtures)
    return report


def evidence(cluster: Cluster, namespace: str | None, *, operator: bool) -> list[tuple[str, str]]:
    """Sections (title, text): the namespace's objects and events, and the end of the operator's log."""
    wanted: dict[str, tuple[str, ...]] = {}
    if namespace:
        where = f"--namespace={namespace}"
        kinds = KINDS if operator else KINDS.removeprefix("scheduledjobs,")
        wanted["objects"] = ("get", kinds, where, "--output=wide")
        wanted["events"] = ("get", "events", where, "--sort-by=.metadata.creationTimestamp")
        wanted["status"] = ("get", kinds, where, "--output=yaml", "--show-managed-fields=false")
    if operator:
        wanted["operator log"] = (
            *("logs", f"deployment/{RELEASE}", f"--namespace={NAMESPACE}", f"--tail={LINES}"),
        )
    sections = []
    for title, arguments in wanted.items():
        done = cluster.kubectl("--request-timeout=10s", *arguments, check=False)
        limit = 400 if title == "status" else LINES
        lines = (done.stdout + done.stderr).splitlines()
        sections.append((f"cluster: {title}", "\n".join(lines[-limit:])))
    return sections
