"""Scenes: what needs a minute by its nature is begun for all the test files of a session at once."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from tests.cluster.access import Cluster
from tests.cluster.release import Operator
from tests.plugin import RESTRICTED


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "outage: takes something away from every namespace; comes last")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("outage") is not None)


@pytest.fixture(scope="session")
def scenes(
    request: pytest.FixtureRequest, cluster: Cluster, operator: Operator
) -> Iterator[dict[ModuleType, Any]]:
    """What `begin(cluster, namespace)` of each test file made, or its error.

    Each has the namespace, and may create others whose names begin with it.
    """
    found = [item.getparent(pytest.Module) for item in request.session.items]
    modules = dict.fromkeys(item.obj for item in found if item and hasattr(item.obj, "begin"))
    begun: dict[ModuleType, Any] = {}
    namespaces = []
    for module in modules:
        words = module.__name__.rpartition(".test_")[2].replace("_", "-")
        namespaces.append(cluster.create_namespace(f"{words}-{secrets.token_hex(3)}", labels=RESTRICTED))
        try:
            begun[module] = module.begin(cluster, namespaces[-1])
        except AssertionError as failed:
            begun[module] = failed
    yield begun
    names = [body["metadata"]["name"] for body in cluster.items("namespaces")]
    made = [name for name in names if name.startswith(tuple(namespaces))]
    cluster.kubectl("delete", "namespace", *made, "--wait=false")


@pytest.fixture(scope="module")
def scene(request: pytest.FixtureRequest, scenes: dict[ModuleType, Any]) -> Any:
    """What this test file has begun."""
    begun = scenes[request.module]
    if isinstance(begun, AssertionError):
        raise begun
    return begun
