"""Kubeconfig files: written with the certificates inside, read into a plain HTTPS client."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from tests.cluster.certificates import Pki
from tests.cluster.progress import ClusterError


def write(path: Path, *, server: str, pki: Pki, user: str) -> Path:
    """Write a kubeconfig for the holder of the certificate named `user`. The file is JSON, which is YAML."""

    def inline(source: Path) -> str:
        return base64.b64encode(source.read_bytes()).decode()

    name = "scheduledjob-testcluster"
    cluster = {"server": server, "certificate-authority-data": inline(pki.crt("ca"))}
    credentials = {
        "client-certificate-data": inline(pki.crt(user)),
        "client-key-data": inline(pki.key(user)),
    }
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": user, "user": credentials}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user}}],
        "current-context": name,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=1)
    if not path.exists() or path.read_text() != text:
        path.touch(mode=0o600)
        path.write_text(text)
    return path


class ApiError(ClusterError):
    """The API server answered with an error; `status` is the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Api:
    """A few plain requests to one API server, for readiness checks and the DNS server."""

    host: str
    port: int
    context: ssl.SSLContext
    timeout: float = 10.0

    @classmethod
    def of(cls, kubeconfig: Path, *, timeout: float = 10.0) -> Api:
        """Read a kubeconfig whose user has a client certificate (inline data, as `write` makes them)."""
        document = yaml.safe_load(kubeconfig.read_text())
        url = urlsplit(document["clusters"][0]["cluster"]["server"])
        authority = base64.b64decode(
            document["clusters"][0]["cluster"]["certificate-authority-data"]
        ).decode()
        context = ssl.create_default_context(cadata=authority)
        user = document["users"][0]["user"]
        with (
            tempfile.NamedTemporaryFile() as pair
        ):  # the ssl module loads client certificates from files only
            pair.write(base64.b64decode(user["client-key-data"]))
            pair.write(base64.b64decode(user["client-certificate-data"]))
            pair.flush()
            context.load_cert_chain(pair.name)
        return cls(url.hostname or "", url.port or 443, context, timeout)

    def _send(self, method: str, path: str, body: Any, timeout: float | None) -> http.client.HTTPResponse:
        connection = http.client.HTTPSConnection(
            self.host, self.port, context=self.context, timeout=timeout or self.timeout
        )
        connection.request(
            method,
            path,
            body=None if body is None else json.dumps(body),
            headers={"Content-Type": "application/json", "Accept": "application/json"},
        )
        response = connection.getresponse()
        if response.status >= 400:
            text = response.read().decode(errors="replace")[:500]
            raise ApiError(response.status, f"{method} {path}: {response.status} {text}")
        return response

    def text(self, path: str) -> str:
        return self._send("GET", path, None, None).read().decode()

    def get(self, path: str) -> Any:
        return json.loads(self.text(path))

    def post(self, path: str, body: Any) -> Any:
        return json.loads(self._send("POST", path, body, None).read())

    def watch(self, path: str, *, resource_version: str, idle: float = 330.0) -> Iterator[dict[str, Any]]:
        """Events of one watch until the server ends it; `idle` is the longest silence in seconds."""
        query = f"watch=1&allowWatchBookmarks=true&timeoutSeconds=300&resourceVersion={resource_version}"
        for line in self._send("GET", f"{path}?{query}", None, idle):
            yield json.loads(line)
