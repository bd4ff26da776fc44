"""CronJobs become ScheduledJobs with the same schedule and limits, or are named as left out."""

from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from scheduledjob_operator.cli import main
from tests.unit.imported_cron_jobs import CONTAINER, Body, called, cron_job, remarks, spec_of


def test_without_limits_it_gets_the_longest_ones_that_there_are() -> None:
    spec = spec_of(called(cron_job()))
    assert (spec["startingDeadline"], spec["timeout"], spec["pendingTimeout"]) == ("720h", "720h", "24h")
    assert spec["retry"] == {"limit": 6, "neverOnExitCodes": []}
    assert spec["history"] == {"failedJobs": 1}
    assert remarks() == []


def test_what_a_scheduled_job_has_by_default_is_not_written_down() -> None:
    given = cron_job(
        spec={
            "startingDeadlineSeconds": 600,
            "successfulJobsHistoryLimit": 3,
            "failedJobsHistoryLimit": 5,
            "concurrencyPolicy": "Forbid",
            "suspend": False,
        },
        job={"backoffLimit": 0, "activeDeadlineSeconds": 86400, "completions": 1},
        pod={
            "terminationGracePeriodSeconds": 30,
            "serviceAccountName": "robot",
            "enableServiceLinks": False,
            "dnsPolicy": "ClusterFirst",
        },
    )
    assert spec_of(called(given)) == {
        "schedule": "0 3 * * *",
        "timeZone": "Etc/UTC",
        "command": ["/bin/backup"],
        "image": "registry.example/backup:1",
        "serviceAccountName": "robot",
        "concurrencyPolicy": "Forbid",
        "pendingTimeout": "24h",
    }


@pytest.mark.parametrize(
    ("fields", "field", "value", "sentence"),
    [
        ({"spec": {"startingDeadlineSeconds": 5}}, "startingDeadline", "10s", "startingDeadlineSeconds 5"),
        (
            {"spec": {"startingDeadlineSeconds": 10**12}},
            "startingDeadline",
            "720h",
            "startingDeadlineSeconds 1000000000000 is carried over as a startingDeadline of 720h",
        ),
        (
            {"job": {"activeDeadlineSeconds": 40 * 86400, "backoffLimit": 0}},
            "timeout",
            "720h",
            "activeDeadlineSeconds 3456000 is carried over as a timeout of 720h, as it has to be from 1s to",
        ),
        (
            {"pod": {"terminationGracePeriodSeconds": 0}},
            "gracePeriod",
            "1s",
            "terminationGracePeriodSeconds 0",
        ),
        (
            {"pod": {"terminationGracePeriodSeconds": 7200}},
            "gracePeriod",
            "1h",
            "terminationGracePeriodSeconds 7200 is carried over as a gracePeriod of 1h",
        ),
        (
            {"job": {"backoffLimit": 1000}},
            "retry",
            {"limit": 100, "neverOnExitCodes": []},
            "backoffLimit 1000 is carried over as a retry.limit of 100",
        ),
        (
            {"spec": {"successfulJobsHistoryLimit": 0, "failedJobsHistoryLimit": 5}},
            "history",
            {"succeededJobs": 1},
            "successfulJobsHistoryLimit 0 is carried over as a history.succeededJobs of 1",
        ),
        (
            {"spec": {"failedJobsHistoryLimit": 100}},
            "history",
            {"failedJobs": 50},
            "failedJobsHistoryLimit 100 is carried over as a history.failedJobs of 50",
        ),
    ],
    ids=str,
)
def test_what_is_out_of_bounds_is_brought_into_them_with_a_sentence(
    fields: dict[str, Body], field: str, value: Any, sentence: str
) -> None:
    assert spec_of(called(cron_job(**fields)))[field] == value
    assert any(line.startswith(f"hello: {sentence}") for line in remarks(**fields))


def test_of_two_deadlines_the_shorter_one_is_the_timeout() -> None:
    spec = spec_of(called(cron_job(job={"activeDeadlineSeconds": 300}, pod={"activeDeadlineSeconds": 120})))
    assert (spec["timeout"], spec["pendingTimeout"]) == ("2m", "5m")
    assert remarks(job={"activeDeadlineSeconds": 300}) == [
        "hello: activeDeadlineSeconds was for all attempts, and its timeout is for each one"
    ]


def test_that_evicted_pods_come_again_is_said_where_none_was_tried_again() -> None:
    assert remarks(job={"backoffLimit": 0}) == [
        "hello: backoffLimit was 0, and a Pod that is evicted is started again all the same"
    ]


