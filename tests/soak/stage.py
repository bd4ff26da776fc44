"""One ScheduledJob on the stage: what people do to it, and what it is waited for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from scheduledjob_operator import names
from tests.bench.api import MERGE_PATCH, ApiError, Body
from tests.soak.rig import NAMESPACE, Rig

BATCH = "/apis/batch/v1"
PATIENCE = 300.0
"""Seconds until something that does not come is lost. The operator is killed many times meanwhile."""


class TooLateError(Exception):
    """The operator was killed so often that a story missed its slot: the round says nothing about it."""


@dataclass(kw_only=True)
class Actor:
    """A ScheduledJob. `base`: the minute at which slots come due in this round."""

    rig: Rig
    story: str
    round: int
    base: datetime
    namespace: str = NAMESPACE
    waits_for: str = field(default="", init=False)

    @property
    def name(self) -> str:
        return f"{self.story}-{self.round:02d}"

    @property
    def path(self) -> str:
        return f"/apis/{names.API_VERSION}/namespaces/{self.namespace}/{names.PLURAL}/{self.name}"

    @property
    def cron_job(self) -> str:
        return f"{BATCH}/namespaces/{self.namespace}/cronjobs/{self.name}"

    @property
    def at_base(self) -> str:
        """A schedule whose next slot is the base."""
        return f"{self.base.minute} {self.base.hour} * * *"

    @property
    def between(self) -> str:
        """A schedule with a slot half an hour before and after the base, and every hour."""
        return f"{(self.base.minute + 30) % 60} * * * *"

    async def create(self, *, plan: dict[str, str] | None = None, **spec: Any) -> None:
        """Create it and wait until it is ready. `plan`: what its runs do, see `node`.

        A field that is None is left out, such as `schedule` where there is `every`.
        """
        env = [{"name": name, "value": value} for name, value in (plan or {}).items()]
        base = {"schedule": self.between, "command": ["true"], "image": "job", "env": env}
        given = {key: value for key, value in {**base, **spec}.items() if value is not None}
        metadata = {"name": self.name, "namespace": self.namespace}
        body = {"apiVersion": names.API_VERSION, "kind": names.KIND, "metadata": metadata, "spec": given}
        await self.rig.api.send("POST", self.path.rpartition("/")[0], body)
        await self.until(lambda status: condition(status, "Ready") == "True", "it is ready")

    async def create_in_time(self, *, plan: dict[str, str] | None = None, **spec: Any) -> None:
        """Create it with a slot at the base. Raises TooLateError when that is past before it is ready."""
        await self.create(plan=plan, schedule=self.at_base, **spec)
        if datetime.now(UTC) > self.base - timedelta(seconds=4):
            raise TooLateError

    async def change(self, **spec: Any) -> None:
        await self._merge(self.path, {"spec": spec})

    async def ask(self, annotation: str, value: str | dict[str, Any]) -> None:
        """Make a request, such as `run.2`."""
        text = value if isinstance(value, str) else json.dumps(value)
        await self._merge(self.path, {"metadata": {"annotations": {f"{names.GROUP}/{annotation}": text}}})

    async def change_cron_job(self, **spec: Any) -> None:
        """Write into the CronJob, as somebody who does not know whose it is."""
        await self._merge(self.cron_job, {"spec": spec})

    async def change_job(self, name: str, patch: Body) -> None:
        await self._merge(f"{BATCH}/namespaces/{self.namespace}/jobs/{name}", patch)

    async def _merge(self, path: str, patch: Body) -> None:
        await self.rig.api.send("PATCH", path, patch, content_type=MERGE_PATCH)

    async def get(self) -> Body:
        return await self.rig.api.send("GET", self.path)

    async def until(self, reached: Callable[[Body], bool], what: str, *, seconds: float = PATIENCE) -> Body:
        """The status as soon as something is so. Raises TimeoutError."""
        self.waits_for = what
        async with asyncio.timeout(seconds):
            while True:
                status: Body = (await self.get()).get("status") or {}
                if reached(status):
                    return status
                await asyncio.sleep(0.2)

    async def until_ended(self, runs: int) -> Body:
        """The status once so many runs have ended, in whatever way."""

        def reached(status: Body) -> bool:
            return len(status.get("recentRuns", ())) >= runs

        return await self.until(reached, f"{runs} runs have ended")

    async def until_active(self, *, beside: set[str] | None = None) -> Body:
        """The one active run that is not one of `beside`, once its Pod runs."""

        def new(status: Body) -> list[Body]:
            return [run for run in status.get("active", []) if run["id"] not in (beside or set())]

        status = await self.until(lambda status: bool(new(status)), "a run is active")
        run = new(status)[0]
        executions = self.rig.node.executions
        self.waits_for = f"the Pod of {run['jobName']} runs"
        async with asyncio.timeout(PATIENCE):
            while all(each.job != run["jobName"] for each in executions.values()):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        return run

    async def until_cron_job(self, **spec: Any) -> None:
        """Wait until the spec of the CronJob has these values."""
        self.waits_for = f"the CronJob has {spec}"
        async with asyncio.timeout(PATIENCE):
            while True:
                have = (await self.rig.api.send("GET", self.cron_job))["spec"]
                if all(have[name] == value for name, value in spec.items()):
                    return
                await asyncio.sleep(0.2)

    async def until_moment(self, seconds: float) -> None:
        """Wait until so long after the base."""
        moment = self.base + timedelta(seconds=seconds)
        await asyncio.sleep(max((moment - datetime.now(UTC)).total_seconds(), 0.0))

    async def delete(self) -> None:
        try:
            await self.rig.api.send("DELETE", self.path)
        except ApiError:
            return  # it was never created


def condition(status: Body, type_: str) -> str | None:
    """Status of a condition."""
    found = (entry["status"] for entry in status.get("conditions", ()) if entry["type"] == type_)
    return next(found, None)


def text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
