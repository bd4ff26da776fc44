"""Scenes: what needs a minute by its nature is begun for all the test files of a session at once."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Begun:
    """What `begin_scenes(cluster, namespace)` of a test file made, or its error.

    It has the namespace, and may create others whose names begin with it.
    """

    cluster: Cluster
    namespace: str
    made: Any

    @classmethod
    def of(cls, module: ModuleType, cluster: Cluster) -> Begun:
        words = module.__name__.rpartition(".test_")[2].replace("_", "-")
        namespace = cluster.create_namespace(f"{words}-{secrets.token_hex(3)}", labels=RESTRICTED)
        try:
            return cls(cluster, namespace, module.begin_scenes(cluster, namespace))
        except AssertionError as failed:
            return cls(cluster, namespace, failed)

    def end(self) -> None:
        found = [body["metadata"]["name"] for body in self.cluster.items("namespaces")]
        names = [name for name in found if name.startswith(self.namespace)]
        if names:
            self.cluster.kubectl("delete", "namespace", *names, "--wait=false", "--ignore-not-found")


@pytest.fixture(scope="session", autouse=True)
def scenes(request: pytest.FixtureRequest) -> Iterator[dict[ModuleType, Begun]]:
    """The scenes of all test files that have one and that are still to be looked at."""
    found = [item.getparent(pytest.Module) for item in request.session.items]
    modules = dict.fromkeys(item.obj for item in found if item and hasattr(item.obj, "begin_scenes"))
    begun: dict[ModuleType, Begun] = {}
    if not modules:
        yield begun
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    request.getfixturevalue("operator")
    begun |= {module: Begun.of(module, cluster) for module in modules}
    yield begun
    for left in begun.values():
        left.end()


@pytest.fixture(autouse=True)
def last_look(request: pytest.FixtureRequest, scenes: dict[ModuleType, Begun]) -> Iterator[None]:
    """After the last test of a file nothing of its scene goes on: it would keep the machine busy."""
    yield
    alike = [item for item in request.session.items if item.path == request.node.path]
    if request.module in scenes and request.node is alike[-1]:
        scenes.pop(request.module).end()


@pytest.fixture(scope="module")
def scene(request: pytest.FixtureRequest, scenes: dict[ModuleType, Begun]) -> Any:
    """What this test file has begun."""
    made = scenes[request.module].made
    if isinstance(made, AssertionError):
        raise made
    return made
