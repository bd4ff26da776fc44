"""The sample API of the examples, run on this machine with the collections of a test."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cluster.paths import CHECKOUT
from tests.servers.process import ServerProcess, answers, free_port, plain_http, server_folder

PROGRAM = CHECKOUT / "examples" / "servers" / "sample_api"


class SampleApi(ServerProcess):
    """`url` is its root; collections are under /v1."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._data = folder / "collections"
        self._data.mkdir()
        super().__init__(
            [sys.executable, str(PROGRAM), "--port", str(self.port), "--data", str(self._data)],
            folder=folder,
            ready=lambda: answers(self.port),
        )

    def serve(self, **collections: Any) -> None:
        """Serve these collections and no others; faults and requests are forgotten."""
        for path in self._data.iterdir():
            path.unlink()
        for name, content in collections.items():
            (self._data / f"{name}.json").write_text(json.dumps(content))
        self._ask("POST", "/reset")

    def fail(self, **fault: Any) -> None:
        """Something goes wrong from now on, such as status=503, times=2."""
        self._ask("POST", "/faults", fault)

    def clear_faults(self) -> None:
        self._ask("DELETE", "/faults")

    def requests(self) -> list[dict[str, Any]]:
        """The requests so far: method, path, query and status of each."""
        found: list[dict[str, Any]] = self._ask("GET", "/requests")
        return found

    def get(self, path: str) -> Any:
        """What a collection or an item is now, such as /v1/tokens/1."""
        return self._ask("GET", path)

    def _ask(self, method: str, path: str, content: object = None) -> Any:
        return plain_http(method, self.url + path, json=content)


@contextmanager
def sample_api() -> Iterator[SampleApi]:
    """A server that runs while the block does."""
    with server_folder("api", owner=None) as folder:
        server = SampleApi(folder)
        try:
            server.start()
            yield server
        finally:
            server.stop()
