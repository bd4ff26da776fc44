"""kopf's side: start, stop, and every event of a ScheduledJob handed on. Nothing is written through kopf."""

import itertools
import random
import time
from collections.abc import Iterator
from typing import Any, cast

import kopf

from scheduledjob_operator import names
from scheduledjob_operator.controller import Controller
from scheduledjob_operator.probes import ProbeServer
from scheduledjob_operator.settings import Settings


class EndlessBackoffs:
    """Seconds to wait between attempts, without end: after the last one kopf lets a watch die for good."""

    def __iter__(self) -> Iterator[float]:
        for attempt in itertools.count():
            yield min(2.0**attempt, 30.0) * random.uniform(0.5, 1.0)  # noqa: S311  # jitter


class NothingToCompare(kopf.DiffBaseStorage):
    """No handler of ours compares an object with what it was: spare the copies that kopf makes for it."""

    def build(self, *, body: kopf.Body, extra_fields: Any = None) -> kopf.BodyEssence:  # noqa: ARG002
        return cast("kopf.BodyEssence", {})

    def fetch(self, *, body: kopf.Body) -> kopf.BodyEssence | None:  # noqa: ARG002
        return None

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: kopf.BodyEssence) -> None:
        """Never called: nothing is written through kopf."""


def configure(settings: kopf.OperatorSettings) -> None:
    """Set kopf up as a plain watcher: no discovery, no peering, no Events, and it never gives up."""
    settings.scanning.disabled = True
    settings.peering.standalone = True
    settings.posting.enabled = False
    settings.watching.server_timeout = 300
    settings.watching.client_timeout = 310
    settings.watching.chunk_size = 500
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 5
    settings.networking.error_backoffs = EndlessBackoffs()
    settings.queueing.idle_timeout = 0.5
    settings.persistence.diffbase_storage = NothingToCompare()


def register(registry: kopf.OperatorRegistry, *, settings: Settings) -> None:
    """Put the handlers into a registry of their own."""
    running: dict[str, Any] = {}

    @kopf.on.login(registry=registry)
    def log_in(**kwargs: Any) -> kopf.ConnectionInfo | None:
        return kopf.login_with_service_account(**kwargs) or kopf.login_via_client(**kwargs)

    @kopf.on.startup(registry=registry)
    async def start(settings: kopf.OperatorSettings, **_: Any) -> None:
        configure(settings)
        controller = await Controller.start(own)
        probes = ProbeServer(controller=controller, clock=time.monotonic)
        await probes.start(port=own.http_port)
        running.update(controller=controller, probes=probes)

    @kopf.on.cleanup(registry=registry)
    async def stop(**_: Any) -> None:
        if running:
            await running["probes"].stop()
            await running["controller"].stop()

    @kopf.on.event(names.GROUP, names.VERSION, names.PLURAL, registry=registry)
    async def scheduled_job(event: kopf.RawEvent, **_: Any) -> None:
        running["controller"].scheduled_job_event(type_=event["type"], body=event["object"])

    own = settings
