"""One ScheduledJob in the hands of a test."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml

from tests.cluster.access import Cluster
from tests.waiting import wait_until

API_VERSION = "scheduledjob.dev/v1alpha1"
NEVER = "0 0 1 1 *"
"""A schedule that does not fire during a test, but on New Year's Day."""
EVERY_MINUTE = "* * * * *"


def moment(text: str) -> datetime:
    """A time of the API, such as 2026-12-24T08:00:00Z."""
    return datetime.fromisoformat(text)


def as_text(instant: datetime) -> str:
    """A time as the API writes it."""
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


def next_minute(*, at_least: float) -> datetime:
    """The next full minute that is so many seconds away."""
    earliest = datetime.now(UTC) + timedelta(seconds=at_least)
    return earliest.replace(second=0, microsecond=0) + timedelta(minutes=1)


def seconds_between(earlier: str, later: str) -> float:
    return (moment(later) - moment(earlier)).total_seconds()


class Record(dict[str, Any]):
    """A finished run of the status. Asked for what it does not have, it says what it has instead."""

    def __missing__(self, key: str) -> Any:
        raise AssertionError(f"no {key!r} in {dict(self)!r}")


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

    def condition(self, kind: str) -> dict[str, Any]:
        """A condition of the newest generation; empty while there is none."""
        body = self.get()
        for condition in body.get("status", {}).get("conditions", []):
            current = condition["observedGeneration"] == body["metadata"]["generation"]
            if current and condition["type"] == kind:
                found: dict[str, Any] = condition
                return found
        return {}

    def wait_condition(self, kind: str, reason: str, *, timeout: float = 60) -> dict[str, Any]:
        def found() -> dict[str, Any]:
            condition = self.condition(kind)
            assert condition.get("reason") == reason, condition
            return condition

        return wait_until(found, timeout=timeout, describe=f"{kind} of {self.name} has the reason {reason}")

    @property
    def ready(self) -> dict[str, Any]:
        """The Ready condition of the newest generation; empty while there is none."""
        return self.condition("Ready")

    def wait_ready(self, *, status: str = "True", timeout: float = 60) -> dict[str, Any]:
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

    def find_run(self, job_name: str | None = None) -> Record:
        """The newest finished run, or the one that a Job began or ended, or that was made for a request.

        Empty while it is not there.
        """
        for run in self.status.get("recentRuns", []):
            if job_name is None or job_name in (run["id"], run["jobName"], run.get("request")):
                return Record(run)
        return Record()

    def wait_run(self, job_name: str | None = None, *, timeout: float = 120) -> Record:
        what = job_name or self.name
        return wait_until(
            lambda: self.find_run(job_name), timeout=timeout, describe=f"the run {what} has ended"
        )

    def ask(self, annotation: str, request: str | Mapping[str, Any]) -> dict[str, Any]:
        """Ask for something by an annotation; the answer, as it stands in status.requests."""
        before = self._answer(annotation)
        self.annotate(annotation, request)

        def answer() -> dict[str, Any]:
            found = self._answer(annotation)
            return {} if found == before else found

        return wait_until(answer, timeout=60, describe=f"{annotation} of {self.name} is answered")

    def annotate(self, annotation: str, request: str | Mapping[str, Any]) -> None:
        value = request if isinstance(request, str) else json.dumps(request)
        self.kubectl(
            "annotate", "scheduledjob", self.name, "--overwrite", f"scheduledjob.dev/{annotation}={value}"
        )

    def _answer(self, annotation: str) -> dict[str, Any]:
        requests = self.status.get("requests", [])
        return next((entry for entry in requests if entry["annotation"] == annotation), {})

    def wait_pending(self, name: str, *, timeout: float = 60) -> dict[str, Any]:
        """The entry of a run that waits, by its id or by the request it was made for."""

        def pending() -> dict[str, Any] | None:
            entries = self.status.get("pending", [])
            return next((run for run in entries if name in (run["id"], run.get("request"))), None)

        found = wait_until(pending, timeout=timeout, describe=f"{name} is pending")
        assert found is not None
        return found

    def events(self, kind: str = "ScheduledJob") -> list[tuple[str, str]]:
        """(reason, note) of the Events about it, or about the object of another kind with its name."""
        selector = f"--field-selector=involvedObject.kind={kind},involvedObject.name={self.name}"
        found = self.cluster.items("events", f"--namespace={self.namespace}", selector)
        return [(event["reason"], event["message"]) for event in found]

    def wait_event(self, reason: str, *, says: str = "", kind: str = "ScheduledJob") -> list[str]:
        """The notes of the Events with a reason, when one of them contains `says`.

        Events are posted after the status that they are about was written: one look is too soon.
        """

        def notes() -> list[str]:
            events = self.events(kind)
            found = [note for known, note in events if known == reason]
            assert any(says in note for note in found), events
            return found

        return wait_until(notes, describe=f"an Event {reason} of {self.name} says {says!r}")

    def jobs(self) -> dict[str, dict[str, Any]]:
        """Its Jobs by name."""
        selector = f"--selector=scheduledjob.dev/name={self.name}"
        found = self.cluster.items("jobs", f"--namespace={self.namespace}", selector)
        return {body["metadata"]["name"]: body for body in found}

    def slot_job(self, slot: datetime) -> str:
        """The name of the Job of a slot."""
        return f"{self.name}-{int(slot.timestamp()) // 60}"

    def log(self, job_name: str) -> str:
        """What the Pod of a Job has printed; nothing while there is none."""
        where = (f"--namespace={self.namespace}", f"job/{job_name}")
        return self.cluster.kubectl("logs", *where, check=False).stdout

    def pods(self, job_name: str) -> list[dict[str, Any]]:
        return self.cluster.items("pods", f"--namespace={self.namespace}", f"--selector=job-name={job_name}")

    def wait_running(self, job_name: str) -> dict[str, Any]:
        """The Pod of a run once its container runs."""

        def running() -> dict[str, Any] | None:
            return next((pod for pod in self.pods(job_name) if pod["status"]["phase"] == "Running"), None)

        pod = wait_until(running, timeout=120, describe=f"a Pod of {job_name} is running")
        assert pod is not None
        return pod
