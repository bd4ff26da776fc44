"""An async handler: its task is cancelled when the time is up, and asyncio's own timeouts work inside."""

import asyncio
from urllib.parse import urlsplit

from job_runner import DataError, Unavailable, job_handler


@job_handler("check-page")
async def check_page(url: str, expect: str = "") -> dict[str, int]:
    """Fetches a page over HTTP and fails when it does not answer or lacks a text."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise DataError("url is not an http:// address")
    try:
        async with asyncio.timeout(10):
            status, body = await _get(parts.hostname, parts.port or 80, parts.path or "/")
    except OSError as error:
        raise Unavailable("the server does not answer") from error
    if status >= 500:
        raise Unavailable(f"the server answers {status}")
    if expect.encode() not in body:
        raise DataError("the page lacks the expected text")
    return {"status": status, "bytes": len(body)}


async def _get(host: str, port: int, path: str) -> tuple[int, bytes]:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(f"GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    finally:
        writer.close()
    return int(head.split(maxsplit=2)[1]), body
