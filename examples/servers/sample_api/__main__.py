"""An HTTP API to try jobs on: collections from a folder of JSON files, and faults on demand.

    python examples/servers/sample_api --port 8080 --data FOLDER

| request | answer |
|---|---|
| GET /v1/NAME?limit=&cursor= (or offset=, page=) | {"items", "total", "next", "cursor"}, null at the end |
| GET /v1/NAME?FIELD=VALUE | only the items with it |
| GET /v1/NAME.ndjson | all items, one a line |
| POST /v1/NAME | adds the item of the body, or replaces the one with its id |
| GET, PATCH, PUT /v1/NAME/ID | one item; PATCH merges the body into it |
| POST /v1/NAME/ID/ACTION | merges what the collection's file says for the action |
| POST /faults, DELETE /faults | what goes wrong from now on (see faults.py), or nothing any more |
| GET /requests, DELETE /requests | the requests so far: method, path, query, status, busy: how many at once |
| POST /reset | the data as in the files, no faults, no requests |
| GET /healthz | 200 |

With API_TOKEN in the environment, what is under /v1 wants `Authorization: Bearer` with it.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import catalogue
from answers import Answers
from faults import Faults

KEPT_REQUESTS = 100_000


class SampleApi(ThreadingHTTPServer):
    """The server with what it serves."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], *, data: Path, token: str | None) -> None:
        super().__init__(address, Answers)
        self.data = data
        self.token = token
        self.lock = threading.Lock()
        self.faults = Faults()
        self.requests: deque[dict[str, Any]] = deque(maxlen=KEPT_REQUESTS)
        self.collections = catalogue.read(data)
        self._busy = 0

    @contextmanager
    def counted(self) -> Iterator[int]:
        """How many requests are being answered, this one included."""
        with self.lock:
            self._busy += 1
            busy = self._busy
        try:
            yield busy
        finally:
            with self.lock:
                self._busy -= 1

    def reset(self) -> None:
        with self.lock:
            self.collections = catalogue.read(self.data)
        self.faults.clear()
        self.requests.clear()


def main() -> None:
    """Serve until SIGTERM. The first line of the output names the port."""
    parser = argparse.ArgumentParser(prog="sample_api")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080, help="0 is a free one, which the first line names")
    parser.add_argument("--data", type=Path, required=True, help="a folder of NAME.json files")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with SampleApi(
        (options.host, options.port), data=options.data, token=os.environ.get("API_TOKEN")
    ) as server:
        sys.stdout.write(json.dumps({"http": server.server_port}) + "\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    main()