@pytest.mark.parametrize(
    ("given", "when", "sentence"),
    [
        ("0\t3  * * *", {"schedule": "0 3 * * *", "timeZone": "Etc/UTC"}, ""),
        ("TZ=Europe/Berlin 0 3 * * *", {"schedule": "0 3 * * *", "timeZone": "Europe/Berlin"}, ""),
        ("@every 1h", {"every": "1h"}, "@every 1h is counted from the beginning of 1970 in UTC now"),
        ("@every 90m", {"every": "1h30m"}, "@every 90m is counted"),
        ("0 0 31 2 *", {}, 'no year has a day for "0 0 31 2 *": it has no schedule now'),
    ],
)
def test_a_schedule_that_a_scheduled_job_writes_otherwise(given: str, when: Body, sentence: str) -> None:
    spec = spec_of(called(cron_job(spec={"schedule": given})))
    assert {key: spec[key] for key in ("schedule", "timeZone", "every") if key in spec} == when
    said = remarks(spec={"schedule": given})
    assert [line.startswith(f"hello: {sentence}") for line in said] == [True] * bool(sentence)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"spec": {"schedule": "1,,2 3 * * *"}}, '"1,,2" has an empty item'),
        ({"spec": {"schedule": "@every 9000h"}}, "spec.every: must be a duration from 1s to 8784h"),
        ({"spec": {"schedule": "@every 500ms"}}, "An interval has a field of its own"),
        ({"metadata": {"name": "a.b"}}, "the name of a ScheduledJob has 52 characters at most"),
        ({"container": {"command": ["a" * 5000]}}, "spec.command.0: may have at most 4096 characters"),
        ({"pod": {"containers": [CONTAINER, CONTAINER]}}, "it has several containers"),
        ({"container": {"command": None}}, "it runs its image's own entry point"),
        ({"pod": {"initContainers": [{"name": "job", "image": "i"}]}}, "an init container is named job"),
        ({"pod": {"os": {"name": "windows"}}}, "it is for Windows"),
    ],
    ids=[
        "items",
        "long interval",
        "short interval",
        "name",
        "length",
        "containers",
        "entry point",
        "init container",
        "windows",
    ],
)
def test_what_kubernetes_takes_and_nobody_can_carry_over_stops_no_other(
    fields: dict[str, Body], sentence: str
) -> None:
    fine = cron_job(metadata={"name": "fine"})
    result = called(cron_job(**fields), fine)
    assert result.exit_code == 0
    assert [body["metadata"]["name"] for body in yaml.safe_load_all(result.stdout)] == ["fine"]
    assert f"is not imported: {sentence}" in result.stderr


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"metadata": {"name": "x" * 53}}, "52 characters at most"),
        ({"container": {"command": ["sleep", 5]}}, "spec.command.1: must be a text"),
        ({"spec": {"concurrencyPolicy": "Wait"}}, "spec.concurrencyPolicy: must be 'Allow', 'Forbid'"),
        ({"job": {"backoffLimit": "six"}}, "has not the form of one"),
    ],
    ids=str,
)
def test_what_kubernetes_would_refuse_is_malformed(fields: dict[str, Body], sentence: str) -> None:
    result = called(cron_job(**fields))
    assert (result.exit_code, result.stdout) == (65, "")
    assert sentence in result.stderr


def test_the_queue_of_its_jobs_is_carried_over_and_other_labels_of_theirs_are_named() -> None:
    ours = {"kueue.x-k8s.io/queue-name": "batch", "scheduledjob.dev/name": "hello"}
    kubectls = {"kubectl.kubernetes.io/last-applied-configuration": "{}"}
    metadata = {"creationTimestamp": None, "labels": ours, "annotations": kubectls}
    assert spec_of(called(cron_job(job_metadata=metadata)))["queue"] == "batch"
    assert remarks(job_metadata=metadata) == []
    more = {"labels": {**ours, "team": "x"}, "annotations": {**kubectls, "note": "y"}}
    (remark,) = remarks(job_metadata=more)
    assert remark.startswith("hello: jobTemplate.metadata is not carried over")
    assert remark.endswith("label team, annotation note")


def test_dates_stay_the_texts_that_they_are_to_kubernetes() -> None:
    text = yaml.safe_dump(cron_job(container={"env": [{"name": "A", "value": "DAY"}]}))
    result = CliRunner().invoke(main, ("import", "cronjobs", "-"), input=text.replace("DAY", "2026-01-01"))
    assert spec_of(result)["env"] == [{"name": "A", "value": "2026-01-01"}]


def test_one_that_something_controls_is_left_out_and_one_that_is_merely_owned_is_not() -> None:
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "release", "uid": "u"}
    assert spec_of(called(cron_job(metadata={"ownerReferences": [owner]})))
    result = called(cron_job(metadata={"ownerReferences": [owner, {**owner, "controller": True}]}))
    assert (result.exit_code, result.stdout) == (0, "")
    assert "hello is not imported: it belongs to ConfigMap release" in result.stderr


def test_it_stays_in_its_namespace() -> None:
    shop = cron_job(metadata={"namespace": "shop"})
    assert called(shop, options=("--namespace", "shop")).stdout
    other = called(shop, options=("--namespace", "other"))
    assert other.stdout == ""
    assert "hello is not imported: it is in the namespace shop, where its ScheduledJob has" in other.stderr
    assert "annotate" not in other.stderr
    nowhere = called(cron_job(), options=("--namespace", "other"))
    assert yaml.safe_load(nowhere.stdout)["metadata"]["namespace"] == "other"


def test_that_a_schedule_without_a_zone_is_taken_for_utc_is_said_once() -> None:
    none = [cron_job(metadata={"name": name}, spec={"timeZone": None}) for name in ("a", "b")]
    said = "are taken for UTC"
    result = called(cron_job(), *none)
    assert [line[:4] for line in result.stderr.splitlines() if said in line] == ["-:3:"]
    assert said not in called(cron_job()).stderr
    berlin = called(cron_job(), *none, options=("--time-zone", "Europe/Berlin"))
    assert said not in berlin.stderr
    zones = [body["spec"]["timeZone"] for body in yaml.safe_load_all(berlin.stdout)]
    assert zones == ["Etc/UTC", "Europe/Berlin", "Europe/Berlin"]


def test_the_cron_jobs_are_followed_by_what_makes_the_cluster_adopt_them() -> None:
    given = [cron_job(metadata={"name": "a"}), cron_job(metadata={"name": "b", "namespace": "shop"})]
    assert called(*given).stderr.splitlines()[-2:] == [
        "  kubectl annotate cronjob a scheduledjob.dev/adopt=true",
        "  kubectl annotate cronjob --namespace shop b scheduledjob.dev/adopt=true",
    ]
    assert "annotate" not in called().stderr
