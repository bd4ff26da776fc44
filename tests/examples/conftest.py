"""The systems of examples/ on the test cluster, with the servers they work with."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from tests.cluster import providers
from tests.cluster.access import Cluster
from tests.cluster.images import SERVERS, of_system
from tests.cluster.release import Operator
from tests.examples import proxy as proxies
from tests.examples.proxy import Proxy
from tests.examples.system import FOLDER, System, rendered
from tests.plugin import RESTRICTED, shown


@pytest.fixture(scope="session")
def proxy(cluster: Cluster) -> Iterator[Proxy]:
    """The way to the HTTP servers."""
    with proxies.opened(cluster) as opened:
        yield opened


@pytest.fixture(scope="module")
def system(
    request: pytest.FixtureRequest,
    cluster: Cluster,
    operator: Operator,
    provider: providers.Provider,
    proxy: Proxy,
) -> Iterator[System]:
    """The system of the test file's SYSTEM, in a namespace under restricted Pod Security.

    Its schedules are off and failed runs have no second attempt, but for what the file's CHANGES say:
    fields of the specs by the name of the ScheduledJob, None to take one away.
    """
    name: str = request.module.SYSTEM
    with shown(request.config):
        images = {image.name: provider.load_image(image) for image in (SERVERS, of_system(name))}
    namespace = cluster.create_namespace(f"{name}-{secrets.token_hex(3)}", labels=RESTRICTED)
    text = cluster.kubectl("kustomize", str(FOLDER / name)).stdout
    bodies = rendered(text, images=images, changes=getattr(request.module, "CHANGES", {}))
    try:
        yield System.apply(cluster, namespace, bodies, proxy=proxy)
    finally:
        cluster.kubectl("delete", "namespace", namespace, "--wait=false")
