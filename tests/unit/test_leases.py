"""What the Lease looks like on the wire."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from scheduledjob_operator.cluster import ApiError
from scheduledjob_operator.leases import KubernetesLeases
from tests.unit.api_server import Answer, ApiServer, json_answer, serving

SPEC = {"holderIdentity": "pod-a"}
SEEN = {"metadata": {"name": "operator", "resourceVersion": "7", "labels": {"a": "b"}}, "spec": {}}


def call(request: Callable[[KubernetesLeases], Awaitable[Any]], answer: Answer) -> tuple[ApiServer, Any]:
    async def main() -> tuple[ApiServer, Any]:
        async with serving(answer) as (server, cluster):
            return server, await request(KubernetesLeases(cluster, namespace="ops", name="operator"))

    return asyncio.run(main())


def test_a_lease_is_read() -> None:
    server, found = call(lambda leases: leases.get(), json_answer(SEEN))
    (received,) = server.received
    assert (received.method, received.path) == (
        "GET",
        "/apis/coordination.k8s.io/v1/namespaces/ops/leases/operator",
    )
    assert found == SEEN


def test_a_lease_that_does_not_exist_is_none() -> None:
    assert call(lambda leases: leases.get(), json_answer({}, status=404))[1] is None


def test_a_lease_that_is_absent_is_created() -> None:
    server, _ = call(lambda leases: leases.put(SPEC, over=None), json_answer({}))
    (received,) = server.received
    assert (received.method, received.path) == (
        "POST",
        "/apis/coordination.k8s.io/v1/namespaces/ops/leases",
    )
    assert json.loads(received.body) == {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"namespace": "ops", "name": "operator"},
        "spec": SPEC,
    }


def test_a_lease_is_replaced_only_as_it_was_seen_and_keeps_what_others_wrote_on_it() -> None:
    server, _ = call(lambda leases: leases.put(SPEC, over=SEEN), json_answer({}))
    (received,) = server.received
    assert (received.method, received.path) == (
        "PUT",
        "/apis/coordination.k8s.io/v1/namespaces/ops/leases/operator",
    )
    assert json.loads(received.body) == {**SEEN, "spec": SPEC}


@pytest.mark.parametrize(
    ("request_", "verb"),
    [
        (lambda leases: leases.get(), "get"),
        (lambda leases: leases.put(SPEC, over=None), "create"),
        (lambda leases: leases.put(SPEC, over=SEEN), "update"),
    ],
)
def test_a_right_that_is_missing_is_named(
    request_: Callable[[KubernetesLeases], Awaitable[Any]], verb: str
) -> None:
    with pytest.raises(ApiError) as caught:
        call(request_, json_answer({"reason": "Forbidden", "message": "no"}, status=403))
    assert str(caught.value) == (
        f"403 Forbidden: may not {verb} leases in namespace ops: is the Role of the chart there? (no)"
    )


def test_any_other_error_is_in_the_api_servers_words() -> None:
    with pytest.raises(ApiError) as caught:
        call(lambda leases: leases.put(SPEC, over=SEEN), json_answer({"message": "moved"}, status=409))
    assert str(caught.value) == "409 Conflict: moved"
