"""Between the operator and the API server: names each write, and strikes where the plan says so."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress

import aiohttp
from aiohttp import web

from tests.soak.strikes import Moment, Strikes
from tests.soak.writes import kind_of

_PASSED = ("Accept", "Content-Type", "User-Agent")
_UNAVAILABLE = (
    b'{"kind":"Status","status":"Failure","reason":"ServiceUnavailable","message":"struck","code":503}'
)
Kill = Callable[[str], Awaitable[None]]
"""Kills the operator, and returns when it is dead. Is told after which write."""


class Proxy:
    """Plain HTTP on 127.0.0.1 towards the operator, the administrator's TLS towards the API server."""

    def __init__(self, *, server: str, tls: ssl.SSLContext, strikes: Strikes, kill: Kill) -> None:
        self._server = server
        self._tls = tls
        self._kill = kill
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None
        self.strikes = strikes
        self.writes = 0
        """Writes that have reached the API server."""
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
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if "watch" in request.query:
            return await self._stream(request)
        data = await request.read()
        kind = kind_of(
            request.method, request.path, content_type=request.headers.get("Content-Type", ""), data=data
        )
        moment = self.strikes.choose(kind) if kind else None
        if moment is Moment.BEFORE:
            await self._kill(f"{kind}, {moment}")
            return _broken(request)
        if moment is Moment.UNAVAILABLE:
            return web.Response(status=503, body=_UNAVAILABLE, content_type="application/json")
        try:
            async with self._forward(request, data=data) as answer:
                body = await answer.read()
                response = web.Response(status=answer.status, body=body, content_type=answer.content_type)
        except aiohttp.ClientError:
            return _broken(request)
        self.writes += kind is not None
        if moment is Moment.UNANSWERED:
            await self._kill(f"{kind}, {moment}")
        if moment in (Moment.UNANSWERED, Moment.LOST):
            return _broken(request)
        if moment is Moment.AFTER:
            with suppress(ConnectionError):  # it was killed because of another write
                await response.prepare(request)
                await response.write_eof()
            # The operator has it now, and may get as far as it does in a millisecond or so.
            await asyncio.sleep(0.001)
            await self._kill(f"{kind}, {moment}")
        return response

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        async with self._forward(request, data=b"") as answer:
            response = web.StreamResponse(status=answer.status)
            response.content_type = answer.content_type
            try:
                await response.prepare(request)
                async for chunk in answer.content.iter_any():
                    await response.write(chunk)
            except (aiohttp.ClientError, ConnectionError):
                return response  # one of the two ends is gone, and the other learns it
        return response

    def _forward(self, request: web.Request, *, data: bytes) -> aiohttp.client._RequestContextManager:
        assert self._session is not None
        headers = {name: request.headers[name] for name in _PASSED if name in request.headers}
        return self._session.request(
            request.method, self._server + request.path_qs, data=data or None, headers=headers
        )


def _broken(request: web.Request) -> web.Response:
    """No answer: the connection breaks."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
