"""Between the operator and the API server: names each write, and strikes where the plan says so."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress

import aiohttp
from aiohttp import web

from tests.soak.forwarding import Forwarder, broken
from tests.soak.strikes import Moment, Strikes
from tests.soak.writes import kind_of

_UNAVAILABLE = (
    b'{"kind":"Status","status":"Failure","reason":"ServiceUnavailable","message":"struck","code":503}'
)
Kill = Callable[[str], Awaitable[None]]
"""Kills the operator, and returns when it is dead. Is told after which write."""


class Proxy(Forwarder):
    """The way of an operator that is killed at its writes."""

    def __init__(self, *, server: str, tls: ssl.SSLContext, strikes: Strikes, kill: Kill) -> None:
        super().__init__(server=server, tls=tls)
        self._kill = kill
        self.strikes = strikes
        self.writes = 0
        """Writes that have reached the API server."""

    async def _answer(self, request: web.Request, *, data: bytes) -> web.StreamResponse:
        kind = kind_of(
            request.method, request.path, content_type=request.headers.get("Content-Type", ""), data=data
        )
        moment = self.strikes.choose(kind) if kind else None
        if moment is Moment.BEFORE:
            await self._kill(f"{kind}, {moment}")
            return broken(request)
        if moment is Moment.UNAVAILABLE:
            return web.Response(status=503, body=_UNAVAILABLE, content_type="application/json")
        try:
            response = await self._ask(request, data=data)
        except aiohttp.ClientError:
            return broken(request)
        self.writes += kind is not None
        if moment is Moment.UNANSWERED:
            await self._kill(f"{kind}, {moment}")
        if moment in (Moment.UNANSWERED, Moment.LOST):
            return broken(request)
        if moment is Moment.AFTER:
            with suppress(ConnectionError):  # it was killed because of another write
                await response.prepare(request)
                await response.write_eof()
            # The operator has it now, and may get as far as it does in a millisecond or so.
            await asyncio.sleep(0.001)
            await self._kill(f"{kind}, {moment}")
        return response
