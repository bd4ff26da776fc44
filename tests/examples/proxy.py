"""The way from a test to the HTTP servers in a namespace: through the API server, with `kubectl proxy`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.cluster.access import Cluster
from tests.cluster.binaries import binary


@dataclass(frozen=True)
class Proxy:
    """Requests to the API server, and through it to Services by namespace, name and port."""

    client: httpx.Client

    def get(self, path: str) -> Any:
        """An object or a list of the API. An error is an AssertionError that quotes it."""
        answer = self.client.get(path)
        assert answer.is_success, f"GET {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def request(self, method: str, service: str, path: str, *, namespace: str, body: object = None) -> Any:
        """The JSON of the answer; `service` is NAME:PORT. An error is an AssertionError that quotes it."""
        address = f"/api/v1/namespaces/{namespace}/services/{service}/proxy{path}"
        content = None if body is None else json.dumps(body)
        answer = self.client.request(method, address, content=content)
        assert answer.is_success, f"{method} {service}{path}: {answer.status_code} {answer.text}"
        return answer.json()


@contextmanager
def opened(cluster: Cluster) -> Iterator[Proxy]:
    """A `kubectl proxy` for as long as the block runs."""
    command = [binary("kubectl"), "proxy", "--port=0", "--reject-methods=^$"]
    with subprocess.Popen(command, env=cluster.environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline().strip()
            address = said.rpartition(" ")[2]
            assert address.startswith("127.0.0.1:"), f"kubectl proxy said {said!r}"
            with httpx.Client(base_url=f"http://{address}", timeout=30) as client:
                yield Proxy(client)
        finally:
            process.terminate()
