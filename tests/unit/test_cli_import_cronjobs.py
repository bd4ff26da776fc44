"""CronJobs become ScheduledJobs whose own CronJobs mean the same, and what differs is named."""

import json
from typing import Any

import kubernetes_validate
import pytest
import yaml
from click.testing import CliRunner, Result

from scheduledjob_operator.cli import main
from tests.unit.cron_jobs import container_of, desired, env_of, pod_of

Body = dict[str, Any]

KUBERNETES = "1.35"
CONTAINER: Body = {"name": "backup", "image": "registry.example/backup:1", "command": ["/bin/backup"]}


def cron_job(
    *,
    spec: Body | None = None,
    job: Body | None = None,
    job_metadata: Body | None = None,
    pod: Body | None = None,
    container: Body | None = None,
    metadata: Body | None = None,
) -> Body:
    """One as people write it, with these fields."""
    containers = [{**CONTAINER, **(container or {})}]
    template = {"spec": {"restartPolicy": "Never", "containers": containers, **(pod or {})}}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "hello", **(metadata or {})},
        "spec": {
            "schedule": "0 3 * * *",
            "timeZone": "Etc/UTC",
            **(spec or {}),
            "jobTemplate": {"metadata": job_metadata or {}, "spec": {"template": template, **(job or {})}},
        },
    }


def called(*bodies: Body, options: tuple[str, ...] = ()) -> Result:
    text = "---\n".join(json.dumps(body) + "\n" for body in bodies)
    return CliRunner().invoke(main, ("import", "cronjobs", "-", *options), input=text)


def spec_of(result: Result) -> Body:
    assert result.exit_code == 0, result.output
    spec: Body = yaml.safe_load(result.stdout)["spec"]
    return spec


def imported(**fields: Body) -> Body:
    """The CronJob of the ScheduledJob that a CronJob with these fields becomes."""
    body = desired(spec_of(called(cron_job(**fields))))
    assert kubernetes_validate.validate(body, KUBERNETES, strict=True) == KUBERNETES
    return body


def remarks(**fields: Body) -> list[str]:
    """What is said about such a CronJob, less what is said about every one."""
    lines = called(cron_job(**fields)).stderr.splitlines()
    said = [line.removeprefix("-:1: ") for line in lines if line.startswith("-:1: ")]
    return [line for line in said if "its Pod gets what its manifest did not set" not in line]


def lost(given: Any, applied: Any, *, path: str = "") -> list[str]:
    """Where the second does not say what the first does; lists of named things may have more in them."""
    if isinstance(given, dict) and isinstance(applied, dict):
        return [found for key in given for found in lost(given[key], applied.get(key), path=f"{path}.{key}")]
    if isinstance(given, list) and isinstance(applied, list) and given and "name" in given[0]:
        by_name = {item["name"]: item for item in applied}
        return [
            found
            for item in given
            for found in lost(item, by_name.get(item["name"]), path=f"{path}.{item['name']}")
        ]
    return [] if given == applied else [path]


@pytest.mark.parametrize(
    "pod",
    [
        {"terminationGracePeriodSeconds": 600},
        {"activeDeadlineSeconds": 120},
        {"automountServiceAccountToken": False},
        {"automountServiceAccountToken": False, "serviceAccountName": "robot"},
        {"automountServiceAccountToken": True, "serviceAccountName": "robot"},
        {"automountServiceAccountToken": True},
        {"enableServiceLinks": True},
        {"enableServiceLinks": False},
        {"securityContext": {"runAsUser": 0}},
        {"securityContext": {"runAsUser": 1000, "runAsGroup": 1000, "fsGroup": 1000}},
        {"securityContext": {"seccompProfile": {"type": "Unconfined"}, "runAsNonRoot": False}},
        {"volumes": [{"name": "tmp", "persistentVolumeClaim": {"claimName": "data"}}]},
        {"volumes": [{"name": "tmp", "emptyDir": {"medium": "Memory"}}]},
        {"dnsPolicy": "None", "hostNetwork": True, "nodeSelector": {"disk": "ssd"}},
        {"priorityClassName": "high", "tolerations": [{"operator": "Exists"}]},
        {"imagePullSecrets": [{"name": "registry"}]},
        {"resourceClaims": [{"name": "gpu", "resourceClaimName": "gpu"}]},
        {
            "initContainers": [
                {"name": "first", "image": "i:1", "securityContext": {"runAsUser": 0}, "args": ["a"]}
            ]
        },
    ],
    ids=str,
)
def test_what_the_pod_says_is_said_by_the_pod_that_is_applied(pod: Body) -> None:
    assert lost(pod, pod_of(imported(pod=pod))) == []


