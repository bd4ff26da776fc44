"""What the real client makes of a watch."""

import json
from typing import Any

import pytest

from scheduledjob_operator.cluster import ApiError
from scheduledjob_operator.kubernetes_cluster import KubernetesCluster
from tests.unit.api_calls import call
from tests.unit.api_server import Answer, broken_answer, text_answer
from tests.unit.bodies import job


def watched(*answers: Answer, upto: int = 10) -> list[Any]:
    """Events of one watch of Jobs."""
    found: list[Any] = []

    async def request(cluster: KubernetesCluster) -> None:
        watching = cluster.watch("Job", namespace=None, selector="a=b", resource_version="5", seconds=300)
        async with watching as events:
            async for event in events:
                found.append(event)
                if len(found) == upto:
                    return

    call(request, *answers)
    return found


def test_a_watch_shows_event_after_event() -> None:
    lines = [{"type": "ADDED", "object": job("a")}, {"type": "DELETED", "object": job("a")}]
    assert watched(text_answer("".join(json.dumps(line) + "\n" for line in lines))) == lines


def test_a_watch_begins_where_the_list_ended() -> None:
    async def request(cluster: KubernetesCluster) -> None:
        watching = cluster.watch("Job", namespace="shop", selector="a=b", resource_version="5", seconds=300)
        async with watching as events:
            async for _ in events:
                pass

    server, _ = call(request, text_answer(""))
    (received,) = server.received
    assert received.path == "/apis/batch/v1/namespaces/shop/jobs"
    assert received.query == {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "labelSelector": "a=b",
        "resourceVersion": "5",
        "timeoutSeconds": "300",
    }


@pytest.mark.parametrize(
    "answer",
    [
        broken_answer('{"type": "ADDED", "object": {}}\n'),
        text_answer('{"type": "ADDED", "object": {}}\n<html>\n'),
        text_answer('{"type": "ADDED", "object": {}}\n{"type": '),
    ],
    ids=["broken off", "no JSON", "half a line"],
)
def test_a_watch_that_breaks_off_says_so(answer: Answer) -> None:
    with pytest.raises(ApiError) as caught:
        watched(answer)
    assert caught.value.status == 0


def test_an_object_of_a_megabyte_fits_into_a_line() -> None:
    body = job("a", annotations={"long": "x" * 1_000_000})
    (event,) = watched(text_answer(json.dumps({"type": "ADDED", "object": body}) + "\n"))
    assert event["object"] == body
