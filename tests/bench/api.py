"""The benchmark's own hands: a plain HTTP client of the API server, as administrator."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any, TypeVar

import aiohttp

Body = dict[str, Any]
Item = TypeVar("Item")

CONNECTIONS = 16
MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


class ApiError(RuntimeError):
    """The API server refused a request."""


class Api:
    """Requests by path; at most `CONNECTIONS` at once, beside the watches."""

    def __init__(self, *, server: str, tls: ssl.SSLContext) -> None:
        self._server = server
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(
        self, method: str, path: str, body: Any = None, *, content_type: str = "application/json"
    ) -> Body:
        """Send one request and read the answer. Raises ApiError when it is refused."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": content_type, "Accept": "application/json"}
        async with self._open().request(method, self._server + path, data=data, headers=headers) as response:
            text = await response.read()
            if response.status >= 400:
                raise ApiError(f"{method} {path}: {response.status} {text[:500]!r}")
            answer: Body = json.loads(text)
            return answer

    async def each(
        self, items: Iterable[Item], do: Callable[[Item], Awaitable[Any]], *, workers: int = CONNECTIONS
    ) -> None:
        """Do something for every item, with so many at once."""
        remaining = iter(items)

        async def work() -> None:
            for item in remaining:
                await do(item)

        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(work())

    async def items(self, path: str) -> list[Body]:
        """All objects of a list, page by page."""
        found: list[Body] = []
        query = "?limit=500"
        while True:
            page = await self.send("GET", path + query)
            found += page["items"]
            if not (following := page["metadata"].get("continue")):
                return found
            query = f"?limit=500&continue={following}"

    async def watch(self, path: str, *, resource_version: str) -> AsyncIterator[Body]:
        """Events until the API server ends the watch, which is after an hour."""
        url = f"{self._server}{path}?watch=1&timeoutSeconds=3600&resourceVersion={resource_version}"
        timeout = aiohttp.ClientTimeout(total=None)
        async with self._open().get(url, timeout=timeout) as response:
            async for line in response.content:
                yield json.loads(line)

    async def until_served(self, path: str) -> None:
        """Return when a path that is new answers."""
        async with asyncio.timeout(30):
            while True:
                try:
                    await self.send("GET", f"{path}?limit=1")
                except ApiError:
                    await asyncio.sleep(0.1)
                else:
                    return

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=CONNECTIONS + 4, ssl=self._tls)
            self._session = aiohttp.ClientSession(
                connector=connector, timeout=aiohttp.ClientTimeout(total=120), read_bufsize=2**22
            )
        return self._session
