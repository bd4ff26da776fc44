"""One node on this machine: containerd, kubelet, kube-proxy and the DNS server for pods."""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path

from tests.cluster import container_runtime, network
from tests.cluster.binaries import binary
from tests.cluster.commands import attempt
from tests.cluster.control_plane import ControlPlane
from tests.cluster.network import Addresses
from tests.cluster.paths import CHECKOUT, STATE
from tests.cluster.processes import Processes
from tests.cluster.progress import ClusterError

NAME = "node1"
CGROUP = "scheduledjob-testcluster"
"""All containers of the node run below this cgroup, so that left-overs can be told from anyone else's."""

DOMAIN = "cluster.local"


def cgroup_roots(mounts: str) -> list[Path]:
    """Where `CGROUP` is made: every hierarchy of cgroup v1, or that of v2. `mounts` is /proc/self/mounts."""
    lines = [line.split() for line in mounts.splitlines()]
    v1 = [Path(fields[1]) for fields in lines if fields[2] == "cgroup"]
    return v1 or [Path(fields[1]) for fields in lines if fields[2] == "cgroup2"]


def kubelet_configuration(addresses: Addresses, *, client_ca: Path) -> dict[str, object]:
    """Pods start at once, nothing is throttled, and a full disk or little memory evicts nothing."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": addresses.node,
        "healthzBindAddress": addresses.node,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(client_ca)},
        },
        "authorization": {"mode": "Webhook"},
        "containerRuntimeEndpoint": f"unix://{container_runtime.SOCKET}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{CGROUP}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "oomScoreAdj": 0,
        "evictionHard": {},
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "clusterDNS": [addresses.node],
        "clusterDomain": DOMAIN,
        "resolvConf": str(STATE / "resolv.conf"),
        "podLogsDir": str(STATE / "pod-logs"),
        "maxPods": 500,
        "serializeImagePulls": False,
        "registryPullQPS": 0,
        "eventRecordQPS": 0,
        "kubeAPIQPS": 200,
        "kubeAPIBurst": 400,
        "volumePluginDir": str(STATE / "volume-plugins"),
    }


def proxy_configuration(addresses: Addresses, *, config: Path) -> dict[str, object]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "bindAddress": addresses.node,
        "healthzBindAddress": f"{addresses.node}:10256",
        "metricsBindAddress": f"{addresses.node}:10249",
        "clusterCIDR": addresses.pods,
        "hostnameOverride": NAME,
        "clientConnection": {"kubeconfig": str(config)},
        # the limits of the whole machine are not ours to change
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        "nftables": {"minSyncPeriod": "0s", "syncPeriod": "30s"},
    }


def start(processes: Processes, control_plane: ControlPlane, addresses: Addresses) -> None:
    """Start everything that makes this machine the node. The API server must be ready."""
    container_runtime.start(processes, pods=addresses.pods)
    for root in cgroup_roots(Path("/proc/self/mounts").read_text()):
        (root / CGROUP).mkdir(exist_ok=True)
    (STATE / "resolv.conf").write_text(f"nameserver {addresses.node}\n")
    _start_kubelet(processes, control_plane, addresses)
    _start_proxy(processes, control_plane, addresses)
    start_dns(processes, control_plane, addresses)


def _start_kubelet(processes: Processes, control_plane: ControlPlane, addresses: Addresses) -> None:
    config = STATE / "kubelet.json"
    settings = kubelet_configuration(addresses, client_ca=control_plane.pki.crt("ca"))
    config.write_text(json.dumps(settings, indent=1))
    processes.start(
        "kubelet",
        [
            binary("kubelet"),
            f"--config={config}",
            f"--kubeconfig={control_plane.folder / 'kubelet.kubeconfig'}",
            f"--root-dir={STATE / 'kubelet'}",
            f"--cert-dir={STATE / 'kubelet-pki'}",
            f"--hostname-override={NAME}",
            f"--node-ip={addresses.node}",
        ],
    )


def _start_proxy(processes: Processes, control_plane: ControlPlane, addresses: Addresses) -> None:
    config = STATE / "kube-proxy.json"
    access = control_plane.folder / "proxy.kubeconfig"
    config.write_text(json.dumps(proxy_configuration(addresses, config=access), indent=1))
    processes.start("kube-proxy", [binary("kube-proxy"), f"--config={config}"])


def start_dns(processes: Processes, control_plane: ControlPlane, addresses: Addresses) -> None:
    processes.start(
        "dns",
        [
            sys.executable,
            *("-m", "tests.cluster.dns", "--address", addresses.node, "--domain", DOMAIN),
            *("--kubeconfig", str(control_plane.kubeconfig)),
        ],
        env={"PYTHONPATH": str(CHECKOUT)},
    )


def wait_ready(control_plane: ControlPlane, *, timeout: float = 90.0) -> None:
    """Return when the node is Ready and a pod can be made (the default service account exists)."""
    deadline = time.monotonic() + timeout
    api, last = control_plane.api, "nothing"
    while time.monotonic() < deadline:
        for record in control_plane.processes.records():
            control_plane.processes.check(record.name)
        try:
            node = api.get(f"/api/v1/nodes/{NAME}")
            states = {each["type"]: each for each in node["status"].get("conditions", [])}
            ready = states.get("Ready", {})
            last = str(ready.get("message") or ready)
            if ready.get("status") == "True":
                api.get("/api/v1/namespaces/default/serviceaccounts/default")
                return
        except (OSError, ClusterError) as error:
            last = str(error)
        time.sleep(0.1)
    raise ClusterError(f"the node is not ready after {timeout:.0f} s: {last}")


def remove_network() -> None:
    """Take away what the node left in the kernel's network: Service rules and its address."""
    if network.exists() and shutil.which("nft"):
        for family in ("ip", "ip6"):
            attempt("nft", "delete", "table", family, "kube-proxy")
    network.remove()
