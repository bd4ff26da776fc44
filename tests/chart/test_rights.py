"""The rights the chart gives: nobody gets more than the golden files say."""

from typing import Any

import pytest
import yaml

from tests.chart.cases import CASES
from tests.chart.rendering import (
    NAMESPACE,
    REPOSITORY,
    Resource,
    Values,
    environment,
    installed,
    of_kind,
    only,
    render,
)

GOLDEN = REPOSITORY / "tests" / "data" / "output" / "chart"
NEVER = {
    "resources": {
        "secrets",
        "configmaps",
        "serviceaccounts",
        "roles",
        "clusterroles",
        "pods/exec",
        "pods/log",
    },
    "verbs": {"escalate", "bind", "impersonate", "approve", "sign"},
}
WRITES = {"create", "update", "patch", "delete", "deletecollection"}

every_case = pytest.mark.parametrize("values", CASES.values(), ids=CASES.keys())


def rights(resources: list[Resource]) -> list[dict[str, Any]]:
    """The roles and their bindings without labels, in a fixed order."""
    found = []
    for resource in resources:
        metadata = resource["metadata"]
        head = {
            "kind": resource["kind"],
            "name": metadata["name"],
            "namespace": metadata.get("namespace"),
        }
        if resource["kind"] in {"ClusterRole", "Role"}:
            found.append({**head, "rules": resource["rules"]})
        if resource["kind"] in {"ClusterRoleBinding", "RoleBinding"}:
            role, subjects = resource["roleRef"], resource["subjects"]
            found.append(
                {
                    **head,
                    "role": f"{role['kind']}/{role['name']}",
                    "subjects": [f"{subject['namespace']}/{subject['name']}" for subject in subjects],
                }
            )
    return sorted(found, key=lambda one: (order(one), one["name"], one["namespace"] or ""))


def order(one: dict[str, Any]) -> int:
    return ["ClusterRole", "Role", "ClusterRoleBinding", "RoleBinding"].index(one["kind"])


def roles(resources: list[Resource]) -> list[Resource]:
    return of_kind(resources, "ClusterRole") + of_kind(resources, "Role")


def rules(resources: list[Resource]) -> list[dict[str, Any]]:
    return [rule for role in roles(resources) for rule in role["rules"]]


@pytest.mark.parametrize(
    ("golden", "values"),
    [
        ("rights-in-all-namespaces.yaml", {}),
        (
            "rights-in-two-namespaces.yaml",
            {"watchNamespaces": ["team-a", "team-b"], "rbac": {"aggregate": False}},
        ),
    ],
)
def test_the_rights_are_exactly_those_of_the_golden_file(golden: str, values: Values) -> None:
    expected = list(yaml.safe_load_all((GOLDEN / golden).read_text()))
    assert rights(render(values)) == expected


@every_case
def test_no_rule_has_a_wildcard(values: Values) -> None:
    for rule in rules(render(values)):
        assert not any("*" in entry for part in rule.values() for entry in part), rule


@every_case
def test_no_rule_reads_secrets_or_leads_to_more_rights(values: Values) -> None:
    for rule in rules(render(values)):
        assert "nonResourceURLs" not in rule
        assert not NEVER["resources"] & set(rule["resources"]), rule
        assert not NEVER["verbs"] & set(rule["verbs"]), rule


@every_case
def test_no_rule_writes_pods_or_namespaces(values: Values) -> None:
    for rule in rules(render(values)):
        if {"pods", "namespaces"} & set(rule["resources"]):
            assert not WRITES & set(rule["verbs"]), rule


@every_case
def test_the_operator_deletes_nothing_but_jobs(values: Values) -> None:
    own = [
        role
        for role in roles(installed(render(values)))
        if not role["metadata"]["name"].endswith(("-view", "-edit"))
    ]
    for rule in (rule for role in own for rule in role["rules"]):
        if any("delete" in verb for verb in rule["verbs"]):
            assert (rule["resources"], rule["verbs"][-1]) == (["jobs"], "delete")


def test_with_given_namespaces_the_operator_reads_those_and_lists_none() -> None:
    for rule in rules(installed(render({"watchNamespaces": ["team-a"], "rbac": {"aggregate": False}}))):
        assert "namespaces" not in rule["resources"] or rule["verbs"] == ["get"]


@every_case
def test_with_given_namespaces_the_operator_has_no_cluster_wide_right(values: Values) -> None:
    bindings = of_kind(render(values), "ClusterRoleBinding")
    if values.get("watchNamespaces"):
        assert bindings == []
    assert all(binding["roleRef"]["kind"] == "ClusterRole" for binding in bindings)


@every_case
def test_the_operator_holds_one_lease_of_the_releases_namespace_and_touches_no_other(values: Values) -> None:
    resources = installed(render(values))
    may = [
        (role, rule) for role in roles(resources) for rule in role["rules"] if "leases" in rule["resources"]
    ]
    if not values.get("rbac", {}).get("create", True):
        assert may == []
        return
    lease = environment(values)["SCHEDULEDJOB_OPERATOR_LEASE_NAME"]
    assert [(rule["verbs"], rule.get("resourceNames")) for _, rule in may] == [
        (["create"], None),
        (["get", "update"], [lease]),
    ]
    assert {(role["kind"], role["metadata"]["namespace"]) for role, _ in may} == {("Role", NAMESPACE)}
    account = only(resources, "Deployment")["spec"]["template"]["spec"]["serviceAccountName"]
    (bound,) = (
        binding["subjects"]
        for binding in of_kind(resources, "RoleBinding")
        if binding["roleRef"]["name"] == may[0][0]["metadata"]["name"]
    )
    assert bound == [{"kind": "ServiceAccount", "name": account, "namespace": NAMESPACE}]


def test_the_roles_are_added_to_view_edit_and_admin() -> None:
    labels = {
        role["metadata"]["name"]: role["metadata"]["labels"] for role in of_kind(render(), "ClusterRole")
    }
    to = "rbac.authorization.k8s.io/aggregate-to-"
    aggregated = {name: {key for key in found if key.startswith(to)} for name, found in labels.items()}
    assert aggregated == {
        "scheduledjob-operator": set(),
        "scheduledjob-operator-view": {f"{to}view"},
        "scheduledjob-operator-edit": {f"{to}edit", f"{to}admin"},
    }


def test_rights_given_by_somebody_else_are_left_to_them() -> None:
    resources = installed(render({"rbac": {"create": False, "aggregate": False}}))
    assert rights(resources) == []


def test_no_account_gets_a_token_it_did_not_ask_for() -> None:
    accounts = of_kind(render(), "ServiceAccount")
    assert len(accounts) == 2
    assert all(account["automountServiceAccountToken"] is False for account in accounts)


def test_the_readme_lists_the_operators_rights() -> None:
    readme = (REPOSITORY / "charts" / "scheduledjob-operator" / "README.md").read_text()
    listed = [yaml.safe_load(part.partition("```")[0]) for part in readme.split("```yaml\n")[1:]]
    golden = list(yaml.safe_load_all((GOLDEN / "rights-in-all-namespaces.yaml").read_text()))
    own = {"scheduledjob-operator", "scheduledjob-operator-lease"}
    assert listed == [role["rules"] for role in golden if role["name"] in own and "rules" in role]
