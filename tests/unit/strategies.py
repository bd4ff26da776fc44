"""What hypothesis makes ScheduledJobs of."""

from typing import Any

from hypothesis import strategies as st

Spec = dict[str, Any]

SCHEDULES = ["*/5 * * * *", "0 3 * * *", "30 2 * * SUN", "@hourly", "@daily", "15 */6 1,15 * *"]
ZONES = ["Etc/UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]
DURATIONS = ["1s", "30s", "90s", "5m", "1h"]

# What the API server would take for a JSON text: no lone surrogates.
texts = st.text(st.characters(codec="utf-8"), max_size=20)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
json_objects = st.dictionaries(texts, json_values, max_size=4)

env_names = st.sampled_from(["A", "B", "TOKEN", "SCHEDULEDJOB_SLOT", "SCHEDULEDJOB_NAME"])
env = st.lists(
    st.one_of(
        st.fixed_dictionaries({"name": env_names, "value": texts}),
        st.fixed_dictionaries(
            {"name": env_names, "valueFrom": st.just({"secretKeyRef": {"name": "s", "key": "k"}})}
        ),
    ),
    max_size=4,
    unique_by=lambda variable: str(variable["name"]),
)
containers = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["job", "sidecar", "other"])},
        optional={
            "image": st.just("registry.example/other:1"),
            "env": env,
            "imagePullPolicy": st.sampled_from(["Always", "Never"]),
            "volumeMounts": st.just([{"name": "tmp", "mountPath": "/tmp"}, {"name": "v", "mountPath": "/v"}]),
        },
    ),
    max_size=3,
    unique_by=lambda container: str(container["name"]),
)
pod_templates = st.fixed_dictionaries(
    {},
    optional={
        "metadata": st.fixed_dictionaries({}, optional={"labels": st.just({"team": "x"})}),
        "spec": st.fixed_dictionaries(
            {},
            optional={
                "containers": containers,
                "volumes": st.just([{"name": "v", "emptyDir": {}}]),
                "nodeSelector": st.just({"disk": "ssd"}),
                "tolerations": st.just([{"operator": "Exists"}]),
            },
        ),
    },
)
what_runs = st.one_of(
    st.fixed_dictionaries({"handler": st.just("sync")}, optional={"args": json_objects}),
    st.fixed_dictionaries({"command": st.lists(texts, min_size=1, max_size=3)}),
)
_common = st.fixed_dictionaries(
    {"schedule": st.sampled_from(SCHEDULES)},
    optional={
        "enabled": st.booleans(),
        "timeZone": st.sampled_from(ZONES),
        "image": st.just("registry.example/own:1"),
        "env": env,
        "serviceAccountName": st.just("robot"),
        "podTemplate": pod_templates,
        "timeout": st.sampled_from(DURATIONS),
        "gracePeriod": st.sampled_from(DURATIONS),
        "retry": st.fixed_dictionaries(
            {},
            optional={
                "limit": st.integers(0, 5),
                "neverOnExitCodes": st.lists(st.integers(1, 255), max_size=4),
            },
        ),
        "concurrencyPolicy": st.sampled_from(["Allow", "Forbid", "Replace"]),
        "priority": st.sampled_from(["critical", "high", "normal", "low"]),
        "queue": st.just("batch"),
        "alertOnFailure": st.booleans(),
        "resources": st.just({"limits": {"cpu": 1, "memory": "64Mi"}}),
    },
)
specs: st.SearchStrategy[Spec] = st.builds(lambda common, runs: {**common, **runs}, _common, what_runs)
"""Specs that the definition and the models accept."""
