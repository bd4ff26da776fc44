"""What people may put into values, and what they are told when it is wrong."""

from typing import Any

import pytest
from helm_python import HelmError

from tests.chart.cases import CASES
from tests.chart.rendering import Values, chart, render

REFUSED: dict[str, tuple[Values, list[str]]] = {
    "a key that does not exist": ({"replicas": 1}, ["replicas", "not allowed"]),
    "a key that does not exist, further down": (
        {"image": {"repo": "x"}},
        ["/image", "repo", "not allowed"],
    ),
    "six operators": ({"replicaCount": 6}, ["/replicaCount", "maximum", "5"]),
    "fewer operators than none": ({"replicaCount": -1}, ["/replicaCount", "minimum", "0"]),
    "an environment that no ScheduledJob could name": (
        {"environment": "e" * 64},
        ["/environment", "maxLength", "63"],
    ),
    "several environments": ({"environment": ["a", "b"]}, ["/environment", "got array, want string"]),
    "punctual firing as a word": ({"punctualFiring": "yes"}, ["/punctualFiring", "want boolean"]),
    "a pull policy that does not exist": (
        {"image": {"pullPolicy": "always"}},
        ["/image/pullPolicy", "'Always', 'IfNotPresent', 'Never'"],
    ),
    "a digest without its algorithm": (
        {"image": {"digest": "0123"}},
        ["/image/digest", "sha256"],
    ),
    "a digest of the runner that is too short": (
        {"runner": {"image": {"digest": "sha256:0123"}}},
        ["/runner/image/digest", "{64}"],
    ),
    "a tag that YAML reads as a number": ({"image": {"tag": 1.1}}, ["/image/tag", "got number, want string"]),
    "no repository": ({"image": {"repository": ""}}, ["/image/repository", "minLength"]),
    "a log level that does not exist": ({"logging": {"level": "TRACE"}}, ["/logging/level", "'DEBUG'"]),
    "the same namespace twice": (
        {"watchNamespaces": ["a", "a"]},
        ["/watchNamespaces", "equal"],
    ),
    "a namespace that cannot be": ({"watchNamespaces": ["Team A"]}, ["/watchNamespaces/0", "Team A"]),
    "one namespace that is not in a list": ({"watchNamespaces": "a"}, ["/watchNamespaces", "want array"]),
    "a pull secret that is only a name": (
        {"imagePullSecrets": ["a"]},
        ["/imagePullSecrets/0", "want object"],
    ),
    "an end of the suspension without a zone": (
        {"suspendAll": {"until": "2026-12-24T08:00:00"}},
        ["/suspendAll/until", "2026-12-24T08:00:00"],
    ),
    "a suspension that is only a word": ({"suspendAll": True}, ["/suspendAll", "want object"]),
    "a label that is no string": ({"podLabels": {"a": True}}, ["/podLabels/a", "want string"]),
    "a port that cannot be": ({"networkPolicy": {"apiServerPorts": [0]}}, ["/apiServerPorts/0", "minimum"]),
    "priority classes of Kubernetes' own prefix": (
        {"priorityClasses": {"prefix": "system-"}},
        ["/priorityClasses/prefix"],
    ),
    "a time to wait for an alert that Prometheus cannot read": (
        {"metrics": {"prometheusRule": {"for": "5 minutes"}}},
        ["/metrics/prometheusRule/for", "5 minutes"],
    ),
    "an admission policy as a word": ({"admissionPolicy": "on"}, ["/admissionPolicy", "want object"]),
    "a ServiceAccount of somebody else without its name": (
        {"serviceAccount": {"create": False}},
        ["serviceAccount.name is needed"],
    ),
    "an extra variable that the chart sets": (
        {"extraEnv": [{"name": "SCHEDULEDJOB_OPERATOR_LOG_LEVEL", "value": "DEBUG"}]},
        ["extraEnv: SCHEDULEDJOB_OPERATOR_LOG_LEVEL is set by this chart already: leave it out"],
    ),
    "an extra variable that would take another Lease": (
        {"extraEnv": [{"name": "SCHEDULEDJOB_OPERATOR_LEASE_NAME", "value": "mine"}]},
        ["extraEnv: SCHEDULEDJOB_OPERATOR_LEASE_NAME is set by this chart already: leave it out"],
    ),
}


@pytest.mark.parametrize(("values", "told"), REFUSED.values(), ids=REFUSED.keys())
def test_wrong_values_are_refused_with_their_place_and_why(values: Values, told: list[str]) -> None:
    with pytest.raises(HelmError) as refusal:
        render(values)
    for words in told:
        assert words in str(refusal.value)


@pytest.mark.parametrize("values", CASES.values(), ids=CASES.keys())
def test_right_values_are_accepted(values: Values) -> None:
    chart().validate_schema(values)


def test_a_parent_chart_may_hand_down_its_globals() -> None:
    chart().validate_schema({"global": {"anything": 1}})


def test_the_schema_knows_every_value_and_every_value_is_in_the_schema() -> None:
    schema = chart().schema
    assert schema is not None
    properties = dict(schema["properties"])
    assert properties.pop("global")
    assert paths_of_schema({"properties": properties}, root=schema) == paths_of_values(chart().values)


def paths_of_values(values: dict[str, Any], *, prefix: str = "") -> set[str]:
    """Dotted paths of all values, down to where the schema leaves the rest to Kubernetes."""
    found = set()
    for key, value in values.items():
        found.add(prefix + key)
        if isinstance(value, dict) and key not in FREE:
            found |= paths_of_values(value, prefix=f"{prefix}{key}.")
    return found


FREE = {"resources", "podSecurityContext", "securityContext", "nodeSelector"}


def paths_of_schema(node: dict[str, Any], *, root: dict[str, Any], prefix: str = "") -> set[str]:
    found = set()
    for key, child in node.get("properties", {}).items():
        target = child
        if "$ref" in child:
            target = root["definitions"][child["$ref"].rpartition("/")[2]]
        found.add(prefix + key)
        found |= paths_of_schema(target, root=root, prefix=f"{prefix}{key}.")
    return found


def test_every_object_of_the_schema_that_is_ours_is_closed() -> None:
    schema = chart().schema
    assert schema is not None
    nodes = [schema, *schema["definitions"].values(), *schema["properties"].values()]
    assert all(node["additionalProperties"] is False for node in nodes if "properties" in node)
