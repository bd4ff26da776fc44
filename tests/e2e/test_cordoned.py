"""A node that is cordoned: runs cannot start, say so, and free the schedule; afterwards they run again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.access import Cluster
from tests.cluster.release import Operator
from tests.e2e.scheduled_job import ScheduledJob

pytestmark = pytest.mark.outage


@pytest.fixture
def cordoned(cluster: Cluster, operator: Operator) -> Iterator[list[str]]:
    """Every node of the cluster, while none of them takes a Pod."""
    assert operator.pods(), "it runs on: a cordon ends nothing"
    nodes = [node["metadata"]["name"] for node in cluster.items("nodes")]
    cluster.kubectl("cordon", *nodes)
    yield nodes
    cluster.kubectl("uncordon", *nodes)


def test_a_run_on_cordoned_nodes_ends_as_unschedulable_and_the_next_one_succeeds(
    cluster: Cluster, namespace: str, cordoned: list[str]
) -> None:
    job = ScheduledJob.create(
        cluster,
        namespace,
        "held-off",
        command=["true"],
        pendingTimeout="10s",
        concurrencyPolicy="Forbid",
    )
    run = job.wait_run(job.run_now(suffix="while-cordoned"), timeout=60)
    assert (run["result"], run["reason"]) == ("Failed", "Unschedulable")
    assert "unschedulable" in run["message"]
    assert "exitCode" not in run
    cluster.kubectl("uncordon", *cordoned)
    asked = job.ask("run", "afterwards")["id"]
    assert job.wait_run(asked, timeout=60)["result"] == "Succeeded"
