"""Scenes: what needs a minute by its nature is begun for all the test files of a session at once."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.cluster.access import Cluster
from tests.plugin import RESTRICTED

HERE = Path(__file__).parent
MARKERS = (
    "meanwhile: comes first, while the scenes go on by themselves",
    "outage: takes something away from every namespace; comes last",
)


def pytest_configure(config: pytest.Config) -> None:
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    """What waits comes after what does not, and before what would disturb it; what needs no cluster first."""
    if HERE not in item.path.parents:
        return -1
    if item.get_closest_marker("outage"):
        return 3
    if item.get_closest_marker("meanwhile"):
        return 0
    module = item.getparent(pytest.Module)
    return 1 if module and hasattr(module.obj, "begin_scenes") else 2


@pytest.fixture(scope="session", autouse=True)
def scenes(request: pytest.FixtureRequest) -> Iterator[dict[ModuleType, Any]]:
    """What `begin_scenes(cluster, namespace)` of each test file made, or its error.

    Each has the namespace, and may create others whose names begin with it.
    """
    found = [item.getparent(pytest.Module) for item in request.session.items]
    modules = dict.fromkeys(item.obj for item in found if item and hasattr(item.obj, "begin_scenes"))
    begun: dict[ModuleType, Any] = {}
    if not modules:
        yield begun
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    request.getfixturevalue("operator")
    namespaces = []
    for module in modules:
        words = module.__name__.rpartition(".test_")[2].replace("_", "-")
        namespaces.append(cluster.create_namespace(f"{words}-{secrets.token_hex(3)}", labels=RESTRICTED))
        try:
            begun[module] = module.begin_scenes(cluster, namespaces[-1])
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
