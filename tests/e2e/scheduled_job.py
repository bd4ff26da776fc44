"""One ScheduledJob in the hands of a test."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import yaml

from tests.cluster.access import Cluster
from tests.waiting import wait_until

API_VERSION = "scheduledjob.dev/v1alpha1"
NEVER = "0 0 1 1 *"
"""A schedule that does not fire during a test, but on New Year's Day."""


@dataclass(frozen=True)
class ScheduledJob:
    """A ScheduledJob by its name, and what a user does with it."""

    cluster: Cluster
    namespace: str
    name: str

    @classmethod
    def create(cls, cluster: Cluster, namespace: str, name: str, **spec: Any) -> ScheduledJob:
        """Apply a ScheduledJob, by default one that never fires by itself, and return it when it is Ready."""
        job = cls(cluster, namespace, name)
        job.apply(**spec)
        job.wait_ready()
        return job

    def manifest(self, **spec: Any) -> dict[str, Any]:
        if "handler" not in spec and "command" not in spec:
            spec["handler"] = "hello"
        return {
            "apiVersion": API_VERSION,
            "kind": "ScheduledJob",
            "metadata": {"name": self.name},
            "spec": {"schedule": NEVER, **spec},
        }

    def apply(self, **spec: Any) -> None:
        self.cluster.apply(self.manifest(**spec), namespace=self.namespace)

    def patch(self, **spec: Any) -> None:
        """Change fields of the spec, as `kubectl patch` does."""
        text = yaml.safe_dump({"spec": spec})
        self.kubectl("patch", "scheduledjob", self.name, "--type=merge", f"--patch={text}")

    def kubectl(self, *arguments: str) -> str:
        return self.cluster.kubectl(f"--namespace={self.namespace}", *arguments).stdout

    def get(self, kind: str = "scheduledjob", name: str | None = None) -> dict[str, Any]:
        found: dict[str, Any] = self.cluster.get(kind, name or self.name, f"--namespace={self.namespace}")
        return found

    @property
    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = self.get().get("status", {})
        return status

    @property
    def ready(self) -> dict[str, Any]:
        """The Ready condition of the newest generation; empty while there is none."""
        body = self.get()
        conditions = copy.deepcopy(body.get("status", {}).get("conditions", []))
        for condition in conditions:
            if condition["observedGeneration"] == body["metadata"]["generation"]:
                ready: dict[str, Any] = condition
                return ready
        return {}

    def wait_ready(self, *, status: str = "True", timeout: float = 20) -> dict[str, Any]:
        return (
            wait_until(
                lambda: self.ready if self.ready.get("status") == status else None,
                timeout=timeout,
                describe=f"{self.name} is Ready={status}",
            )
            or {}
        )

    def run_now(self, *, suffix: str = "now") -> str:
        """Start a run by hand; the name of its Job."""
        name = f"{self.name}-{suffix}"
        self.kubectl("create", "job", name, f"--from=cronjob/{self.name}")
        return name

    def find_run(self, job_name: str | None = None) -> dict[str, Any]:
        """The newest finished run, or the one of a Job; empty while it is not there."""
        for run in self.status.get("recentRuns", []):
            if job_name is None or run["jobName"] == job_name:
                found: dict[str, Any] = run
                return found
        return {}

    def wait_run(self, job_name: str | None = None, *, timeout: float = 90) -> dict[str, Any]:
        what = job_name or self.name
        return wait_until(
            lambda: self.find_run(job_name), timeout=timeout, describe=f"the run {what} has ended"
        )

    def events(self) -> list[tuple[str, str]]:
        """(reason, note) of the Events about it."""
        selector = f"--field-selector=involvedObject.kind=ScheduledJob,involvedObject.name={self.name}"
        found = self.cluster.items("events", f"--namespace={self.namespace}", selector)
        return [(event["reason"], event["message"]) for event in found]

    def pods(self, job_name: str) -> list[dict[str, Any]]:
        return self.cluster.items("pods", f"--namespace={self.namespace}", f"--selector=job-name={job_name}")

    def wait_running(self, job_name: str) -> dict[str, Any]:
        """The Pod of a run once its container runs."""

        def running() -> dict[str, Any] | None:
            return next((pod for pod in self.pods(job_name) if pod["status"]["phase"] == "Running"), None)

        pod = wait_until(running, timeout=60, describe=f"a Pod of {job_name} is running")
        assert pod is not None
        return pod
