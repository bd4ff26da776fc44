"""What the real client sends to an API server, and what it reads from it."""

import json
from typing import Any

import pytest

from scheduledjob_operator.cluster import event_body, path
from tests.unit.api_calls import NAMED, SEEN, Call, call
from tests.unit.api_server import json_answer
from tests.unit.bodies import cron_job, job, owner, scheduled_job
from tests.unit.moments import after_noon


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
