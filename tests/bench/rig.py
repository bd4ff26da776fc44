"""A control plane to measure on: etcd, API server, controller manager, no node; all requests are logged.

The API server's audit log tells who asked for what, and when the answer left. The operator and its peer have
a service account of their own each, so that all requests are counted, whichever client library sent them.
"""

from __future__ import annotations

import json
import shutil
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.bench.api import Api
from tests.bench.audit import AuditLog
from tests.cluster.control_plane import ControlPlane
from tests.cluster.paths import CHECKOUT

SYSTEM = "scheduledjob-system"
OPERATOR = "scheduledjob-operator"
PEER = "bench-peer"
ACCOUNTS = (OPERATOR, PEER)
NAMESPACES = tuple(f"bench-{number:02d}" for number in range(16))
CRD = CHECKOUT / "crds" / "scheduledjobs.yaml"

# No job controller: the benchmark ends Jobs itself by writing their status, and there is no node for Pods.
CONTROLLERS = ("cronjob-controller", "garbage-collector-controller", "namespace-controller")

# Thousands of deletions are waited for; at the default limits, 20 and 30, that takes minutes.
RAISED_LIMITS = ("--kube-api-qps=1000", "--kube-api-burst=2000")

CRON_JOB_CONTROLLER = "system:serviceaccount:kube-system:cronjob-controller"
"""What the API server calls Kubernetes' own controller, which makes Jobs too."""

READ = ["get", "list", "watch"]
RULES: list[dict[str, Any]] = [
    {"apiGroups": ["scheduledjob.dev"], "resources": ["scheduledjobs"], "verbs": READ},
    {"apiGroups": ["scheduledjob.dev"], "resources": ["scheduledjobs/status"], "verbs": ["patch"]},
    {"apiGroups": ["batch"], "resources": ["cronjobs"], "verbs": [*READ, "create", "patch"]},
    {"apiGroups": ["batch"], "resources": ["cronjobs/status"], "verbs": ["patch"]},
    {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": [*READ, "create", "patch", "delete"]},
    {"apiGroups": [""], "resources": ["pods", "namespaces"], "verbs": READ},
    {"apiGroups": ["", "events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"]},
    {"apiGroups": [""], "resources": ["events"], "verbs": ["list"]},
]
"""The operator's own permissions; the peer has the same."""


@dataclass
class Rig:
    """A running control plane with the resource definition, the namespaces and the service accounts in it."""

    folder: Path
    plane: ControlPlane
    audit: AuditLog
    api: Api

    @classmethod
    async def start(cls, *, raised_limits: bool = True) -> Rig:
        """Start from an empty etcd, on free ports, in a temporary folder.

        Without `raised_limits` Kubernetes' controllers send as many requests as they do by default.
        """
        folder = Path(tempfile.mkdtemp(prefix="scheduledjob-bench-"))
        audit = AuditLog(folder / "audit.log")
        policy = folder / "audit-policy.yaml"
        policy.write_text(json.dumps(_policy()))
        plane = ControlPlane(
            folder=folder,
            apiserver_flags=[
                f"--audit-policy-file={policy}",
                f"--audit-log-path={audit.path}",
                "--audit-log-maxsize=4000",  # MB: it must not be rotated away while it is read
            ],
            controller_manager_flags=[
                f"--controllers={','.join(CONTROLLERS)}",
                *(RAISED_LIMITS if raised_limits else ()),
            ],
        )
        try:
            plane.start()
            rig = cls(folder=folder, plane=plane, audit=audit, api=Api(server=plane.server, tls=_tls(plane)))
            await rig._prepare()
        except BaseException:
            plane.stop()
            raise
        return rig

    async def stop(self) -> None:
        await self.api.close()
        self.plane.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def kubeconfig(self, account: str) -> Path:
        """The file that a program reads to be this service account."""
        return self.folder / f"{account}.kubeconfig"

    def pid(self, name: str) -> int:
        """Process id of a component, such as `kube-apiserver`."""
        return next(record.pid for record in self.plane.processes.records() if record.name == name)

    async def _prepare(self) -> None:
        definition = yaml.safe_load(CRD.read_text())
        await self.api.send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition)
        for namespace in (SYSTEM, *NAMESPACES):
            await self.api.send("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
            # Pods are refused without it, and the controller that makes it does not run here.
            await self.api.send(
                "POST", f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": "default"}}
            )
        rbac = "/apis/rbac.authorization.k8s.io/v1"
        await self.api.send("POST", f"{rbac}/clusterroles", {"metadata": {"name": OPERATOR}, "rules": RULES})
        for account in ACCOUNTS:
            await self._admit(account)
        await self.api.until_served("/apis/scheduledjob.dev/v1alpha1/scheduledjobs")

    async def _admit(self, account: str) -> None:
        """Make a service account with the operator's permissions, and a kubeconfig for it."""
        accounts = f"/api/v1/namespaces/{SYSTEM}/serviceaccounts"
        await self.api.send("POST", accounts, {"metadata": {"name": account}})
        binding = {
            "metadata": {"name": account},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": OPERATOR},
            "subjects": [{"kind": "ServiceAccount", "namespace": SYSTEM, "name": account}],
        }
        await self.api.send("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding)
        spec = {"spec": {"expirationSeconds": 24 * 3600}}
        token = await self.api.send("POST", f"{accounts}/{account}/token", spec)
        document = _kubeconfig(self.plane, token=token["status"]["token"])
        self.kubeconfig(account).write_text(json.dumps(document))


def user(account: str) -> str:
    """What the API server calls a service account."""
    return f"system:serviceaccount:{SYSTEM}:{account}"


def _kubeconfig(plane: ControlPlane, *, token: str) -> dict[str, Any]:
    cluster = {"server": plane.server, "certificate-authority": str(plane.pki.crt("ca"))}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "bench", "cluster": cluster}],
        "users": [{"name": "bench", "user": {"token": token}}],
        "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench"}}],
        "current-context": "bench",
    }


def _policy() -> dict[str, Any]:
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        # Of a watch, the start is written down; of everything else, the answer.
        "omitStages": ["RequestReceived"],
        "rules": [
            {"level": "Metadata", "users": [user(account) for account in ACCOUNTS]},
            {
                "level": "Metadata",
                "users": [CRON_JOB_CONTROLLER],
                "verbs": ["create"],
                "resources": [{"group": "batch", "resources": ["jobs"]}],
            },
            {"level": "None"},
        ],
    }


def _tls(plane: ControlPlane) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(plane.pki.crt("ca")))
    context.load_cert_chain(plane.pki.crt("admin"), plane.pki.key("admin"))
    return context
