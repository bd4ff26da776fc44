"""The chart as a user installs it: its own test, and an operator that looks after some namespaces only."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster import release
from tests.cluster.access import Cluster
from tests.cluster.release import NAMESPACE, RELEASE, Operator
from tests.e2e.scheduled_job import ScheduledJob
from tests.waiting import wait_until


def test_helm_test_passes(cluster: Cluster, operator: Operator) -> None:
    told = cluster.helm("test", RELEASE, f"--namespace={NAMESPACE}", "--logs").stdout
    assert "Phase:          Succeeded" in told


def test_the_notes_show_the_first_commands(cluster: Cluster, operator: Operator) -> None:
    notes = cluster.helm("get", "notes", RELEASE, f"--namespace={NAMESPACE}").stdout
    for command in ("kubectl apply", "kubectl get sj", "kubectl create job"):
        assert command in notes


def test_upgrading_to_the_same_version_writes_no_cronjob(
    cluster: Cluster, operator: Operator, namespace: str
) -> None:
    job = ScheduledJob.create(cluster, namespace, "steady")
    wait_until(lambda: job.get() == job.get(), describe="nothing is written any more")
    before = job.get("cronjob"), job.get()
    release.install(cluster, operator.images, values={"podAnnotations.again": "yes"})
    other = ScheduledJob.create(cluster, namespace, "later")
    assert (job.get("cronjob"), job.get()) == before
    assert other.ready["status"] == "True"
    release.install(cluster, operator.images)


@pytest.fixture
def doubled(cluster: Cluster, operator: Operator) -> Iterator[Operator]:
    """The operator with a standby."""
    yield release.install(cluster, operator.images, values={"replicaCount": "2"})
    release.install(cluster, operator.images)


def test_the_standby_takes_over_when_the_leader_is_deleted(
    cluster: Cluster, doubled: Operator, namespace: str
) -> None:
    job = ScheduledJob(cluster, namespace, "goes-on")
    # Two slots may come before the standby looks at the Lease: of these it starts the later one, and makes up
    # for the other.
    catch_up = {"policy": "All"}
    job.apply(schedule=None, every="2s", concurrencyPolicy="Allow", timeout="1m", catchUp=catch_up)
    job.wait_run()
    where = f"--namespace={NAMESPACE}"

    def holder() -> str:
        return str(cluster.get("lease", RELEASE, where)["spec"]["holderIdentity"])

    first = holder()
    assert first in doubled.pods()
    assert cluster.get("poddisruptionbudget", RELEASE, where)["spec"]["maxUnavailable"] == 1
    cluster.kubectl("delete", "pod", first, where, "--wait=false")
    second = wait_until(
        lambda: (name := holder()) not in ("", first) and name, timeout=12, describe="another one leads"
    )
    assert second in doubled.pods()
    before = job.status["counts"]["succeeded"]
    wait_until(lambda: job.status["counts"]["succeeded"] >= before + 3, timeout=60)
    assert job.status["counts"]["missed"] == 0
    assert job.status["unstarted"] == []
    job.kubectl("delete", "sj", job.name)


@pytest.fixture
def confined(cluster: Cluster, operator: Operator, namespace: str) -> Iterator[Operator]:
    """The operator with rights in the test's namespace only."""
    yield release.install(cluster, operator.images, values={"watchNamespaces[0]": namespace})
    release.install(cluster, operator.images)


def test_with_watch_namespaces_it_needs_no_right_in_the_whole_cluster(
    cluster: Cluster, confined: Operator, namespace: str
) -> None:
    outside = ScheduledJob(cluster, cluster.create_namespace(f"other-{namespace[-6:]}"), "outside")
    outside.apply()
    inside = ScheduledJob.create(cluster, namespace, "inside")
    run = inside.wait_run(inside.run_now())
    assert run["result"] == "Succeeded"
    assert outside.status == {"observedGeneration": -1}
    account = f"--as=system:serviceaccount:{NAMESPACE}:{RELEASE}"
    allowed = cluster.kubectl("auth", "can-i", "list", "jobs", "--all-namespaces", account, check=False)
    assert allowed.stdout.strip() == "no"
    outside.kubectl("delete", "namespace", outside.namespace, "--wait=false")
    wait_until(lambda: inside.ready.get("status") == "True")
