"""A Prometheus of the tests' own: it reads one address every second, and evaluates rules as often."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.servers.process import ServerProcess, free_port, server_folder, user
from tests.servers.programs import prometheus_program


class PrometheusServer(ServerProcess):
    """`alerts` and `query` say what it knows."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        super().__init__(
            [
                str(prometheus_program("prometheus")),
                *(f"--config.file={folder / 'prometheus.json'}", f"--storage.tsdb.path={folder / 'data'}"),
                *(f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn"),
            ],
            folder=folder,
            ready=self._is_ready_to_answer,
            as_user=user(),
        )

    def alerts(self) -> list[dict[str, Any]]:
        """The alerts that are pending or firing: labels, annotations, state."""
        found: list[dict[str, Any]] = self._ask("alerts")["alerts"]
        return found

    def query(self, expression: str) -> list[dict[str, str]]:
        """The labels of the series that an expression has now."""
        return [sample["metric"] for sample in self._ask("query", query=expression)["result"]]

    def _ask(self, what: str, **parameters: str) -> Any:
        answer = httpx.get(f"{self.url}/api/v1/{what}", params=parameters)
        assert answer.is_success, answer.text
        return answer.json()["data"]

    def _is_ready_to_answer(self) -> bool:
        try:
            return httpx.get(f"{self.url}/-/ready").is_success
        except httpx.HTTPError:
            return False


@contextmanager
def prometheus_server(
    *, target: str, labels: Mapping[str, str], rules: Mapping[str, Any]
) -> Iterator[PrometheusServer]:
    """A server that reads http://TARGET/metrics while the block runs.

    labels: those of every series that does not say otherwise itself. rules: what a rule file has.
    """
    configuration = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.json"],
        "scrape_configs": [
            {
                "job_name": "operator",
                "honor_labels": True,
                "static_configs": [{"targets": [target], "labels": dict(labels)}],
            }
        ],
    }
    with server_folder("prometheus", owner=user()) as folder:
        (folder / "prometheus.json").write_text(json.dumps(configuration))
        (folder / "rules.json").write_text(json.dumps(rules))
        server = PrometheusServer(folder)
        try:
            server.start()
            yield server
        finally:
            server.stop()
