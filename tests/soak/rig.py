"""A control plane without a node, the operator beside it, a proxy between them, and a record of all Jobs."""

from __future__ import annotations

import asyncio
import shutil
import signal
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from scheduledjob_operator import names
from tests.bench.api import Api, ApiError, Body
from tests.chart.rendering import only, render
from tests.cluster.control_plane import ControlPlane
from tests.cluster.paths import CHECKOUT
from tests.soak.node import Node
from tests.soak.operator_process import OperatorProcess, copy_source
from tests.soak.proxy import Proxy
from tests.soak.strikes import Strikes

NAMESPACE, SWITCHED = "soak", "soak-switched"
"""The second is the one whose master switch is turned."""
CONTROLLERS = ("cronjob-controller", "job-controller", "garbage-collector-controller")
CRD = CHECKOUT / "crds" / "scheduledjobs.yaml"
MANAGER = "kube-controller-manager"
POLICIES = {
    "ValidatingAdmissionPolicy": "validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": "validatingadmissionpolicybindings",
}
"""The chart's, which refuse what arrives late: where they are created."""


class JobRecord:
    """Every Job there ever was, as last seen, by uid."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._watching: asyncio.Task[None] | None = None
        self.jobs: dict[str, Body] = {}

    def start(self) -> None:
        self._watching = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def _watch(self) -> None:
        path, version = "/apis/batch/v1/jobs", "1"
        version = (await self._api.send("GET", path))["metadata"]["resourceVersion"]
        while True:
            try:
                async for event in self._api.watch(path, resource_version=version):
                    body = event["object"]
                    if event["type"] == "ERROR":
                        raise RuntimeError(f"the record of the Jobs has a gap: {body.get('message')}")
                    version = body["metadata"]["resourceVersion"]
                    self.jobs[body["metadata"]["uid"]] = body
            except (aiohttp.ClientError, ApiError):
                await asyncio.sleep(0.1)

    def check(self) -> None:
        """Raise when the record is not complete."""
        if self._watching is not None and self._watching.done():
            self._watching.result()


@dataclass
class Rig:
    """All of it, running."""

    folder: Path
    plane: ControlPlane
    api: Api
    proxy: Proxy
    operator: OperatorProcess
    node: Node
    record: JobRecord
    tls: ssl.SSLContext
    """The administrator's."""

    @classmethod
    async def start(cls, *, strikes: Strikes, folder: Path | None = None, alone: bool = True) -> Rig:
        """Start from an empty etcd, on free ports; everything dies with this process.

        `alone`: whether its one operator starts too. Without it there are to be several.
        """
        folder = folder or Path(tempfile.mkdtemp(prefix="scheduledjob-soak-"))
        flags = [f"--controllers={','.join(CONTROLLERS)}", "--kube-api-qps=200", "--kube-api-burst=400"]
        plane = ControlPlane(folder=folder, controller_manager_flags=flags, dies_with_us=True)
        # The stories are of slots that Kubernetes starts, or nobody; punctual firing has a trial of its own.
        operator = OperatorProcess(
            processes=plane.processes,
            folder=folder,
            seed=strikes.seed,
            env={"SCHEDULEDJOB_OPERATOR_PUNCTUAL_FIRING": "false"},
        )
        try:
            plane.start()
            tls = _tls(plane)
            api = Api(server=plane.server, tls=tls)
            proxy = Proxy(server=plane.server, tls=tls, strikes=strikes, kill=operator.kill)
            rig = cls(
                folder=folder,
                plane=plane,
                api=api,
                proxy=proxy,
                operator=operator,
                node=Node(api),
                record=JobRecord(api),
                tls=tls,
            )
            await rig._prepare()
            if alone:
                operator.start()
                await operator.until_ready()
        except BaseException:
            plane.stop()
            raise
        return rig

    async def _prepare(self) -> None:
        definition: Any = yaml.safe_load(CRD.read_text())
        await self.api.send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition)
        for kind, resource in POLICIES.items():
            path = f"/apis/admissionregistration.k8s.io/v1/{resource}"
            await self.api.send("POST", path, only(render(), kind))
        for namespace in (NAMESPACE, SWITCHED):
            await self.api.send("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
            # Pods are refused without it, and the controller that makes it does not run here.
            accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
            await self.api.send("POST", accounts, {"metadata": {"name": "default"}})
        await self.api.until_served(f"/apis/{names.API_VERSION}/{names.PLURAL}")
        self.node.start()
        self.record.start()
        await self.proxy.start()
        copy_source(self.folder)
        self.operator.prepare(port=self.proxy.port)

    async def stop(self, *, keep: bool = False) -> None:
        """End everything. `keep`: leave the logs in the folder."""
        await self.operator.stop()
        await self.node.stop()
        await self.record.stop()
        await self.proxy.stop()
        await self.api.close()
        self.plane.stop()
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def freeze_controllers(self) -> None:
        """Kubernetes' controllers stop where they are: no slot is started, no Job makes Pods or ends."""
        self.plane.processes.send(MANAGER, signal.SIGSTOP)

    def thaw_controllers(self) -> None:
        self.plane.processes.send(MANAGER, signal.SIGCONT)


def _tls(plane: ControlPlane) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(plane.pki.crt("ca")))
    context.load_cert_chain(plane.pki.crt("admin"), plane.pki.key("admin"))
    return context
