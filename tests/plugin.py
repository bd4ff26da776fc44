"""The fixtures of tests that need a cluster: `cluster`, `namespace`, `images`, `operator`."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path

import pytest

from tests.cluster import locks, providers, release
from tests.cluster.access import Cluster
from tests.cluster.images import ImageNames
from tests.cluster.progress import ClusterError

RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--kubeconfig PATH` comes with pytest-kind: the cluster of that file is used as it is."""
    group = parser.getgroup("cluster")
    group.addoption("--provider", choices=providers.NAMES, help="Where the cluster comes from")


def shown(config: pytest.Config) -> AbstractContextManager[None]:
    """Progress of minutes-long steps goes past pytest's capture."""
    capture = config.pluginmanager.getplugin("capturemanager")
    return capture.global_and_fixture_disabled() if capture else nullcontext()


@pytest.fixture(scope="session")
def provider(request: pytest.FixtureRequest) -> providers.Provider:
    """Where the cluster comes from. Without one the test is skipped; in CI it fails."""
    path = request.config.getoption("kubeconfig")
    try:
        return providers.choose(
            name=request.config.getoption("provider"), kubeconfig=Path(path) if path else None
        )
    except ClusterError as error:
        if os.environ.get("CI", "").lower() in {"true", "1"}:
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest, provider: providers.Provider) -> Cluster:
    """A running cluster, brought up when it is not. It stays up: the next session starts at once."""
    with shown(request.config):
        kubeconfig = provider.up()
        providers.remember(provider)
    return Cluster(kubeconfig, provider.name)


@pytest.fixture(scope="session")
def images(request: pytest.FixtureRequest, cluster: Cluster, provider: providers.Provider) -> ImageNames:
    """The project's images, built from this checkout, in the cluster."""
    with shown(request.config):
        return provider.load_images()


@pytest.fixture(scope="session")
def operator(
    request: pytest.FixtureRequest, cluster: Cluster, provider: providers.Provider
) -> Iterator[release.Operator]:
    """The operator of this checkout, installed with its chart and available, until this session ends."""
    with ExitStack() as stack:
        with shown(request.config):
            stack.enter_context(locks.alone_with_the_operator())
            installed = release.install(cluster, provider.load_images())
        yield installed


@pytest.fixture
def namespace(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[str]:
    """The name of a fresh namespace under restricted Pod Security; its deletion is not waited for."""
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    name = f"{words[:50].rstrip('-')}-{secrets.token_hex(3)}"
    yield cluster.create_namespace(name, labels=RESTRICTED)
    cluster.kubectl("delete", "namespace", name, "--wait=false")
