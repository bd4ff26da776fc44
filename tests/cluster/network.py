"""The node's own address: on a bridge without ports, in a subnet that nothing else on this machine uses."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.commands import run
from tests.cluster.control_plane import SERVICES
from tests.cluster.progress import ClusterError

BRIDGE = "sj-node"

# Pairs (network of the node's address, network of the pods); the first that is free is taken.
CANDIDATES = (
    ("10.253.0.0/24", "10.244.0.0/22"),
    ("172.31.253.0/24", "172.31.240.0/22"),
    ("192.168.253.0/24", "192.168.244.0/22"),
)


@dataclass(frozen=True)
class Addresses:
    """The node's address and the network that pods get theirs from."""

    node: str
    pods: str


def choose(taken: Iterable[str]) -> Addresses:
    """The first candidate that overlaps none of the networks (CIDR) in use. Pure."""
    used = [ipaddress.ip_network(network, strict=False) for network in taken]
    services = ipaddress.ip_network(SERVICES)
    for network in used:
        if network.version == 4 and network.prefixlen and network.overlaps(services):
            raise ClusterError(f"this machine uses {network}, which overlaps the Service network {SERVICES}")
    for node, pods in CANDIDATES:
        ours = ipaddress.ip_network(node), ipaddress.ip_network(pods)
        if not any(n.version == 4 and n.prefixlen and n.overlaps(o) for n in used for o in ours):
            return Addresses(node=str(ours[0][1]), pods=pods)
    raise ClusterError(f"none of the networks {CANDIDATES} is free on this machine")


def in_use() -> list[str]:
    """The networks that this machine has addresses in or routes to, without our own bridge's and pods'."""
    found = []
    for route in json.loads(ip("-json", "-4", "route", "show", "table", "all") or "[]"):
        target = route.get("dst", "default")
        ours = route.get("dev") == BRIDGE or str(route.get("dev", "")).startswith("veth")
        if target != "default" and not ours and route.get("type", "unicast") == "unicast":
            found.append(target)
    return found


def ip(*arguments: str) -> str:
    """Run `ip`; raises ClusterError with what it said."""
    return run("ip", *arguments)


def exists() -> bool:
    return Path("/sys/class/net", BRIDGE).exists()


def create(addresses: Addresses) -> None:
    """Make the bridge with the node's address, and let the kernel forward between pods."""
    remove()
    ip("link", "add", BRIDGE, "type", "bridge")
    ip("address", "add", f"{addresses.node}/32", "dev", BRIDGE)
    ip("link", "set", BRIDGE, "up")
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")


def remove() -> None:
    if exists():
        ip("link", "delete", BRIDGE)
