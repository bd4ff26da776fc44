"""The services of others that the jobs talk to. Where they are and how to get in stands in Secrets."""

import os
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from job_runner import Context
from job_runner.connections.http_client import open_http
from job_runner.connections.variables import from_variable

if TYPE_CHECKING:
    from job_runner.connections.http_client import HttpClient


def open_service(
    context: Context, *, variable: str, timeout: float = 30.0, attempts: int = 4
) -> "AbstractContextManager[HttpClient]":
    """The HTTP API at the address in the variable, with the token in API_TOKEN if there is one."""
    token = os.environ.get("API_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return open_http(
        context, base_url=from_variable(variable), headers=headers, timeout=timeout, attempts=attempts
    )
