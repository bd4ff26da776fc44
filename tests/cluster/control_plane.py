"""etcd, kube-apiserver and, on request, the controller manager and scheduler, in a folder of their own.

Usable without a node: benchmarks and fault tests start several at once and end Jobs by writing their status.

    with ControlPlane(folder=tmp_path, apiserver_flags=["--audit-log-path=..."]) as control_plane:
        subprocess.run(["kubectl", "--kubeconfig", str(control_plane.kubeconfig), "get", "cronjobs"])
"""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster.binaries import CONTROL_PLANE, binary, build
from tests.cluster.certificates import Pki
from tests.cluster.kubeconfig import Api, write
from tests.cluster.processes import Processes, end, naming
from tests.cluster.progress import ClusterError

SERVICES = "10.96.0.0/16"
API_SERVICE = "10.96.0.1"
PROGRAMS = tuple(tool.name for tool in CONTROL_PLANE)


def free_port(address: str = "127.0.0.1") -> int:
    """A TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


@dataclass
class ControlPlane:
    """A control plane whose data, certificates, logs and pids are in `folder` (emptied by `start`).

    `port` 0 takes a free one. Flags are added after the defaults, so they win.
    The controller manager and the scheduler run when their flags are given, if only as an empty list.
    """

    folder: Path
    address: str = "127.0.0.1"
    port: int = 0
    node: str = "node1"
    etcd_flags: Sequence[str] = ()
    apiserver_flags: Sequence[str] = ()
    controller_manager_flags: Sequence[str] | None = ()
    scheduler_flags: Sequence[str] | None = None
    dies_with_us: bool = False
    """Killed with the thread that started it, so that a killed benchmark leaves nothing behind."""
    etcd_port: int = field(default=0, init=False)

    @property
    def pki(self) -> Pki:
        return Pki(self.folder / "pki")

    @property
    def processes(self) -> Processes:
        return Processes(self.folder)

    @property
    def kubeconfig(self) -> Path:
        """The administrator's."""
        return self.folder / "admin.kubeconfig"

    @property
    def server(self) -> str:
        return f"https://{self.address}:{self.port}"

    @property
    def api(self) -> Api:
        return Api.of(self.kubeconfig)

    def __enter__(self) -> ControlPlane:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, *, timeout: float = 60.0) -> None:
        """Start everything from an empty etcd and return when the API server is ready.

        Raises ClusterError with the end of the log when a component dies or `timeout` seconds pass.
        """
        build(*CONTROL_PLANE)
        self.stop()
        for data in ("etcd", "logs"):
            shutil.rmtree(self.folder / data, ignore_errors=True)
        self.port = self.port or free_port(self.address)
        self.pki.create(addresses=[*{"127.0.0.1", self.address}, API_SERVICE], node=self.node)
        for user in ("admin", "controller-manager", "scheduler", "proxy", "kubelet"):
            write(self.folder / f"{user}.kubeconfig", server=self.server, pki=self.pki, user=user)
        self.start_etcd()
        self.start_apiserver()
        self.wait_ready(timeout=timeout)  # the others end at once while their RBAC roles do not exist yet
        if self.controller_manager_flags is not None:
            self.start_controller_manager()
        if self.scheduler_flags is not None:
            self.start_scheduler()

    def stop(self) -> None:
        """End every process of this folder, also those that a crash left without a record."""
        self.processes.stop(timeout=1.0)  # the API server would wait a minute for its watches
        end(naming([self.folder], programs=PROGRAMS))

    def _start(self, name: str, argv: Sequence[str]) -> None:
        self.processes.start(name, argv, dies_with_us=self.dies_with_us)

    def start_etcd(self) -> None:
        """Start etcd on what data there is. Without fsync: a test cluster need not survive a power cut."""
        self.etcd_port = self.etcd_port or free_port()
        client, peer = f"http://127.0.0.1:{self.etcd_port}", f"http://127.0.0.1:{free_port()}"
        self._start(
            "etcd",
            [
                binary("etcd"),
                f"--data-dir={self.folder / 'etcd'}",
                f"--listen-client-urls={client}",
                f"--advertise-client-urls={client}",
                f"--listen-peer-urls={peer}",
                f"--initial-advertise-peer-urls={peer}",
                f"--initial-cluster=default={peer}",
                "--unsafe-no-fsync",
                "--quota-backend-bytes=8589934592",
                "--log-level=warn",
                *self.etcd_flags,
            ],
        )

    def start_apiserver(self) -> None:
        pki = self.pki
        self._start(
            "kube-apiserver",
            [
                binary("kube-apiserver"),
                f"--etcd-servers=http://127.0.0.1:{self.etcd_port}",
                f"--bind-address={self.address}",
                f"--secure-port={self.port}",
                f"--advertise-address={self.address}",
                *(["--endpoint-reconciler-type=none"] if self.address.startswith("127.") else []),
                f"--service-cluster-ip-range={SERVICES}",
                f"--client-ca-file={pki.crt('ca')}",
                f"--tls-cert-file={pki.crt('apiserver')}",
                f"--tls-private-key-file={pki.key('apiserver')}",
                f"--kubelet-client-certificate={pki.crt('apiserver-kubelet')}",
                f"--kubelet-client-key={pki.key('apiserver-kubelet')}",
                # without it the server looks the node's name up in the machine's DNS for `kubectl logs`
                "--kubelet-preferred-address-types=InternalIP",
                f"--service-account-key-file={pki.folder / 'service-account.pub'}",
                f"--service-account-signing-key-file={pki.key('service-account')}",
                "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
                "--authorization-mode=Node,RBAC",
                "--enable-admission-plugins=NodeRestriction",
                "--allow-privileged=true",
                *self.apiserver_flags,
            ],
        )

    def start_controller_manager(self) -> None:
        config = self.folder / "controller-manager.kubeconfig"
        self._start(
            "kube-controller-manager",
            [
                binary("kube-controller-manager"),
                f"--kubeconfig={config}",
                f"--authentication-kubeconfig={config}",
                f"--authorization-kubeconfig={config}",
                f"--bind-address={self.address}",
                f"--secure-port={free_port(self.address)}",
                "--leader-elect=false",
                "--use-service-account-credentials=true",
                f"--root-ca-file={self.pki.crt('ca')}",
                f"--service-account-private-key-file={self.pki.key('service-account')}",
                *(self.controller_manager_flags or ()),
            ],
        )

    def start_scheduler(self) -> None:
        config = self.folder / "scheduler.kubeconfig"
        self._start(
            "kube-scheduler",
            [
                binary("kube-scheduler"),
                f"--kubeconfig={config}",
                f"--authentication-kubeconfig={config}",
                f"--authorization-kubeconfig={config}",
                f"--bind-address={self.address}",
                f"--secure-port={free_port(self.address)}",
                "--leader-elect=false",
                *(self.scheduler_flags or ()),
            ],
        )

    def wait_ready(self, *, timeout: float) -> None:
        """Return when `/readyz` says ok."""
        deadline = time.monotonic() + timeout
        api, last = self.api, "no answer yet"
        while time.monotonic() < deadline:
            for record in self.processes.records():
                self.processes.check(record.name)
            try:
                if api.text("/readyz") == "ok":
                    return
            except (OSError, ClusterError) as error:
                last = str(error)
            time.sleep(0.05)
        raise ClusterError(f"the API server at {self.server} is not ready after {timeout:.0f} s: {last}")
