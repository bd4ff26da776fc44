"""A namespace with a table of tokens, the sample API that has them, and jobs that bring them there."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from tests.cluster.access import Cluster
from tests.cluster.images import SERVERS
from tests.cluster.providers import Provider
from tests.examples.proxy import Proxy
from tests.examples.system import System, rendered
from tests.plugin import RESTRICTED

FOLDER = Path(__file__).parent / "token_import"
IMPORT, COPY, INSERT = "import-tokens", "copy-tokens", "insert-tokens"
PAGE = BATCH = 5000
MEMORY_LIMIT = 256 * 2**20


@contextmanager
def tokens(cluster: Cluster, provider: Provider, proxy: Proxy, *, count: int) -> Iterator[System]:
    """The API has so many tokens, and the table none."""
    images = {SERVERS.name: provider.load_image(SERVERS)}
    namespace = cluster.create_namespace(f"fetch-insert-{secrets.token_hex(3)}", labels=RESTRICTED)
    bodies = rendered(cluster.kubectl("kustomize", str(FOLDER)).stdout, images=images, changes={})
    for body in bodies:
        if body["metadata"]["name"] == "api-data":
            collection = yaml.safe_load(body["data"]["tokens.json"])
            collection["generate"]["count"] = count
            body["data"]["tokens.json"] = json.dumps(collection)
    try:
        yield System.apply(cluster, namespace, bodies, proxy=proxy)
    finally:
        cluster.kubectl("delete", "namespace", namespace, "--wait=false")


def known(system: System) -> int:
    """How many tokens the table has."""
    return int(system.sql("SELECT count(*) FROM tokens")[0][0])
