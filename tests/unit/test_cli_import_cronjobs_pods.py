"""The Pods of a CronJob that is imported are what they were, and what differs is named."""

import pytest

from tests.unit.cron_jobs import container_of, env_of, pod_of
from tests.unit.imported_cron_jobs import CONTAINER, Body, called, cron_job, imported, lost, remarks, spec_of


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
