"""Names for pods: `SERVICE.NAMESPACE.svc.DOMAIN` from the Services and EndpointSlices of the cluster.

Run as a process on the node's address: `python -m tests.cluster.dns --address A --domain D --kubeconfig K`.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dnslib import QTYPE, RCODE, RR, SRV, A, DNSRecord
from dnslib.server import BaseResolver, DNSServer

from tests.cluster.kubeconfig import Api
from tests.cluster.progress import ClusterError

SERVICES = "/api/v1/services"
SLICES = "/apis/discovery.k8s.io/v1/endpointslices"
SLICE_OF = "kubernetes.io/service-name"
TIME_TO_LIVE = 1
"""Seconds. Tests make and delete Services of the same name within seconds."""


@dataclass(frozen=True)
class Answer:
    """What is known about a name that exists: its records, perhaps none."""

    addresses: tuple[str, ...] = ()
    services: tuple[tuple[int, str], ...] = ()
    """SRV records as (port, target host)."""


@dataclass
class Zone:
    """The Services and EndpointSlices seen, by uid; answers are computed from them. Does no I/O."""

    domain: str
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def replace(self, kind: str, items: list[dict[str, Any]]) -> None:
        """Everything of `kind` that exists now (the answer of a LIST)."""
        with self._lock:
            self.objects = {uid: each for uid, each in self.objects.items() if each["kind"] != kind}
            self.objects |= {each["metadata"]["uid"]: {**each, "kind": kind} for each in items}

    def apply(self, kind: str, event: dict[str, Any]) -> None:
        """One event of a watch."""
        body = event["object"]
        with self._lock:
            if event["type"] == "DELETED":
                self.objects.pop(body["metadata"]["uid"], None)
            elif event["type"] in {"ADDED", "MODIFIED"}:
                self.objects[body["metadata"]["uid"]] = {**body, "kind": kind}

    def answer(self, name: str) -> Answer | None:
        """The records of a name like `web.shop.svc.cluster.local`, `pod-0.web...` or `_http._tcp.web...`."""
        labels = name.rstrip(".").lower().removesuffix(f".{self.domain}").split(".")
        if not name.rstrip(".").lower().endswith(f".{self.domain}") or labels[-1] != "svc" or len(labels) < 3:
            return None
        *prefix, service_name, namespace, _ = labels
        with self._lock:
            service = self._service(namespace, service_name)
            slices = self._slices(namespace, service_name)
        if service is None:
            return None
        if service["spec"].get("type") == "ExternalName":
            return Answer() if not prefix else None
        if len(prefix) == 2 and prefix[0].startswith("_"):
            return _srv(service, prefix, host=name.split(".", 2)[2])
        if service["spec"].get("clusterIP") not in {None, "", "None"}:
            return Answer((service["spec"]["clusterIP"],)) if not prefix else None
        publish = bool(service["spec"].get("publishNotReadyAddresses"))
        return _headless(slices, prefix, publish=publish)

    def _service(self, namespace: str, name: str) -> dict[str, Any] | None:
        for each in self.objects.values():
            metadata = each["metadata"]
            if each["kind"] == "Service" and (metadata["namespace"], metadata["name"]) == (namespace, name):
                return each
        return None

    def _slices(self, namespace: str, service: str) -> list[dict[str, Any]]:
        return [
            each
            for each in self.objects.values()
            if each["kind"] == "EndpointSlice"
            and each["metadata"]["namespace"] == namespace
            and each["metadata"].get("labels", {}).get(SLICE_OF) == service
            and each.get("addressType") == "IPv4"
        ]


def _headless(slices: list[dict[str, Any]], prefix: list[str], *, publish: bool) -> Answer | None:
    addresses: list[str] = []
    for endpoint in (each for one in slices for each in one.get("endpoints") or []):
        ready = endpoint.get("conditions", {}).get("ready", True)
        named = not prefix or [endpoint.get("hostname")] == prefix
        if named and (ready or publish):
            addresses += endpoint.get("addresses", [])
    if prefix and not addresses:
        return None
    return Answer(tuple(sorted(addresses)))


def _srv(service: dict[str, Any], prefix: list[str], *, host: str) -> Answer | None:
    port_name, protocol = (label.removeprefix("_") for label in prefix)
    for port in service["spec"].get("ports", []):
        if port.get("name") == port_name and port.get("protocol", "TCP").lower() == protocol:
            return Answer(services=((port["port"], host),))
    return None


class Resolver(BaseResolver):  # type: ignore[misc]  # dnslib has no types
    """Answers from the zone; what it does not know does not exist, inside the cluster and outside."""

    def __init__(self, zone: Zone) -> None:
        self.zone = zone

    def resolve(self, request: DNSRecord, handler: object) -> DNSRecord:  # noqa: ARG002  # dnslib calls it so
        reply = request.reply()
        found = self.zone.answer(str(request.q.qname))
        if found is None:
            reply.header.rcode = RCODE.NXDOMAIN
            return reply
        if request.q.qtype in {QTYPE.A, QTYPE.ANY}:
            for address in found.addresses:
                reply.add_answer(RR(request.q.qname, QTYPE.A, ttl=TIME_TO_LIVE, rdata=A(address)))
        if request.q.qtype in {QTYPE.SRV, QTYPE.ANY}:
            for port, host in found.services:
                record = SRV(port=port, target=host)
                reply.add_answer(RR(request.q.qname, QTYPE.SRV, ttl=TIME_TO_LIVE, rdata=record))
        return reply


def follow(zone: Zone, api: Api, path: str, kind: str, *, seen: Callable[[], None] = lambda: None) -> None:
    """Keep the zone equal to the cluster, for ever: list, watch, and again after whatever went wrong."""
    while True:
        try:
            listed = api.get(path)
            zone.replace(kind, listed["items"])
            seen()
            for event in api.watch(path, resource_version=listed["metadata"]["resourceVersion"]):
                if event["type"] == "ERROR":
                    break
                zone.apply(kind, event)
        except (OSError, ClusterError, ValueError) as error:
            sys.stderr.write(f"watch of {path}: {error!r}\n")
            time.sleep(0.5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", required=True)
    parser.add_argument("--port", type=int, default=53)
    parser.add_argument("--domain", required=True)
    parser.add_argument("--kubeconfig", type=Path, required=True)
    chosen = parser.parse_args()
    zone, api = Zone(chosen.domain), Api.of(chosen.kubeconfig)
    for tcp in (False, True):
        DNSServer(Resolver(zone), address=chosen.address, port=chosen.port, tcp=tcp).start_thread()
    threading.Thread(target=follow, args=(zone, api, SERVICES, "Service"), daemon=True).start()
    follow(zone, api, SLICES, "EndpointSlice")


if __name__ == "__main__":
    main()
