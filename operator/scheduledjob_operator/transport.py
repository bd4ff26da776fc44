"""Requests by path to the API server, and what it answers: bodies, pages, watch events, or an ApiError.

Configuration, credentials and connections are those of `kubernetes.aio`. Requests go by path through its REST
client: its dynamic client would discover what we know, and formats a traceback for every 404.
"""

import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio import config
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration

from scheduledjob_operator.cluster import ApiError, Body, Turn, path
from scheduledjob_operator.metrics import API_REQUESTS
from scheduledjob_operator.server_clock import ServerClock

REQUEST_TIMEOUT = aiohttp.ClientTimeout(total=15, sock_connect=5)
PAGE_SIZE = 500
HTTP_ERRORS = 400
"""From this HTTP status on, an answer is a refusal."""


class Transport:
    """The way to an API server, in the name of the operator."""

    def __init__(self, configuration: Configuration, *, identity: str, turn: Turn | None = None) -> None:
        self._turn = turn
        self._clock = ServerClock()
        self._client = ApiClient(configuration)
        self._client.user_agent = f"scheduledjob-operator/{identity}"

    @classmethod
    async def connect(cls, *, connections: int, turn: Turn | None = None) -> Self:
        """By the Pod's service account, else by KUBECONFIG. `connections`: most requests at once; 0: any.

        `turn` is asked right before each write is sent; None: nobody else ever writes.
        """
        configuration = Configuration()
        if "KUBERNETES_SERVICE_HOST" in os.environ and "KUBECONFIG" not in os.environ:
            config.load_incluster_config(client_configuration=configuration)
        else:
            await config.load_kube_config(client_configuration=configuration)
        configuration.connection_pool_maxsize = connections
        # A proxy is in the configuration already; aiohttp would look for one at each request, in two threads.
        configuration.client_session_kwargs = {"trust_env": False}
        return cls(configuration, identity=os.environ.get("HOSTNAME", "local"), turn=turn)

    async def close(self) -> None:
        await self._client.close()

    async def pages(
        self, kind: str, *, namespace: str | None, selector: str, metadata_only: bool = False
    ) -> AsyncIterator[Body]:
        """The list of a kind, page by page."""
        query = {"limit": str(PAGE_SIZE), "labelSelector": selector}
        accept = "application/json"
        if metadata_only:
            accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
        while True:
            page = await self._request("GET", path(kind, namespace=namespace), query=query, accept=accept)
            yield page
            if not (following := page["metadata"].get("continue")):
                return
            query["continue"] = following

    @asynccontextmanager
    async def watch(
        self, kind: str, *, namespace: str | None, selector: str, resource_version: str, seconds: int
    ) -> AsyncIterator[AsyncIterator[Body]]:
        """Watch events of a kind after `resource_version`, for `seconds` at most."""
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "labelSelector": selector,
            "resourceVersion": resource_version,
            "timeoutSeconds": str(seconds),
        }
        # A bookmark comes every minute: a longer silence is a dead connection.
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=75)
        response = await self._send(
            "GET", path(kind, namespace=namespace), query=query, timeout=timeout, accept="application/json"
        )
        try:
            yield _lines(response)
        finally:
            response.close()

    async def _request(
        self,
        method: str,
        url: str,
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> Body:
        response = await self._send(
            method, url, body=body, query=query, content_type=content_type, accept=accept
        )
        try:
            answer: Body = json.loads(await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise ApiError(status=0, reason="NoAnswer", message=f"{method} {url}: {error!r}") from error
        return answer

    async def _send(
        self,
        method: str,
        url: str,
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        timeout: aiohttp.ClientTimeout = REQUEST_TIMEOUT,  # noqa: ASYNC109  # passed on to aiohttp
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> aiohttp.ClientResponse:
        API_REQUESTS.labels(verb=method).inc()
        headers = {**self._client.default_headers, "Accept": accept, "Content-Type": content_type}
        address = f"{self._client.configuration.host}{url}?{urlencode(query or {})}"
        try:
            await self._client.update_params_for_auth(headers, [], ["BearerToken"], url, method, body)
            if method != "GET" and self._turn is not None and not self._turn.leading:
                raise ApiError(status=0, reason="NotLeading", message="another replica acts now")
            answer = await self._client.rest_client.request(
                method, address, headers=headers, body=body, _request_timeout=timeout
            )
            response: aiohttp.ClientResponse = answer.response
            self._clock.note(response.headers.get("Date"))
            if response.status >= HTTP_ERRORS:
                raise _api_error(response, text=await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ApiError(status=0, reason="NoAnswer", message=f"{method} {url}: {error!r}") from error
        return response


async def _lines(response: aiohttp.ClientResponse) -> AsyncIterator[Body]:
    try:
        async for line in response.content:
            yield json.loads(line)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise ApiError(status=0, reason="BrokenStream", message=f"the stream broke off: {error!r}") from error


def _api_error(response: aiohttp.ClientResponse, *, text: bytes) -> ApiError:
    try:
        status = json.loads(text)
        reason, message = status.get("reason") or "", status.get("message") or ""
    except (AttributeError, ValueError):
        reason, message = "", ""
    fallback = str(response.reason)
    return ApiError(status=response.status, reason=reason or fallback, message=message or fallback)