@pytest.mark.parametrize(
    "container",
    [
        {"securityContext": {"privileged": True}},
        {"securityContext": {"runAsUser": 0}},
        {"securityContext": {"capabilities": {"add": ["NET_ADMIN"]}}},
        {"securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}},
        {"securityContext": {"capabilities": {"drop": ["CHOWN"]}, "readOnlyRootFilesystem": True}},
        {"resources": {"claims": [{"name": "gpu"}], "limits": {"cpu": 1}}},
        {"imagePullPolicy": "Never", "workingDir": "/data", "terminationMessagePath": "/dev/end"},
        {"env": [{"name": "A", "value": "$(B)"}], "envFrom": [{"secretRef": {"name": "s"}}]},
        {"args": None, "env": None, "resources": None},
    ],
    ids=str,
)
def test_what_the_container_says_is_said_by_the_one_that_is_applied(container: Body) -> None:
    given = {key: value for key, value in container.items() if value is not None}
    assert lost(given, container_of(imported(container=container))) == []


def test_a_pod_that_says_nothing_keeps_its_token_and_its_variables_of_services() -> None:
    plain = pod_of(imported())
    assert plain["automountServiceAccountToken"] is True
    assert plain["enableServiceLinks"] is True
    assert "serviceAccountName" not in plain


@pytest.mark.parametrize("where", ["pod", "container"])
def test_root_stays_root(where: str) -> None:
    body = imported(**{where: {"securityContext": {"runAsUser": 0}}})
    pod, container = pod_of(body), container_of(body)
    context = {**pod["securityContext"], **container["securityContext"]}
    assert (context["runAsUser"], context["runAsGroup"], context["runAsNonRoot"]) == (0, 0, False)
    assert (context["capabilities"], context["allowPrivilegeEscalation"]) == ({"drop": []}, True)


def test_an_init_container_that_is_root_is_let_start() -> None:
    inits = [{"name": "chown", "image": "i:1", "securityContext": {"runAsUser": 0}}]
    body = imported(pod={"initContainers": inits})
    assert pod_of(body)["securityContext"]["runAsNonRoot"] is False
    assert pod_of(body)["initContainers"][0]["securityContext"]["runAsGroup"] == 0
    assert container_of(body)["securityContext"]["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize(
    "context",
    [
        {"privileged": True},
        {"capabilities": {"add": ["SYS_ADMIN"]}},
        {"capabilities": {"add": ["CAP_SYS_ADMIN"]}},
    ],
    ids=str,
)
def test_what_the_api_server_refuses_beside_no_privilege_escalation_comes_with_it(context: Body) -> None:
    container = container_of(imported(container={"securityContext": context}))
    assert container["securityContext"]["allowPrivilegeEscalation"] is True
    assert container["securityContext"]["capabilities"]["drop"] == []


def test_a_volume_that_is_named_tmp_is_not_put_on_tmp() -> None:
    mount = {"name": "tmp", "mountPath": "/cache"}
    volume = {"name": "tmp", "persistentVolumeClaim": {"claimName": "cache"}}
    body = imported(pod={"volumes": [volume]}, container={"volumeMounts": [mount]})
    mounts = {one["mountPath"]: one["name"] for one in container_of(body)["volumeMounts"]}
    volumes = {one["name"]: one for one in pod_of(body)["volumes"]}
    assert volumes[mounts["/cache"]] == volume
    assert volumes[mounts["/tmp"]]["emptyDir"] == {}


def test_a_volume_of_its_own_on_tmp_stays_there() -> None:
    mount = {"name": "scratch", "mountPath": "/tmp"}
    fields: dict[str, Body] = {
        "pod": {"volumes": [{"name": "scratch", "emptyDir": {}}]},
        "container": {"volumeMounts": [mount]},
    }
    assert container_of(imported(**fields))["volumeMounts"] == [mount]
    assert "/tmp" not in called(cron_job(**fields)).stderr


def test_one_sentence_names_what_the_pod_has_by_default_now() -> None:
    said = "its Pod gets what its manifest did not set: "
    (line,) = [line for line in called(cron_job()).stderr.splitlines() if said in line]
    assert line.partition(said)[2] == (
        "runAsUser 65532, runAsGroup 65532, fsGroup 65532, the seccompProfile RuntimeDefault, no "
        "capabilities, allowPrivilegeEscalation false and an emptyDir on /tmp; write into podTemplate "
        "what it needs instead"
    )
    user = called(cron_job(pod={"securityContext": {"runAsUser": 1000}})).stderr
    assert f"{said}runAsGroup 65532, fsGroup 65532, the" in user


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


def test_labels_that_the_operator_gives_to_its_pods_are_named() -> None:
    labels = {"app.kubernetes.io/managed-by": "Helm", "app": "x"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [CONTAINER]}}
    assert spec_of(called(cron_job(job={"template": template})))["podTemplate"]["metadata"] == {
        "labels": {"app": "x"}
    }
    assert remarks(job={"template": template}) == [
        "hello: its Pods get the operator's own value of the label app.kubernetes.io/managed-by"
    ]


