"""A namespace in which runs are active can be deleted."""

from __future__ import annotations

import secrets

import pytest

from tests.cluster.access import Cluster
from tests.e2e.scheduled_job import ScheduledJob
from tests.plugin import RESTRICTED

pytestmark = pytest.mark.usefixtures("operator")


def test_it_goes_though_kubernetes_would_try_a_run_again(cluster: Cluster) -> None:
    """Of a Job with retries Kubernetes keeps a failed Pod until there is the next one; none can be made."""
    namespace = cluster.create_namespace(f"deleted-{secrets.token_hex(3)}", labels=RESTRICTED)
    job = ScheduledJob.create(
        cluster, namespace, "tried-again", handler="sleep", args={"seconds": 600}, retry={"limit": 3}
    )
    job.wait_running(job.run_now())
    cluster.kubectl("delete", "namespace", namespace, "--wait=true", "--timeout=90s")
