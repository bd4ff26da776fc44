"""A small HTTP server that answers as the test says, for what really goes over the wire."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from kubernetes.aio.client.configuration import Configuration

from scheduledjob_operator.cluster import Turn
from scheduledjob_operator.kubernetes_cluster import KubernetesCluster

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Received:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class ApiServer:
    """Answers requests in order, the last answer again and again."""

    answers: list[Answer]
    received: list[Received] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        text = await request.text()
        self.received.append(
            Received(
                method=request.method,
                path=request.path,
                query=dict(request.query),
                headers={name.lower(): value for name, value in request.headers.items()},
                body=text,
            )
        )
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return await answer(request)


def json_answer(body: Any, *, status: int = 200) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status)

    return answer


def text_answer(text: str, *, status: int = 200) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(text=text, status=status, content_type="application/json")

    return answer


def broken_answer(text: str = "") -> Answer:
    """The connection ends in the middle of the answer."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(text) + 100)})
        await response.prepare(request)
        await response.write(text.encode())
        assert request.transport is not None
        request.transport.abort()
        return response

    return answer


@asynccontextmanager
async def serving(
    *answers: Answer, turn: Turn | None = None
) -> AsyncIterator[tuple[ApiServer, KubernetesCluster]]:
    """A server with these answers, and a real client of it, which writes when it is its turn."""
    server = ApiServer(list(answers))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.01)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    configuration = Configuration()
    configuration.host = f"http://127.0.0.1:{runner.addresses[0][1]}"
    cluster = KubernetesCluster(configuration, identity="test", turn=turn)
    try:
        yield server, cluster
    finally:
        await cluster.close()
        await runner.cleanup()