def test_of_a_variable_that_is_given_twice_the_last_one_is_kept() -> None:
    env = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}, {"name": "A", "value": "3"}]
    spec = spec_of(called(cron_job(container={"env": env})))
    assert spec["env"] == [{"name": "A", "value": "3"}, {"name": "B", "value": "2"}]
    assert remarks(container={"env": env}) == [
        "hello: the variable A is given more than once: only the last one is carried over"
    ]


def test_the_old_name_of_the_service_account_is_read_as_well() -> None:
    pod = pod_of(imported(pod={"serviceAccount": "robot"}))
    assert (pod["serviceAccountName"], pod["automountServiceAccountToken"]) == ("robot", True)


def test_what_refers_to_the_container_refers_to_it_by_its_new_name() -> None:
    reference = {"resourceFieldRef": {"containerName": "backup", "resource": "limits.cpu"}}
    volume = {"name": "v", "downwardAPI": {"items": [{"path": "cpu", **reference}]}}
    env = [{"name": "CPU", "valueFrom": reference}]
    body = imported(pod={"volumes": [volume]}, container={"env": env})
    assert env_of(body)["CPU"]["valueFrom"]["resourceFieldRef"]["containerName"] == "job"
    (found,) = [one for one in pod_of(body)["volumes"] if one["name"] == "v"]
    assert found["downwardAPI"]["items"][0]["resourceFieldRef"]["containerName"] == "job"


def test_quantities_with_a_fraction_are_texts() -> None:
    body = imported(container={"resources": {"limits": {"cpu": 0.5, "memory": "1Gi"}}})
    assert container_of(body)["resources"]["limits"] == {"cpu": "0.5", "memory": "1Gi"}


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("b", "Always"),
        ("registry:5000/b", "Always"),
        ("b:latest", "Always"),
        ("b:1", None),
        ("registry:5000/b:1", None),
        ("b@sha256:" + "0" * 64, None),
    ],
)
def test_an_image_without_a_tag_is_pulled_for_every_run_as_before(image: str, policy: str | None) -> None:
    spec = spec_of(called(cron_job(container={"image": image})))
    (container,) = spec["podTemplate"]["spec"].get("containers", [{}])
    assert container.get("imagePullPolicy") == policy


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
