"""The operator's Deployment and what stands around it."""

from datetime import UTC, datetime

import pytest

from scheduledjob_operator.settings import Settings
from tests.chart.cases import CASES, DIGEST
from tests.chart.rendering import (
    NAMESPACE,
    Values,
    container,
    deployment,
    environment,
    of_kind,
    only,
    render,
)

PREFIX = "SCHEDULEDJOB_OPERATOR_"


def settings(values: Values, *, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """What the operator reads in the pod that these values make."""
    for name, value in environment(values).items():
        monkeypatch.setenv(name, value)
    return Settings()


def test_every_setting_in_the_pod_is_one_that_the_operator_has() -> None:
    names = [entry["name"] for entry in container(CASES["an environment"])["env"]]
    given = {name.removeprefix(PREFIX).lower() for name in names if name.startswith(PREFIX)}
    assert given <= set(Settings.model_fields)


def test_kopf_is_told_its_name_because_the_user_of_the_pod_has_none() -> None:
    assert field_of_the_pod("POD_ID") == "metadata.name"


@pytest.mark.parametrize("replicas", [0, 1, 2])
def test_the_operator_is_told_which_lease_is_its_own_and_who_it_is(replicas: int) -> None:
    values = {"replicaCount": replicas, "fullnameOverride": "night-shift"}
    assert environment(values)[f"{PREFIX}LEASE_NAME"] == "night-shift"
    assert field_of_the_pod(f"{PREFIX}LEASE_NAMESPACE", values) == "metadata.namespace"
    assert field_of_the_pod(f"{PREFIX}IDENTITY", values) == "metadata.name"


def field_of_the_pod(name: str, values: Values | None = None) -> str:
    """What the downward API puts into that variable."""
    (entry,) = (found for found in container(values)["env"] if found["name"] == name)
    path: str = entry["valueFrom"]["fieldRef"]["fieldPath"]
    return path


def test_no_environment_is_told_unless_it_has_a_name() -> None:
    assert f"{PREFIX}ENVIRONMENT" not in environment()
    assert environment(CASES["an environment"])[f"{PREFIX}ENVIRONMENT"] == "production"


def test_the_chart_installs_the_operators_own_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings({}, monkeypatch=monkeypatch) == Settings.model_construct()


def test_the_operator_reads_what_the_values_say(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        **CASES["images from a registry of one's own"],
        **CASES["two namespaces"],
        **CASES["priority classes of another prefix"],
        **CASES["suspended"],
        **CASES["an environment"],
        "fullnameOverride": "night-shift",
        "logging": {"level": "DEBUG", "format": "text"},
    }
    assert settings(values, monkeypatch=monkeypatch) == Settings.model_construct(
        runner_image="handlers:2026.11",
        runner_image_pull_policy="Always",
        runner_image_pull_secrets=("pull-a", "pull-b"),
        watch_namespaces=("team-a", "team-b"),
        priority_class_prefix="batch-",
        suspended=True,
        suspended_reason="moving house",
        suspended_until=datetime(2026, 12, 24, 7, tzinfo=UTC),
        environment="production",
        punctual_firing=False,
        lease_name="night-shift",
        log_level="DEBUG",
        log_format="text",
    )


@pytest.mark.parametrize(
    ("image", "reference"),
    [
        ({}, "ghcr.io/scheduledjob/operator:0.1.0"),
        ({"tag": "dev"}, "ghcr.io/scheduledjob/operator:dev"),
        ({"digest": DIGEST}, f"ghcr.io/scheduledjob/operator@{DIGEST}"),
        ({"tag": "dev", "digest": DIGEST}, f"ghcr.io/scheduledjob/operator@{DIGEST}"),
        ({"registry": "example.com:5000", "repository": "a/b"}, "example.com:5000/a/b:0.1.0"),
        ({"registry": "", "repository": "operator"}, "operator:0.1.0"),
    ],
)
def test_an_image_is_named_by_tag_or_by_digest(image: Values, reference: str) -> None:
    assert container({"image": image})["image"] == reference
    runner = environment({"runner": {"image": image}})[f"{PREFIX}RUNNER_IMAGE"]
    assert runner.replace("job-runner", "operator") == reference


def test_the_test_pod_runs_on_the_operators_image_and_secrets() -> None:
    values = CASES["images from a registry of one's own"]
    pod = only(render(values), "Pod")["spec"]
    operator = deployment(values)["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"] == operator["containers"][0]["image"]
    assert pod["imagePullSecrets"] == operator["imagePullSecrets"] == [{"name": "pull-a"}]


@pytest.mark.parametrize("replicas", [0, 1, 2, 5])
def test_the_new_operator_is_ready_as_a_standby_before_the_old_one_ends(replicas: int) -> None:
    spec = deployment({"replicaCount": replicas})["spec"]
    assert spec["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
    }
    assert spec["replicas"] == replicas
    assert spec["template"]["spec"]["terminationGracePeriodSeconds"] == 10


def test_there_is_one_operator_unless_more_are_asked_for() -> None:
    assert deployment()["spec"]["replicas"] == 1


def test_replicas_would_rather_be_on_nodes_of_their_own() -> None:
    spec = deployment(CASES["a standby"])["spec"]
    term = {
        "topologyKey": "kubernetes.io/hostname",
        "labelSelector": spec["selector"],
        "matchLabelKeys": ["pod-template-hash"],
    }
    preferred = {
        "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "podAffinityTerm": term}]
    }
    assert spec["template"]["spec"]["affinity"] == {"podAntiAffinity": preferred}


def test_an_affinity_of_ones_own_replaces_that() -> None:
    own = {"affinity": CASES["everything on"]["affinity"]}
    pod = deployment({**CASES["a standby"], **own})["spec"]["template"]["spec"]
    assert pod["affinity"] == own["affinity"]


@pytest.mark.parametrize("case", ["default", "stopped"])
def test_one_operator_alone_keeps_away_from_nobody_and_has_no_budget(case: str) -> None:
    assert "affinity" not in deployment(CASES[case])["spec"]["template"]["spec"]
    assert of_kind(render(CASES[case]), "PodDisruptionBudget") == []


def test_of_several_operators_one_may_be_evicted_at_a_time_and_a_sick_one_always() -> None:
    resources = render(CASES["a standby"])
    budget = only(resources, "PodDisruptionBudget")
    assert budget["metadata"]["namespace"] == NAMESPACE
    assert budget["spec"] == {
        "maxUnavailable": 1,
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
        "selector": only(resources, "Deployment")["spec"]["selector"],
    }


def test_the_probes_ask_the_http_port() -> None:
    operator = container()
    (port,) = operator["ports"]
    assert port["name"] == "http"
    assert str(port["containerPort"]) == environment()[f"{PREFIX}HTTP_PORT"]
    paths = {name: probe["httpGet"] for name, probe in operator.items() if name.endswith("Probe")}
    assert paths == {
        "startupProbe": {"path": "/livez", "port": "http"},
        "livenessProbe": {"path": "/livez", "port": "http"},
        "readinessProbe": {"path": "/readyz", "port": "http"},
    }


def test_a_dead_operator_is_restarted_within_a_minute() -> None:
    probe = container()["livenessProbe"]
    worst = probe["periodSeconds"] * probe["failureThreshold"] + probe["timeoutSeconds"]
    assert worst + deployment()["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] <= 60


def test_the_operator_is_small_and_bounded() -> None:
    assert container()["resources"] == {
        "requests": {"cpu": "50m", "memory": "96Mi"},
        "limits": {"memory": "512Mi"},
    }


def test_only_tmp_is_writable() -> None:
    pod = deployment()["spec"]["template"]["spec"]
    assert container()["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]
    assert pod["volumes"] == [{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}]


def test_where_the_pod_runs_is_the_installers_choice() -> None:
    values = CASES["everything on"]
    pod = deployment(values)["spec"]["template"]["spec"]
    for key in ("tolerations", "affinity", "topologySpreadConstraints", "priorityClassName"):
        assert pod[key] == values[key]
    assert pod["nodeSelector"] == {"kubernetes.io/os": "linux", "disk": "ssd"}


def test_labels_of_ones_own_cannot_break_the_selector() -> None:
    labels = deployment(CASES["everything on"])["spec"]["template"]["metadata"]["labels"]
    assert labels["team"] == "platform"
    assert labels["app.kubernetes.io/component"] == "operator"


def test_extra_variables_come_after_the_settings() -> None:
    values = CASES["everything on"]
    assert container(values)["env"][-2:] == values["extraEnv"]


def test_metrics_have_a_service_and_on_request_a_service_monitor() -> None:
    assert only(render(), "Service")["spec"]["ports"] == [
        {"name": "http", "port": 8080, "targetPort": "http", "protocol": "TCP"}
    ]
    assert of_kind(render(), "ServiceMonitor") == []
    assert of_kind(render(CASES["no metrics Service"]), "Service") == []


def test_a_service_monitor_finds_the_service_and_keeps_the_namespace_of_the_scheduled_job() -> None:
    resources = render(CASES["ServiceMonitor"])
    monitor, service = only(resources, "ServiceMonitor"), only(resources, "Service")
    assert monitor["apiVersion"] == "monitoring.coreos.com/v1"
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitor["spec"]["namespaceSelector"] == {"matchNames": [service["metadata"]["namespace"]]}
    assert monitor["spec"]["endpoints"] == [
        {"port": "http", "path": "/metrics", "interval": "1m", "honorLabels": True}
    ]


def test_no_network_policy_unless_asked_for() -> None:
    assert of_kind(render(), "NetworkPolicy") == []


def test_the_network_policy_lets_the_operator_reach_dns_and_the_api_server_only() -> None:
    resources = render(CASES["NetworkPolicy"])
    policy = only(resources, "NetworkPolicy")["spec"]
    labels = only(resources, "Deployment")["spec"]["template"]["metadata"]["labels"]
    assert policy["podSelector"]["matchLabels"].items() <= labels.items()
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert policy["ingress"] == [{"ports": [{"port": "http", "protocol": "TCP"}]}]
    assert policy["egress"] == [
        {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]},
        {"ports": [{"port": 443, "protocol": "TCP"}, {"port": 6443, "protocol": "TCP"}]},
    ]


def test_the_network_policy_can_be_narrowed_and_widened() -> None:
    values = CASES["narrow NetworkPolicy"]
    policy = only(render(values), "NetworkPolicy")["spec"]
    assert policy["ingress"][0]["from"] == values["networkPolicy"]["ingressFrom"]
    assert policy["egress"][1:] == [
        {
            "ports": [{"port": 16443, "protocol": "TCP"}],
            "to": [{"ipBlock": {"cidr": "10.0.0.1/32"}}, {"ipBlock": {"cidr": "fd00::1/128"}}],
        },
        {"ports": [{"port": 3128, "protocol": "TCP"}]},
    ]
