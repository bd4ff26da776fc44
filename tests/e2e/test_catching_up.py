"""An outage: the operator and Kubernetes' own controllers are away while slots pass."""

from __future__ import annotations

import secrets
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from tests.cluster.access import Cluster
from tests.cluster.paths import STATE
from tests.cluster.processes import Processes
from tests.cluster.release import Operator
from tests.e2e.scheduled_job import EVERY_MINUTE, ScheduledJob, as_text, moment, next_minute
from tests.plugin import RESTRICTED
from tests.waiting import wait_until

pytestmark = pytest.mark.outage

CONTROLLERS = "kube-controller-manager"
POLICIES = ("All", "Latest", "None")


@dataclass(frozen=True)
class Outage:
    missed: datetime
    """A slot that nothing started."""
    late: datetime
    """The next one, which Kubernetes starts when it is back."""
    jobs: dict[str, ScheduledJob]
    """By the policy of catching up."""


@pytest.fixture(scope="module")
def outage(cluster: Cluster, operator: Operator) -> Iterator[Outage]:
    """An outage that is over."""
    if cluster.provider != "local":
        pytest.skip("the controllers of this cluster cannot be stopped: that takes the local provider")
    namespace = cluster.create_namespace(f"catching-up-{secrets.token_hex(3)}", labels=RESTRICTED)
    jobs = {policy: ScheduledJob(cluster, namespace, f"catch-up-{policy.lower()}") for policy in POLICIES}
    for policy, job in jobs.items():
        job.apply(schedule=EVERY_MINUTE, handler="hello", catchUp={"policy": policy}, timeout="1m")
    for job in jobs.values():
        job.wait_ready()
    processes = Processes(STATE)
    try:
        operator.stop()
        # Kubernetes is done with the slot before, and has not begun with the one that it shall miss.
        wait_until(lambda: 10 <= datetime.now(UTC).second < 59, describe="no slot is near", interval=0.02)
        processes.send(CONTROLLERS, signal.SIGSTOP)
        missed = next_minute(at_least=0)
        late = missed + timedelta(minutes=1)
        wait_until(lambda: datetime.now(UTC) > late, timeout=125, describe="two slots have passed")
    finally:
        processes.send(CONTROLLERS, signal.SIGCONT)
        operator.start()
    yield Outage(missed, late, jobs)
    cluster.kubectl("delete", "namespace", namespace, "--wait=false")


@pytest.mark.parametrize("policy", POLICIES)
def test_the_latest_slot_is_started_late_by_kubernetes_itself(policy: str, outage: Outage) -> None:
    job = outage.jobs[policy]
    run = job.wait_run(job.slot_job(outage.late))
    assert (run["trigger"], run["result"], run["slot"]) == ("Schedule", "Succeeded", as_text(outage.late))


def test_with_the_policy_all_every_slot_has_exactly_one_run(outage: Outage) -> None:
    job = outage.jobs["All"]
    run = job.wait_run(job.slot_job(outage.missed))
    assert (run["trigger"], run["result"], run["slot"]) == ("CatchUp", "Succeeded", as_text(outage.missed))
    late = job.wait_run(job.slot_job(outage.late))
    assert moment(run["startTime"]) >= moment(late["endTime"])  # never both at once
    status = job.status
    slots = [entry["slot"] for entry in (*status["recentRuns"], *status["active"])]
    assert len(slots) == len(set(slots))
    assert (status["unstarted"], status["counts"]["missed"]) == ([], 0)
    (note,) = job.wait_event("CatchingUp")
    assert note.startswith(f"slot {as_text(outage.missed)} will be caught up")


@pytest.mark.parametrize("policy", ["Latest", "None"])
def test_else_a_slot_before_the_latest_one_is_missed_and_counted_once(policy: str, outage: Outage) -> None:
    job = outage.jobs[policy]
    job.wait_run(job.slot_job(outage.late))
    (entry,) = wait_until(lambda: job.status["unstarted"], timeout=60, describe="the slot has its verdict")
    assert (entry["result"], entry["reason"], entry["count"]) == ("Missed", "NothingStartedIt", 1)
    assert entry["first"] == entry["last"] == as_text(outage.missed)
    status = job.status
    assert (status["counts"]["missed"], status["pending"]) == (1, [])
    assert moment(status["accountedUntil"]) >= outage.missed
    assert job.slot_job(outage.missed) not in job.jobs()
    assert len(job.wait_event("SlotsMissed")) == 1
