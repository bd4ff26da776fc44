"""A replica writes only while it is its turn, and what is on its way for too long is refused."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from aiohttp import web

from scheduledjob_operator import names
from scheduledjob_operator.cluster import ApiError
from scheduledjob_operator.kubernetes_cluster import KubernetesCluster
from scheduledjob_operator.models.types import parse_time
from scheduledjob_operator.server_clock import EVERY, ServerClock
from tests.unit.api_server import Answer, ApiServer, json_answer, serving
from tests.unit.bodies import cron_job, job

AN_HOUR = timedelta(hours=1)
NEAR = timedelta(seconds=10)
"""The API server tells whole seconds, and on a busy machine answers take their time."""


@dataclass
class FixedTurn:
    leading: bool
    seconds_left: float


def called(
    turn: FixedTurn | None, *requests: Callable[[KubernetesCluster], Awaitable[Any]], answers: list[Answer]
) -> ApiServer:
    async def main() -> ApiServer:
        async with serving(*answers, turn=turn) as (server, cluster):
            for request in requests:
                await request(cluster)
            return server

    return asyncio.run(main())


def an_hour_ahead(body: Any) -> Answer:
    """The answer of a server whose clock is an hour ahead."""

    async def answer(_: web.Request) -> web.StreamResponse:
        date = format_datetime(datetime.now(UTC) + AN_HOUR, usegmt=True)
        return web.json_response(body, headers={"Date": date})

    return answer


def make_job(cluster: KubernetesCluster) -> Awaitable[Any]:
    return cluster.create_job(job("a"))


def look(cluster: KubernetesCluster) -> Awaitable[Any]:
    return cluster.get("Job", namespace="shop", name="a")


def annotations_of(server: ApiServer) -> dict[str, str]:
    """Of the Job that was asked for last."""
    found: dict[str, str] = json.loads(server.received[-1].body)["metadata"]["annotations"]
    return found


def deadline_of(server: ApiServer) -> datetime:
    return parse_time(annotations_of(server)[names.ANNOTATION_NOT_AFTER])


def test_a_job_is_not_to_be_made_once_another_may_lead() -> None:
    turn = FixedTurn(leading=True, seconds_left=12)
    server = called(turn, make_job, answers=[json_answer(job("a"))])
    assert abs(deadline_of(server) - datetime.now(UTC) - timedelta(seconds=12)) < NEAR


def test_the_deadline_is_by_the_clock_of_the_api_server() -> None:
    turn = FixedTurn(leading=True, seconds_left=12)
    server = called(turn, look, make_job, answers=[an_hour_ahead(job("a")), json_answer(job("a"))])
    assert abs(deadline_of(server) - datetime.now(UTC) - AN_HOUR - timedelta(seconds=12)) < NEAR


def test_one_that_is_alone_gives_no_deadline() -> None:
    server = called(None, make_job, answers=[json_answer(job("a"))])
    assert names.ANNOTATION_NOT_AFTER not in annotations_of(server)


@pytest.mark.parametrize(
    "write",
    [make_job, lambda cluster: cluster.apply_cron_job(cron_job(), force=True)],
    ids=["job", "cronjob"],
)
def test_nothing_is_written_out_of_turn(write: Callable[[KubernetesCluster], Awaitable[Any]]) -> None:
    turn = FixedTurn(leading=False, seconds_left=float("-inf"))
    with pytest.raises(ApiError, match="another replica acts now"):
        called(turn, write, answers=[])


def test_reading_is_always_allowed() -> None:
    turn = FixedTurn(leading=False, seconds_left=float("-inf"))
    assert len(called(turn, look, answers=[json_answer(job("a"))]).received) == 1


def test_a_write_that_came_too_late_is_tried_again() -> None:
    late = "this Job had to be made by 2026-11-22T13:33:45Z, and it is 2026-11-22T13:33:50Z"
    assert not ApiError(status=403, reason="Forbidden", message=late).is_refusal
    assert ApiError(status=403, reason="Forbidden", message="exceeded quota").is_refusal


@pytest.mark.parametrize("date", [None, "", "yesterday"])
def test_what_is_no_date_leaves_the_clock_alone(date: str | None) -> None:
    clock = ServerClock()
    clock.note(date)
    assert abs(clock.now - datetime.now(UTC)) < NEAR
    assert EVERY > 0
