"""Handlers that make a request, and how they end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from job_runner import Context
from job_runner.connections.http_client import HttpClient, open_http
from job_runner.testing import Outcome, run_handler
from tests.handlers.web_server import WebServer

Use = Callable[[HttpClient, str], Any]


def outcome(
    url: str, use: Use, *, run_timeout: float = 30.0, cancel_after: float | None = None, **options: Any
) -> Outcome:
    """How a handler ends that opens a client with the options, and uses it."""

    def it(context: Context) -> Any:
        with open_http(context, **options) as client:
            return use(client, url)

    return run_handler(it, timeout=run_timeout, cancel_after=cancel_after)


def status(method: str = "GET", path: str = "/", **arguments: Any) -> Use:
    return lambda client, url: client.request(method, url + path, **arguments).status_code


def error(ended: Outcome) -> str:
    assert ended.error is not None, ended
    return f"{ended.error.type}: {ended.error.message}"


def place(web: WebServer, method: str = "GET", path: str = "/") -> str:
    return f"{method} 127.0.0.1:{web.port}{path}"
