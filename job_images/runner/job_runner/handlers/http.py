import json
import time
from typing import TYPE_CHECKING, Any

from job_runner import Context, DataError, job_handler
from job_runner.connections.addresses import address_of, secret_headers
from job_runner.connections.http_client import SUCCESS, open_http

if TYPE_CHECKING:
    import httpx

_LARGEST_KEPT = 2000
"""Bytes of a body that the result takes: all of it has to fit into 4096."""


@job_handler("http")
def http(  # noqa: PLR0913  (each is an argument of a manifest)
    context: Context,
    *,
    url: str | None = None,
    url_variable: str | None = None,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    header_variables: dict[str, str] | None = None,
    body: Any = None,
    text: str | None = None,
    expected_status: list[int] | None = None,
    timeout: float = 30.0,
    attempts: int = 4,
    max_bytes: int = 16 * 2**20,
    keep_body: bool = False,
) -> dict[str, Any]:
    """Makes one HTTP request, again where that is safe, and expects a certain status."""
    _check(method, timeout=timeout, attempts=attempts, max_bytes=max_bytes)
    if body is not None and text is not None:
        raise DataError("give body, which is sent as JSON, or text, not both")
    _check_body(body)
    address = address_of(url, url_variable)
    started = time.monotonic()
    with open_http(
        context,
        headers={**(headers or {}), **secret_headers(header_variables)},
        timeout=timeout,
        attempts=attempts,
        max_bytes=max_bytes,
        label=url_variable or "",
    ) as client:
        response = client.request(
            method.upper(),
            address,
            json=body,
            content=None if text is None else text.encode(),
            expected=SUCCESS if expected_status is None else expected_status,
        )
    result = {
        "status": response.status_code,
        "bytes": len(response.content),
        "seconds": round(time.monotonic() - started, 3),
        "attempts": response.extensions["attempts"],
    }
    return {**result, **(_kept(response, context) if keep_body else {})}


def _check(method: str, *, timeout: float, attempts: int, max_bytes: int) -> None:
    if not (method.isascii() and method.isalpha()):
        raise DataError("method is none of HTTP: write for instance POST")
    if not timeout > 0:
        raise DataError("timeout is not above 0: give seconds")
    if attempts < 1 or max_bytes < 0:
        raise DataError("attempts is below 1, or max_bytes below 0")


def _check_body(body: Any) -> None:
    """Python takes NaN and Infinity for JSON, which others do not."""
    try:
        json.dumps(body, allow_nan=False)
    except ValueError:
        raise DataError("body is no JSON: it has NaN or Infinity in it") from None


def _kept(response: "httpx.Response", context: Context) -> dict[str, Any]:
    if len(response.content) > _LARGEST_KEPT:
        context.logger.warning("the body is left out: it has more than %d bytes", _LARGEST_KEPT)
        return {}
    try:
        return {"body": json.loads(response.content)}
    except (ValueError, RecursionError):
        context.logger.warning("the body is left out: it is not JSON")
        return {}
