"""managedFields as the API server writes them: who else wrote into the spec, and how it is taken back."""

from typing import Any

import pytest

from scheduledjob_operator.ownership import foreign_spec_managers, reclaimed
from tests.unit.moments import NOON, text

Entry = dict[str, Any]


def entry(manager: str, fields: dict[str, Any], *, operation: str = "Update", subresource: str = "") -> Entry:
    return {
        "manager": manager,
        "operation": operation,
        "apiVersion": "batch/v1",
        "time": text(NOON),
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
        **({"subresource": subresource} if subresource else {}),
    }


OURS = entry(
    "scheduledjob-operator",
    {
        "f:metadata": {
            "f:annotations": {"f:scheduledjob.dev/spec-hash": {}},
            "f:labels": {"f:app.kubernetes.io/managed-by": {}, "f:scheduledjob.dev/name": {}},
            "f:ownerReferences": {'k:{"uid":"0a1b"}': {}},
        },
        "f:spec": {
            "f:schedule": {},
            "f:suspend": {},
            "f:jobTemplate": {
                "f:spec": {
                    "f:template": {
                        "f:spec": {
                            "f:containers": {'k:{"name":"job"}': {".": {}, "f:image": {}, "f:name": {}}}
                        }
                    }
                }
            },
        },
    },
    operation="Apply",
)
OUR_FENCE = entry("scheduledjob-operator", {"f:status": {"f:lastScheduleTime": {}}}, subresource="status")
CONTROLLER = entry(
    "kube-controller-manager", {"f:status": {"f:active": {}, "f:lastScheduleTime": {}}}, subresource="status"
)
EDITED = entry("kubectl-edit", {"f:spec": {"f:schedule": {}}})
APPLIED = entry(
    "kubectl-client-side-apply",
    {
        "f:metadata": {"f:annotations": {"f:kubectl.kubernetes.io/last-applied-configuration": {}}},
        "f:spec": {"f:suspend": {}, "f:timeZone": {}},
    },
)
ADDED_ENV = entry(
    "kubectl-patch",
    {
        "f:spec": {
            "f:jobTemplate": {
                "f:spec": {
                    "f:template": {
                        "f:spec": {
                            "f:containers": {
                                'k:{"name":"job"}': {"f:env": {'k:{"name":"X"}': {".": {}, "f:name": {}}}}
                            }
                        }
                    }
                }
            }
        }
    },
)
LABELLED = entry("kubectl-label", {"f:metadata": {"f:labels": {"f:team": {}}}})
SERVER_SIDE = entry("argocd-controller", {"f:spec": {"f:schedule": {}}}, operation="Apply")
NAMESAKE = entry("scheduledjob-operator", {"f:spec": {"f:suspend": {}}})


@pytest.mark.parametrize(
    ("entries", "managers"),
    [
        ([], ()),
        ([OURS], ()),
        ([OURS, CONTROLLER, OUR_FENCE], ()),
        ([OURS, LABELLED], ()),
        ([OURS, EDITED], ("kubectl-edit",)),
        ([OURS, APPLIED, EDITED, CONTROLLER], ("kubectl-client-side-apply", "kubectl-edit")),
        ([OURS, SERVER_SIDE], ("argocd-controller",)),
        ([OURS, NAMESAKE], ("scheduledjob-operator",)),
        ([{}, OURS], ()),
        ([OURS, {**EDITED, "fieldsV1": None}], ()),
    ],
    ids=[
        "none",
        "only we",
        "status is nobody's business",
        "a label is welcome",
        "kubectl edit",
        "kubectl apply and edit",
        "another server-side apply",
        "our name, but not our apply",
        "an empty entry",
        "an entry without fields",
    ],
)
def test_who_else_wrote_into_the_spec(entries: list[Entry], managers: tuple[str, ...]) -> None:
    assert foreign_spec_managers(entries) == managers


def ours_of(entries: list[Entry]) -> Entry:
    (found,) = [
        item
        for item in entries
        if (item["manager"], item["operation"]) == ("scheduledjob-operator", "Apply")
        and not item.get("subresource")
    ]
    return found


@pytest.mark.parametrize(
    "entries",
    [
        [OURS, EDITED],
        [OURS, APPLIED, EDITED, CONTROLLER, LABELLED],
        [OURS, ADDED_ENV, CONTROLLER],
        [OURS, SERVER_SIDE, OUR_FENCE],
        [OURS, NAMESAKE],
        [EDITED],
        [APPLIED, CONTROLLER],
    ],
    ids=["edit", "apply and edit", "added variable", "server-side", "namesake", "ours is lost", "never ours"],
)
def test_after_reclaiming_the_spec_is_ours_alone(entries: list[Entry]) -> None:
    result = reclaimed(entries)
    assert foreign_spec_managers(result) == ()
    assert reclaimed(result) == result
    assert {item["manager"] for item in result} <= {item["manager"] for item in entries} | {
        "scheduledjob-operator"
    }
    assert all(item["fieldsV1"] for item in result), "an entry without fields is refused"


def test_everything_that_others_wrote_below_spec_becomes_ours() -> None:
    spec = ours_of(reclaimed([OURS, EDITED, APPLIED, ADDED_ENV]))["fieldsV1"]["f:spec"]
    assert {"f:schedule", "f:suspend", "f:timeZone", "f:jobTemplate"} <= spec.keys()
    container = spec["f:jobTemplate"]["f:spec"]["f:template"]["f:spec"]["f:containers"]['k:{"name":"job"}']
    assert container == {
        ".": {},
        "f:image": {},
        "f:name": {},
        "f:env": {'k:{"name":"X"}': {".": {}, "f:name": {}}},
    }


def test_what_others_own_outside_the_spec_stays_theirs() -> None:
    result = {item["manager"]: item for item in reclaimed([OURS, APPLIED, CONTROLLER, LABELLED])}
    assert result["kube-controller-manager"] == CONTROLLER
    assert result["kubectl-label"] == LABELLED
    assert result["kubectl-client-side-apply"]["fieldsV1"] == {
        "f:metadata": APPLIED["fieldsV1"]["f:metadata"]
    }


def test_an_entry_that_was_about_nothing_but_the_spec_is_gone() -> None:
    assert [item["manager"] for item in reclaimed([OURS, EDITED])] == ["scheduledjob-operator"]


def test_our_fields_outside_the_spec_stay_ours() -> None:
    assert ours_of(reclaimed([OURS, EDITED]))["fieldsV1"]["f:metadata"] == OURS["fieldsV1"]["f:metadata"]


def test_nothing_that_is_given_is_changed() -> None:
    entries = [OURS, EDITED, ADDED_ENV]
    before = repr(entries)
    reclaimed(entries)
    assert repr(entries) == before
