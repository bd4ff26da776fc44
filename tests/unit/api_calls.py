"""Requests of the real client to an API server of the test."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from scheduledjob_operator.cluster import ApiError
from scheduledjob_operator.kubernetes_cluster import KubernetesCluster
from tests.unit.api_server import Answer, ApiServer, serving

Call = Callable[[KubernetesCluster], Awaitable[Any]]
NAMED = {"namespace": "shop", "name": "a"}
SEEN = {**NAMED, "resource_version": "7"}


def call(request: Call, *answers: Answer) -> tuple[ApiServer, Any]:
    """The server after a request, and the result. Raises ApiError."""

    async def main() -> tuple[ApiServer, Any]:
        async with serving(*answers) as (server, cluster):
            return server, await request(cluster)

    return asyncio.run(main())


def refusal_of(request: Call, *answers: Answer) -> ApiError:
    with pytest.raises(ApiError) as caught:
        call(request, *answers)
    return caught.value
