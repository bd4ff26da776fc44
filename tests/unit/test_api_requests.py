"""What the real client sends to an API server, and what it makes of the answers."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from scheduledjob_operator.cluster import ApiError, event_body, path
from scheduledjob_operator.kubernetes_cluster import KubernetesCluster
from tests.unit.api_server import Answer, ApiServer, broken_answer, json_answer, serving, text_answer
from tests.unit.bodies import cron_job, job, owner, scheduled_job
from tests.unit.moments import after_noon

Call = Callable[[KubernetesCluster], Awaitable[Any]]
NAMED = {"namespace": "shop", "name": "a"}
SEEN = {**NAMED, "resource_version": "7"}


def call(request: Call, *answers: Answer) -> tuple[ApiServer, Any]:
    """The server after a request, and the result. Raises ApiError."""

    async def main() -> tuple[ApiServer, Any]:
        async with serving(*answers) as (server, cluster):
            return server, await request(cluster)

    return asyncio.run(main())


def refusal_of(request: Call, *answers: Answer) -> ApiError:
    with pytest.raises(ApiError) as caught:
        call(request, *answers)
    return caught.value


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("CronJob", {"namespace": "shop", "name": "a"}, "/apis/batch/v1/namespaces/shop/cronjobs/a"),
        ("Job", {"namespace": "shop"}, "/apis/batch/v1/namespaces/shop/jobs"),
        ("Pod", {"namespace": None}, "/api/v1/pods"),
        ("Event", {"namespace": "shop"}, "/apis/events.k8s.io/v1/namespaces/shop/events"),
        (
            "ScheduledJob",
            {"namespace": "shop", "name": "a", "subresource": "status"},
            "/apis/scheduledjob.dev/v1alpha1/namespaces/shop/scheduledjobs/a/status",
        ),
    ],
)
def test_where_things_are(kind: str, given: dict[str, Any], expected: str) -> None:
    assert path(kind, **given) == expected


@pytest.mark.parametrize(
    ("request_", "method", "where", "content_type", "query", "body"),
    [
        (
            lambda cluster: cluster.apply_cron_job(cron_job(), force=True),
            "PATCH",
            "/apis/batch/v1/namespaces/shop/cronjobs/portfolio-sync",
            "application/apply-patch+yaml",
            {"fieldManager": "scheduledjob-operator", "force": "true"},
            cron_job(),
        ),
        (
            lambda cluster: cluster.apply_cron_job(cron_job(), force=False),
            "PATCH",
            "/apis/batch/v1/namespaces/shop/cronjobs/portfolio-sync",
            "application/apply-patch+yaml",
            {"fieldManager": "scheduledjob-operator", "force": "false"},
            cron_job(),
        ),
        (
            lambda cluster: cluster.apply_cron_job(cron_job(), force=True, dry_run=True),
            "PATCH",
            "/apis/batch/v1/namespaces/shop/cronjobs/portfolio-sync",
            "application/apply-patch+yaml",
            {"fieldManager": "scheduledjob-operator", "force": "true", "dryRun": "All"},
            cron_job(),
        ),
        (
            lambda cluster: cluster.rehearse_cron_job(cron_job()),
            "PATCH",
            "/apis/batch/v1/namespaces/shop/cronjobs/portfolio-sync",
            "application/json-patch+json",
            {"fieldManager": "scheduledjob-operator", "fieldValidation": "Strict", "dryRun": "All"},
            [
                {"op": "add", "path": "/metadata/labels", "value": cron_job()["metadata"]["labels"]},
                {
                    "op": "add",
                    "path": "/metadata/annotations",
                    "value": cron_job()["metadata"]["annotations"],
                },
                {"op": "add", "path": "/metadata/ownerReferences", "value": owner("ScheduledJob")},
                {"op": "replace", "path": "/metadata/resourceVersion", "value": "201"},
                {"op": "add", "path": "/spec", "value": cron_job()["spec"]},
            ],
        ),
        (
            lambda cluster: cluster.patch_status(**SEEN, patch={"lastRun": None}),
            "PATCH",
            "/apis/scheduledjob.dev/v1alpha1/namespaces/shop/scheduledjobs/a/status",
            "application/merge-patch+json",
            {"fieldManager": "scheduledjob-operator"},
            {"metadata": {"resourceVersion": "7"}, "status": {"lastRun": None}},
        ),
        (
            lambda cluster: cluster.patch_cron_job_status(**NAMED, body={"lastScheduleTime": "x"}),
            "PATCH",
            "/apis/batch/v1/namespaces/shop/cronjobs/a/status",
            "application/merge-patch+json",
            {"fieldManager": "scheduledjob-operator"},
            {"status": {"lastScheduleTime": "x"}},
        ),
        (
            lambda cluster: cluster.patch_cron_job_status(**SEEN, body={"active": []}),
            "PATCH",
            "/apis/batch/v1/namespaces/shop/cronjobs/a/status",
            "application/merge-patch+json",
            {"fieldManager": "scheduledjob-operator"},
            {"metadata": {"resourceVersion": "7"}, "status": {"active": []}},
        ),
        (
            lambda cluster: cluster.annotate_cron_job(**NAMED, uid="u", annotations={"k": "v"}),
            "PATCH",
            "/apis/batch/v1/namespaces/shop/cronjobs/a",
            "application/merge-patch+json",
            {"fieldManager": "scheduledjob-operator"},
            {"metadata": {"uid": "u", "annotations": {"k": "v"}}},
        ),
        (
            lambda cluster: cluster.create_job(job("a")),
            "POST",
            "/apis/batch/v1/namespaces/shop/jobs",
            "application/json",
            {"fieldManager": "scheduledjob-operator"},
            job("a"),
        ),
        (
            lambda cluster: cluster.patch_job(
                **NAMED, uid="u", patch={"metadata": {"annotations": {"k": "v"}}, "spec": {"x": 1}}
            ),
            "PATCH",
            "/apis/batch/v1/namespaces/shop/jobs/a",
            "application/merge-patch+json",
            {"fieldManager": "scheduledjob-operator"},
            {"metadata": {"annotations": {"k": "v"}, "uid": "u"}, "spec": {"x": 1}},
        ),
        (
            lambda cluster: cluster.set_managed_fields(
                **NAMED, resource_version="7", entries=[{"manager": "m"}], annotations={"k": "v"}
            ),
            "PATCH",
            "/apis/batch/v1/namespaces/shop/cronjobs/a",
            "application/json-patch+json",
            {"fieldManager": "scheduledjob-operator"},
            [
                {"op": "add", "path": "/metadata/managedFields", "value": [{"manager": "m"}]},
                {"op": "add", "path": "/metadata/annotations", "value": {"k": "v"}},
                {"op": "replace", "path": "/metadata/resourceVersion", "value": "7"},
            ],
        ),
        (
            lambda cluster: cluster.post_event({"metadata": {"namespace": "shop"}}),
            "POST",
            "/apis/events.k8s.io/v1/namespaces/shop/events",
            "application/json",
            {},
            {"metadata": {"namespace": "shop"}},
        ),
    ],
    ids=[
        "apply and take",
        "apply",
        "apply as a dry run",
        "rehearsal",
        "status",
        "last schedule time",
        "active Jobs",
        "annotations",
        "new Job",
        "end of a Job",
        "managed fields",
        "event",
    ],
)
def test_what_a_write_looks_like(
    request_: Call, method: str, where: str, content_type: str, query: dict[str, str], body: Any
) -> None:
    server, _ = call(request_, json_answer({}))
    (received,) = server.received
    assert (received.method, received.path, received.query) == (method, where, query)
    assert received.headers["content-type"].partition(";")[0] == content_type
    assert received.headers["user-agent"] == "scheduledjob-operator/test"
    assert json.loads(received.body) == body


def test_a_job_is_deleted_with_its_pods_and_only_if_it_is_the_one_that_is_meant() -> None:
    server, _ = call(lambda cluster: cluster.delete_job(**NAMED, uid="u"), json_answer({}))
    (received,) = server.received
    assert (received.method, received.path) == ("DELETE", "/apis/batch/v1/namespaces/shop/jobs/a")
    assert json.loads(received.body) == {"propagationPolicy": "Background", "preconditions": {"uid": "u"}}


def test_warnings_about_an_object_are_its_own_oldest_first() -> None:
    events = [
        {"message": "third", "lastTimestamp": None, "eventTime": "2026-11-22T12:00:03.000000Z"},
        {"message": "first", "lastTimestamp": "2026-11-22T12:00:01Z"},
        {"message": "second", "lastTimestamp": "2026-11-22T12:00:02Z"},
    ]
    server, found = call(
        lambda cluster: cluster.warnings_about(namespace="shop", uid="u"), json_answer({"items": events})
    )
    (received,) = server.received
    assert (received.method, received.path) == ("GET", "/api/v1/namespaces/shop/events")
    assert received.query["fieldSelector"] == "involvedObject.uid=u,type=Warning"
    assert found == ["first", "second", "third"]


def test_an_object_is_read() -> None:
    _, found = call(lambda cluster: cluster.get("CronJob", **NAMED), json_answer(cron_job()))
    assert found == cron_job()


def test_an_object_that_does_not_exist_is_none() -> None:
    answer = json_answer({"kind": "Status", "reason": "NotFound", "message": "not found"}, status=404)
    _, found = call(lambda cluster: cluster.get("CronJob", **NAMED), answer)
    assert found is None


def test_a_long_list_comes_in_pages() -> None:
    pages = [
        {"metadata": {"continue": "next"}, "items": [job("a")]},
        {"metadata": {}, "items": [job("b")]},
    ]
    server, found = call(
        lambda cluster: cluster.list_uids("Job", namespace=None), *(json_answer(page) for page in pages)
    )
    assert found == {("shop", "a"): "uid-of-a", ("shop", "b"): "uid-of-b"}
    first, second = server.received
    assert (first.query["limit"], "continue" in first.query) == ("500", False)
    assert second.query["continue"] == "next"
    assert "PartialObjectMetadataList" in first.headers["accept"]


def test_of_the_jobs_of_a_namespace_only_those_are_kept_that_are_asked_for() -> None:
    pages = [
        {"metadata": {"continue": "next"}, "items": [job("a"), job("b", ownerReferences=[])]},
        {"metadata": {}, "items": [job("c", ownerReferences=owner("CronJob", uid="another"))]},
    ]
    uid = job("a")["metadata"]["ownerReferences"][0]["uid"]
    server, found = call(
        lambda cluster: cluster.jobs_without("l", namespace="shop", owner=uid),
        *(json_answer(page) for page in pages),
    )
    assert [body["metadata"]["name"] for body in found] == ["a"]
    assert server.received[0].query == {"limit": "500", "labelSelector": "!l"}


# Errors


@pytest.mark.parametrize(
    ("status", "answer", "reason", "message"),
    [
        (403, {"reason": "Forbidden", "message": "no"}, "Forbidden", "no"),
        (409, {"reason": "Conflict", "message": "moved"}, "Conflict", "moved"),
        (422, {"reason": "Invalid", "message": "bad"}, "Invalid", "bad"),
        (500, {}, "Internal Server Error", "Internal Server Error"),
    ],
)
def test_a_refusal_is_in_the_api_servers_words(status: int, answer: Any, reason: str, message: str) -> None:
    error = refusal_of(
        lambda cluster: cluster.patch_status(**SEEN, patch={}), json_answer(answer, status=status)
    )
    assert (error.status, error.reason, error.message) == (status, reason, message)
    assert str(error) == f"{status} {reason}: {message}"


def test_a_refusal_that_is_no_json_is_one_too() -> None:
    error = refusal_of(
        lambda cluster: cluster.patch_status(**SEEN, patch={}), text_answer("<html>", status=502)
    )
    assert (error.status, error.is_refusal) == (502, False)


@pytest.mark.parametrize(
    "answer",
    [broken_answer(), broken_answer('{"kind": '), text_answer("<html>"), text_answer("")],
    ids=["nothing", "half", "no JSON", "empty"],
)
def test_an_answer_that_cannot_be_read_is_no_answer(answer: Answer) -> None:
    error = refusal_of(lambda cluster: cluster.patch_status(**SEEN, patch={}), answer)
    assert (error.status, error.is_refusal) == (0, False)


def test_a_server_that_is_not_there_gives_no_answer() -> None:
    async def main() -> None:
        async with serving(json_answer({})) as (_, cluster):
            cluster._client.configuration.host = "http://127.0.0.1:1"
            await cluster.get("CronJob", **NAMED)

    with pytest.raises(ApiError) as caught:
        asyncio.run(main())
    assert caught.value.status == 0


@pytest.mark.parametrize(
    ("error", "refusal"),
    [
        ((400, ""), True),
        ((403, ""), True),
        ((413, ""), True),
        ((422, ""), True),
        ((500, "failed to create typed patch object (a/b; batch/v1, Kind=CronJob)"), True),
        ((0, ""), False),
        ((401, ""), False),
        ((404, ""), False),
        ((409, ""), False),
        ((410, ""), False),
        ((429, ""), False),
        ((500, ""), False),
        ((503, ""), False),
        ((504, ""), False),
    ],
    ids=str,
)
def test_what_is_no_use_to_try_again_at_once(error: tuple[int, str], refusal: bool) -> None:
    assert ApiError(status=error[0], reason="", message=error[1]).is_refusal is refusal


# Watching


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


# Events


def test_an_event_is_valid_whatever_is_in_it() -> None:
    body = event_body(
        kind="ScheduledJob",
        namespace="shop",
        name="a" * 52,
        uid=scheduled_job()["metadata"]["uid"],
        details={
            "type": "Warning",
            "reason": "RunFailed",
            "note": "x" * 5000,
            "action": "Reconcile",
            "time": after_noon(0.25),
        },
    )
    assert len(body["note"]) == 1024
    assert body["eventTime"] == "2026-11-22T12:00:00.250000Z"
    assert len(body["metadata"]["name"]) <= 253
    assert len(body["reportingController"]) <= 128
    assert body["reportingInstance"]
