"""Proves that an installed operator works. `helm test` runs this in a pod beside it.

Creates a ScheduledJob that never fires, waits until the operator has accepted it and written its CronJob,
deletes it, and waits until both are gone. Standard library only.

Environment: TEST_NAMESPACE (one the operator watches) and TEST_NAME (of the ScheduledJob).
Exit code 0; or 1 after one line that says which step failed and what was last seen.
"""  # noqa: INP001 - a script, not a package

import contextlib
import json
import os
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

Resource = dict[str, Any]

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
STEP_SECONDS = 60.0
MARK = {"app.kubernetes.io/component": "test"}


class CheckError(Exception):
    """A step that cannot come true; the text is for the person who ran `helm test`."""


class UnavailableError(Exception):
    """A call worth repeating: no connection, a busy or failing server, a right not yet granted."""


class Api(Protocol):
    """The three calls the test needs. Paths are below /apis; None means not found."""

    def get(self, path: str) -> Resource | None: ...
    def create(self, path: str, body: Resource) -> None: ...
    def delete(self, path: str) -> None: ...


class PodApi:
    """The API server as a pod sees it: address from the environment, token and CA of its ServiceAccount."""

    def __init__(self) -> None:
        host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
        self._base = f"https://{f'[{host}]' if ':' in host else host}:{port}/apis/"
        self._token = (ACCOUNT / "token").read_text().strip()
        # No proxy: the API server is inside the cluster, whatever HTTPS_PROXY says.
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))),
        )

    def get(self, path: str) -> Resource | None:
        return self._call("GET", path)

    def create(self, path: str, body: Resource) -> None:
        self._call("POST", f"{path}?fieldValidation=Strict", body)

    def delete(self, path: str) -> None:
        self._call("DELETE", path)

    def _call(self, method: str, path: str, body: Resource | None = None) -> Resource | None:
        request = urllib.request.Request(  # noqa: S310 - https, from the pod's own environment
            self._base + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
        )
        try:
            with self._opener.open(request, timeout=10) as response:
                answer: Resource = json.load(response)
                return answer
        except urllib.error.HTTPError as refusal:
            if refusal.code == 404 and method != "POST":
                return None
            sentence = f"{method} {path}: {refusal.code} {refusal.read().decode(errors='replace')}"
            if refusal.code in {403, 429} or refusal.code >= 500:
                raise UnavailableError(sentence) from None
            raise CheckError(sentence) from None
        except OSError as problem:
            raise UnavailableError(f"{method} {path}: {problem}") from None


def manifest(name: str, namespace: str) -> Resource:
    """A ScheduledJob that is accepted like any other and never fires."""
    return {
        "apiVersion": "scheduledjob.dev/v1alpha1",
        "kind": "ScheduledJob",
        "metadata": {"name": name, "namespace": namespace, "labels": MARK},
        "spec": {"enabled": False, "schedule": "0 0 1 1 *", "command": ["python", "-c", "pass"]},
    }


def ready_condition(scheduled_job: Resource | None) -> Resource:
    """The Ready condition if it is about the current generation, else an empty one."""
    seen = scheduled_job or {}
    conditions: list[Resource] = seen.get("status", {}).get("conditions", [])
    generation = seen.get("metadata", {}).get("generation")
    current = (c for c in conditions if c["type"] == "Ready" and c.get("observedGeneration") == generation)
    return next(current, {})


class Check:
    """One ScheduledJob through its life. A look returns what is still missing; nothing when it is done."""

    def __init__(self, api: Api, *, name: str, namespace: str) -> None:
        self.api, self.name, self.namespace = api, name, namespace
        self.all = f"scheduledjob.dev/v1alpha1/namespaces/{namespace}/scheduledjobs"
        self.one = f"{self.all}/{name}"
        self.cronjob = f"batch/v1/namespaces/{namespace}/cronjobs/{name}"

    def gone(self) -> str:
        found = self.api.get(self.one)
        if found is None:
            return "" if self.api.get(self.cronjob) is None else f"CronJob {self.name} is still there"
        if not MARK.items() <= found["metadata"].get("labels", {}).items():
            raise CheckError(f"ScheduledJob {self.namespace}/{self.name} is not a helm test's: rename it")
        self.api.delete(self.one)
        return f"ScheduledJob {self.name} is still there"

    def created(self) -> str:
        if self.api.get(self.one) is None:
            self.api.create(self.all, manifest(self.name, self.namespace))
        return ""

    def accepted(self) -> str:
        ready = ready_condition(self.api.get(self.one))
        if ready.get("status") == "True":
            return ""
        return json.dumps(ready) if ready else "no Ready condition: does the operator run?"

    def compiled(self) -> str:
        owners = (self.api.get(self.cronjob) or {}).get("metadata", {}).get("ownerReferences", [])
        owned = any(owner["kind"] == "ScheduledJob" and owner["name"] == self.name for owner in owners)
        return "" if owned else f"no CronJob {self.name} that the ScheduledJob owns"


def wait_until(sentence: str, look: Callable[[], str], *, seconds: float, pause: float) -> None:
    """Calls `look` until nothing is missing; raises CheckError with what was last missing after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            missing = look()
        except UnavailableError as unavailable:
            missing = str(unavailable)
        if not missing:
            sys.stdout.write(f"ok: {sentence}\n")
            return
        if time.monotonic() >= deadline:
            raise CheckError(f"{sentence}: not after {seconds:.0f} s. Last seen: {missing}")
        time.sleep(pause)


def run(check: Check, *, seconds: float = STEP_SECONDS, pause: float = 0.5) -> None:
    """Every step in turn, each at most `seconds`. The ScheduledJob is deleted whatever happens."""

    def step(sentence: str, look: Callable[[], str]) -> None:
        wait_until(sentence, look, seconds=seconds, pause=pause)

    step("nothing is left of an earlier test", check.gone)
    try:
        step(f"ScheduledJob {check.namespace}/{check.name} is created", check.created)
        step("the operator has accepted it", check.accepted)
        step("its CronJob is there", check.compiled)
    finally:
        with contextlib.suppress(UnavailableError):
            check.api.delete(check.one)
    step("both are gone again", check.gone)


def main() -> int:
    """Reads the environment, returns the exit code."""
    try:
        run(Check(PodApi(), name=os.environ["TEST_NAME"], namespace=os.environ["TEST_NAMESPACE"]))
    except CheckError as failure:
        sys.stderr.write(f"FAILED: {failure}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
