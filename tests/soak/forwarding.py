"""Plain HTTP on 127.0.0.1 towards an operator, the administrator's TLS towards the API server."""

from __future__ import annotations

import ssl
from abc import ABC, abstractmethod

import aiohttp
from aiohttp import web

_PASSED = ("Accept", "Content-Type", "User-Agent")


class Forwarder(ABC):
    """One way to the API server. What happens to each request on it is said by those that derive from it."""

    def __init__(self, *, server: str, tls: ssl.SSLContext) -> None:
        self._server = server
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def start(self) -> None:
        connector = aiohttp.TCPConnector(ssl=self._tls, limit=0)
        timeout = aiohttp.ClientTimeout(total=None)
        self._session = aiohttp.ClientSession(connector=connector, timeout=timeout, read_bufsize=2**22)
        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._session is not None:
            await self._session.close()  # first: some wait for its answers though nobody waits for them
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if "watch" in request.query:
            return await self._stream(request)
        return await self._answer(request, data=await request.read())

    @abstractmethod
    async def _answer(self, request: web.Request, *, data: bytes) -> web.StreamResponse:
        """Answer what is not a watch."""

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        async with self._forward(request, data=b"") as answer:
            response = web.StreamResponse(status=answer.status)
            response.content_type = answer.content_type
            try:
                await response.prepare(request)
                async for chunk in answer.content.iter_any():
                    await self._may_pass(request)
                    await response.write(chunk)
            except (aiohttp.ClientError, ConnectionError):
                return response  # one of the two ends is gone, and the other learns it
        return response

    async def _may_pass(self, request: web.Request) -> None:  # noqa: B027  # by default all passes
        """Return when a piece of a watch may go on. Raises ConnectionError when the watch is broken off."""

    async def _ask(self, request: web.Request, *, data: bytes) -> web.Response:
        """The API server's answer. Raises aiohttp.ClientError."""
        async with self._forward(request, data=data) as answer:
            body = await answer.read()
            return web.Response(status=answer.status, body=body, content_type=answer.content_type)

    def _forward(self, request: web.Request, *, data: bytes) -> aiohttp.client._RequestContextManager:
        assert self._session is not None
        headers = {name: request.headers[name] for name in _PASSED if name in request.headers}
        return self._session.request(
            request.method, self._server + request.path_qs, data=data or None, headers=headers
        )


def broken(request: web.Request) -> web.Response:
    """No answer: the connection breaks."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
