"""Names of Services as pods ask for them."""

from typing import Any

import pytest
from dnslib import QTYPE, DNSRecord

from tests.cluster.dns import Answer, Resolver, Zone


def service(name: str, namespace: str = "shop", **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"uid": f"service-{namespace}-{name}", "name": name, "namespace": namespace},
        "spec": spec,
    }


def endpoint(address: str, *, ready: bool = True, hostname: str | None = None) -> dict[str, Any]:
    named = {"hostname": hostname} if hostname else {}
    return {"addresses": [address], "conditions": {"ready": ready}, **named}


def slice_of(name: str, *endpoints: dict[str, Any], suffix: str = "1", kind: str = "IPv4") -> dict[str, Any]:
    labels = {"kubernetes.io/service-name": name}
    metadata = {
        "uid": f"slice-{name}-{suffix}",
        "name": f"{name}-{suffix}",
        "namespace": "shop",
        "labels": labels,
    }
    return {"metadata": metadata, "addressType": kind, "endpoints": list(endpoints)}


@pytest.fixture
def zone() -> Zone:
    made = Zone("cluster.local")
    ports = [{"name": "http", "port": 80}, {"name": "dns", "port": 53, "protocol": "UDP"}]
    made.replace(
        "Service",
        [
            service("web", clusterIP="10.96.0.7", ports=ports),
            service("web", "other", clusterIP="10.96.0.8"),
            service("pods", clusterIP="None"),
            service("empty", clusterIP="None"),
            service("eager", clusterIP="None", publishNotReadyAddresses=True),
            service("outside", type="ExternalName", externalName="example.org"),
        ],
    )
    made.replace(
        "EndpointSlice",
        [
            slice_of("pods", endpoint("10.0.0.2", hostname="pod-0"), endpoint("10.0.0.9", ready=False)),
            slice_of("pods", endpoint("10.0.0.1"), suffix="2"),
            slice_of("pods", endpoint("fd00::1"), suffix="3", kind="IPv6"),
            slice_of("eager", endpoint("10.0.0.5", ready=False)),
        ],
    )
    return made


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("web.shop.svc.cluster.local", Answer(("10.96.0.7",))),
        ("web.other.svc.cluster.local.", Answer(("10.96.0.8",))),
        ("WEB.Shop.svc.Cluster.Local", Answer(("10.96.0.7",))),
        ("pods.shop.svc.cluster.local", Answer(("10.0.0.1", "10.0.0.2"))),
        ("pod-0.pods.shop.svc.cluster.local", Answer(("10.0.0.2",))),
        ("empty.shop.svc.cluster.local", Answer(())),
        ("eager.shop.svc.cluster.local", Answer(("10.0.0.5",))),
        ("outside.shop.svc.cluster.local", Answer(())),
        ("_http._tcp.web.shop.svc.cluster.local", Answer(services=((80, "web.shop.svc.cluster.local"),))),
        ("_dns._udp.web.shop.svc.cluster.local", Answer(services=((53, "web.shop.svc.cluster.local"),))),
        ("_dns._tcp.web.shop.svc.cluster.local", None),
        ("pod-7.pods.shop.svc.cluster.local", None),
        ("sub.web.shop.svc.cluster.local", None),
        ("nobody.shop.svc.cluster.local", None),
        ("shop.svc.cluster.local", None),
        ("svc.cluster.local", None),
        ("cluster.local", None),
        ("web.shop.svc.cluster.local.shop.svc.cluster.local", None),
        ("example.org", None),
        ("web", None),
        (".", None),
    ],
)
def test_a_name_has_the_records_of_its_service(zone: Zone, name: str, answer: Answer | None) -> None:
    assert zone.answer(name) == answer


def test_a_deleted_service_has_no_name_any_more(zone: Zone) -> None:
    zone.apply("Service", {"type": "DELETED", "object": service("web", clusterIP="10.96.0.7")})
    assert zone.answer("web.shop.svc.cluster.local") is None
    assert zone.answer("web.other.svc.cluster.local") == Answer(("10.96.0.8",))


def test_a_changed_service_has_its_new_address(zone: Zone) -> None:
    zone.apply("Service", {"type": "MODIFIED", "object": service("web", clusterIP="10.96.9.9")})
    assert zone.answer("web.shop.svc.cluster.local") == Answer(("10.96.9.9",))


def test_a_bookmark_changes_nothing(zone: Zone) -> None:
    before = dict(zone.objects)
    zone.apply("Service", {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "7"}}})
    assert zone.objects == before


def test_what_was_deleted_during_a_lost_watch_goes_with_the_next_list(zone: Zone) -> None:
    zone.replace("Service", [service("pods", clusterIP="None")])
    assert zone.answer("web.shop.svc.cluster.local") is None
    assert zone.answer("pods.shop.svc.cluster.local") == Answer(("10.0.0.1", "10.0.0.2"))


@pytest.mark.parametrize(
    ("name", "kind", "code", "shown"),
    [
        ("web.shop.svc.cluster.local", "A", 0, ["10.96.0.7"]),
        ("web.shop.svc.cluster.local", "AAAA", 0, []),
        ("_http._tcp.web.shop.svc.cluster.local", "SRV", 0, ["0 0 80 web.shop.svc.cluster.local."]),
        ("nobody.shop.svc.cluster.local", "A", 3, []),
        ("example.org", "A", 3, []),
    ],
)
def test_a_reply_tells_an_empty_name_from_one_that_does_not_exist(
    zone: Zone, name: str, kind: str, code: int, shown: list[str]
) -> None:
    reply = Resolver(zone).resolve(DNSRecord.question(name, kind), None)
    assert reply.header.rcode == code
    assert [str(record.rdata) for record in reply.rr] == shown
    assert all(record.rtype == getattr(QTYPE, kind) for record in reply.rr)
