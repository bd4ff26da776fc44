"""Plays the kubelet: starts each Pod and ends it as its plan says. There is no node behind it.

The plan is in the Pod's own variables, so that what a run does depends on which run and which attempt it is,
and on nothing else:

  SECONDS          how long it runs, 3600 for one that is to be cancelled
  FAILING          the triggers whose runs fail, such as `Manual,Backfill`; `*` for all
  FAILING_ATTEMPTS how many attempts of them fail; all by default
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp

from scheduledjob_operator import names
from tests.bench.api import MERGE_PATCH, Api, ApiError, Body

EXIT_CODE = 1
MESSAGE = "as planned"


@dataclass(frozen=True, kw_only=True)
class Execution:
    """A Pod that was started."""

    namespace: str
    job: str
    job_uid: str
    exit_code: int | None
    """None for one that did not end by itself."""
    env: Mapping[str, str]


class Node:
    """All Pods of ScheduledJobs are its."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._known: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._watching: asyncio.Task[None] | None = None
        self.executions: dict[str, Execution] = {}
        """By the uid of the Pod."""

    def start(self) -> None:
        self._watching = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        tasks = [*self._tasks, *filter(None, [self._watching])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            try:
                page = await self._api.send("GET", f"/api/v1/pods?labelSelector={names.SELECTOR}")
                for body in page["items"]:
                    self._take(body)
                version = page["metadata"]["resourceVersion"]
                path = "/api/v1/pods"
                async for event in self._api.watch(path, resource_version=version):
                    if event["type"] in ("ADDED", "MODIFIED"):
                        self._take(event["object"])
            except (ApiError, aiohttp.ClientError, KeyError):
                await asyncio.sleep(0.2)

    def _take(self, body: Body) -> None:
        metadata = body["metadata"]
        ours = (metadata.get("labels") or {}).get(names.LABEL_MANAGED_BY) == names.MANAGED_BY
        if not ours or metadata["uid"] in self._known or "deletionTimestamp" in metadata:
            return
        self._known.add(metadata["uid"])
        task = asyncio.create_task(self._run(body))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, body: Body) -> None:
        metadata = body["metadata"]
        env = _env(body)
        code = exit_code(env, metadata.get("annotations") or {})
        seconds = float(env.get("SECONDS", "0.3"))
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/status"
        owner = metadata["ownerReferences"][0]
        execution = Execution(
            namespace=metadata["namespace"],
            job=owner["name"],
            job_uid=owner["uid"],
            exit_code=None if seconds >= 3600 else code,
            env=env,
        )
        started = _now()
        running = {"running": {"startedAt": started}}
        try:
            await self._report(path, phase="Running", state=running)
            self.executions[metadata["uid"]] = execution
            await asyncio.sleep(seconds)
            terminated = {
                "exitCode": code,
                "reason": "Error" if code else "Completed",
                "startedAt": started,
                "finishedAt": _now(),
                "message": MESSAGE,
            }
            phase = "Failed" if code else "Succeeded"
            await self._report(path, phase=phase, state={"running": None, "terminated": terminated})
        except ApiError:
            return  # deleted meanwhile

    async def _report(self, path: str, *, phase: str, state: Body) -> None:
        container = {
            "name": names.CONTAINER,
            "image": "job",
            "imageID": "",
            "ready": phase == "Running",
            "restartCount": 0,
            "state": {key: value for key, value in state.items() if value is not None},
        }
        status = {"phase": phase, "containerStatuses": [container]}
        await self._api.send("PATCH", path, {"status": status}, content_type=MERGE_PATCH)


def exit_code(env: Mapping[str, str], annotations: Mapping[str, str]) -> int:
    """How a run ends. One that Kubernetes' controller has made carries no annotations of ours."""
    trigger = annotations.get(names.ANNOTATION_TRIGGER, "Schedule")
    attempt = int(annotations.get(names.ANNOTATION_ATTEMPT, "1"))
    failing = env.get("FAILING", "").split(",")
    fails = "*" in failing or trigger in failing
    return EXIT_CODE if fails and attempt <= int(env.get("FAILING_ATTEMPTS", "1000")) else 0


def _env(body: Body) -> dict[str, str]:
    entries: list[dict[str, Any]] = body["spec"]["containers"][0].get("env") or []
    return {entry["name"]: str(entry.get("value", "")) for entry in entries}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
