"""What a podTemplate may add and override."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduledjob_operator.merging import merge
from tests.unit.cron_jobs import container_of, env_of, minimal, pod_of
from tests.unit.strategies import json_objects

Body = dict[str, Any]


@given(json_objects, json_objects)
def test_merging_keeps_what_the_overlay_does_not_name(base: Body, overlay: Body) -> None:
    merged = merge(base, overlay)
    assert merged.keys() == base.keys() | overlay.keys()
    assert merge(merged, overlay) == merged
    assert merge(base, {}) == base


@given(
    st.recursive(
        st.none() | st.integers(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["containers", "env", "volumes", "name", "spec"]), inner)
        ),
    )
)
def test_merging_takes_anything_that_json_can_say(overlay: Any) -> None:
    base = {"spec": {"containers": [{"name": "job", "env": []}], "volumes": []}}
    merge(base, {"spec": overlay, "containers": overlay})


def test_the_authors_own_variables_win_over_the_runs_and_those_over_the_templates() -> None:
    template = {
        "spec": {
            "containers": [
                {
                    "name": "job",
                    "env": [
                        {"name": "A", "value": "template"},
                        {"name": "SCHEDULEDJOB_NAME", "value": "template"},
                    ],
                }
            ]
        }
    }
    env = env_of(minimal(podTemplate=template, env=[{"name": "A", "value": "env"}]))
    assert env["A"]["value"] == "env"
    assert env["SCHEDULEDJOB_NAME"]["value"] == "hello"


def test_a_variable_is_replaced_as_a_whole() -> None:
    """A value and a reference at once would be refused."""
    env = env_of(minimal(env=[{"name": "SCHEDULEDJOB_SLOT", "value": "x"}]))
    assert env["SCHEDULEDJOB_SLOT"] == {"name": "SCHEDULEDJOB_SLOT", "value": "x"}


def test_the_security_context_may_be_overridden_bit_by_bit() -> None:
    pod = pod_of(minimal(podTemplate={"spec": {"securityContext": {"runAsUser": 0, "runAsNonRoot": False}}}))
    assert (pod["securityContext"]["runAsUser"], pod["securityContext"]["runAsNonRoot"]) == (0, False)
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}


@pytest.mark.parametrize(
    "volume",
    [
        {"name": "tmp", "persistentVolumeClaim": {"claimName": "x"}},
        {"name": "tmp", "hostPath": {"path": "/x"}},
    ],
    ids=str,
)
def test_a_volume_is_replaced_as_a_whole(volume: Body) -> None:
    """Two kinds of volume in one would be refused."""
    assert pod_of(minimal(podTemplate={"spec": {"volumes": [volume]}}))["volumes"] == [volume]


@pytest.mark.parametrize("account", [{}, {"serviceAccountName": "robot"}], ids=str)
@pytest.mark.parametrize("mounted", [True, False])
def test_the_template_says_last_whether_the_token_is_mounted(account: Body, mounted: bool) -> None:
    template = {"spec": {"automountServiceAccountToken": mounted}}
    assert pod_of(minimal(podTemplate=template, **account))["automountServiceAccountToken"] is mounted


@pytest.mark.parametrize(
    "broken",
    [
        {"spec": None},
        {"spec": {"containers": ["job"]}},
        {"spec": {"containers": "job"}},
        {"spec": {"volumes": [5]}},
    ],
    ids=str,
)
def test_a_template_of_the_wrong_shape_is_left_to_the_api_server(broken: Body) -> None:
    assert container_of(minimal(podTemplate=broken))["args"] == ["run", "hello"]
