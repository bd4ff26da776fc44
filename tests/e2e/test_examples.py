"""Every example that users read is applied and run."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.cluster.access import Cluster
from tests.cluster.paths import CHECKOUT
from tests.cluster.release import Operator
from tests.e2e.scheduled_job import ScheduledJob

pytestmark = pytest.mark.meanwhile

EXAMPLES = sorted((CHECKOUT / "examples").glob("*.yaml"))
EXPECTED = {"40-retries": "Failed", "50-timeout": "TimedOut"}


def of_example(path: Path, *, cluster: Cluster, namespace: str) -> ScheduledJob:
    documents = list(yaml.safe_load_all(path.read_text()))
    (name,) = [body["metadata"]["name"] for body in documents if body["kind"] == "ScheduledJob"]
    cluster.apply(path, namespace=namespace)
    job = ScheduledJob(cluster, namespace, name)
    job.wait_ready()
    return job


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_an_example_is_accepted_and_its_run_ends_as_it_says(
    path: Path, cluster: Cluster, operator: Operator, namespace: str
) -> None:
    job = of_example(path, cluster=cluster, namespace=namespace)
    if path.stem.startswith("60-overlap"):  # has a test of its own in test_over_minutes
        return
    run = job.wait_run(job.run_now(), timeout=150)
    assert run["result"] == EXPECTED.get(path.stem, "Succeeded"), run


def test_the_schedule_starts_a_run_by_itself_and_the_slot_is_in_the_record(
    cluster: Cluster, operator: Operator, namespace: str
) -> None:
    job = of_example(CHECKOUT / "examples/10-hello.yaml", cluster=cluster, namespace=namespace)
    slot = job.status["nextRunTimes"][0]
    run = job.wait_run(timeout=120)
    assert (run["trigger"], run["result"], run["slot"]) == ("Schedule", "Succeeded", slot)
    assert job.status["lastScheduleTime"] == slot
    assert job.status["nextRunTimes"][0] > slot
