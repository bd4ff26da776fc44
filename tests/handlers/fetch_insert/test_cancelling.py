"""A run that is cancelled finishes its batch."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import psycopg

from job_runner import Context
from job_runner.handlers.fetch_insert import fetch_insert
from job_runner.testing import Result
from tests.handlers.cancelling import cancelled_when
from tests.handlers.fetch_insert.tokens import arguments, count, rows
from tests.servers.sample_api import SampleApi
from tests.waiting import wait_until


def test_a_cancellation_finishes_the_batch_and_says_how_far_it_came(database: str, api: SampleApi) -> None:
    api.fail(delay_seconds=0.1)
    ended = cancelled_when(lambda: count(database) >= 200, fetch_insert, args=arguments(api))
    assert ended.result is Result.CANCELLED
    assert isinstance(ended.value, dict)
    assert 200 <= count(database) < 1000
    assert ended.value["inserted"] == ended.value["fetched"] == count(database)
    assert count(database) % 200 == 0


def test_a_cancellation_within_a_batch_waits_for_it(database: str, api: SampleApi) -> None:
    """The batch waits for a lock when the cancellation comes; it is written once the lock is gone."""
    with psycopg.connect(database) as other:
        other.execute("LOCK TABLE market.tokens IN EXCLUSIVE MODE")

        def cancelled(context: Context) -> None:
            wait_until(lambda: context.cancelled)
            other.commit()

        ended = cancelled_when(lambda: waits(database), unlocking(cancelled), args=arguments(api))
    assert ended.result is Result.CANCELLED
    assert isinstance(ended.value, dict)
    assert ended.value["batches"] == 1
    assert count(database) == 200


def waits(url: str) -> bool:
    return bool(rows(url, "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"))


def unlocking(cancelled: Callable[[Context], None]) -> Callable[..., Any]:
    """The handler, with a thread beside it that is told its context."""

    def handler(context: Context, args: dict[str, Any]) -> Any:
        threading.Thread(target=cancelled, args=[context]).start()
        return fetch_insert(context, **args)

    return handler


def test_a_cancelled_run_of_all_or_nothing_leaves_nothing(database: str, api: SampleApi) -> None:
    api.fail(delay_seconds=0.2)
    requested = lambda: len(api.requests()) >= 4  # noqa: E731
    ended = cancelled_when(requested, fetch_insert, args=arguments(api, all_or_nothing=True))
    assert ended.result is Result.CANCELLED
    assert isinstance(ended.value, dict)
    assert ended.value["inserted"] == 0
    assert count(database) == 0
