"""The handler `redis_cleanup` on a real Redis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis

from job_runner.handlers.redis_cleanup import redis_cleanup
from job_runner.testing import Outcome, Result, run_handler
from tests.handlers.cancelling import cancelled_when
from tests.servers.redis_server import RedisServer
from tests.waiting import wait_until


@pytest.fixture
def client(redis_server: RedisServer, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> redis.Redis:
    """An empty Redis, which is REDIS_URL."""
    monkeypatch.setenv("REDIS_URL", redis_url)
    return redis_server.client()


def run(**arguments: Any) -> Outcome:
    return run_handler(redis_cleanup, args=arguments, timeout=30)


def figures(ended: Outcome, *names: str) -> list[object]:
    assert isinstance(ended.value, dict), ended.error
    return [ended.value[name] for name in names]


def test_everything_that_matches_goes(client: redis.Redis) -> None:
    client.mset({f"corridor:{number}": "x" * 500 for number in range(1500)})
    client.mset({"anchor:1": 1, "price:1": 1})
    ended = run(patterns=["corridor:*", "anchor:*"])
    names = ("scanned", "removed", "expired", "keysBefore", "keysAfter")
    assert figures(ended, *names) == [1501, 1501, 0, 1502, 1]
    before, after = figures(ended, "memoryBeforeBytes", "memoryAfterBytes")
    assert isinstance(before, int)
    assert isinstance(after, int)
    assert before - after > 1500 * 500
    assert client.keys() == ["price:1"]


def test_a_second_run_removes_nothing(client: redis.Redis) -> None:
    client.set("corridor:1", 1)
    assert figures(run(patterns=["corridor:*"]), "removed") == [1]
    assert figures(run(patterns=["corridor:*"]), "scanned", "removed", "keysAfter") == [0, 0, 0]


def test_keys_with_a_time_to_live_may_be_left_to_it(client: redis.Redis) -> None:
    client.mset({"price:old": 1, "price:older": 1, "rate:1": 1})
    client.set("price:new", 1, ex=600)
    ended = run(patterns=["price:*"], without_ttl=True)
    assert figures(ended, "scanned", "removed", "keysAfter") == [3, 2, 2]
    assert sorted(map(str, client.keys())) == ["price:new", "rate:1"]


def test_keys_that_are_used_may_be_left(client: redis.Redis) -> None:
    client.mset({"session:left": "some", "session:used": "other"})  # Redis shares small numbers
    wait_until(lambda: int(str(client.object("IDLETIME", "session:left"))) >= 1)
    client.get("session:used")
    ended = run(patterns=["session:*"], idle_seconds=1)
    assert figures(ended, "scanned", "removed") == [2, 1]
    assert client.keys() == ["session:used"]


def test_a_dry_run_counts_and_removes_nothing(client: redis.Redis) -> None:
    client.mset({"corridor:1": 1, "corridor:2": 1})
    ended = run(patterns=["corridor:*"], dry_run=True)
    assert figures(ended, "scanned", "removed", "keysBefore", "keysAfter") == [2, 2, 2, 2]


def test_without_patterns_only_what_has_expired_goes(client: redis.Redis) -> None:
    command: Callable[..., object] = client.execute_command
    command("DEBUG", "SET-ACTIVE-EXPIRE", 0)
    try:
        client.set("lasting", 1)
        for number in range(50):
            client.set(f"passing:{number}", 1, px=1)
        wait_until(lambda: client.pttl("passing:49") == -2)
        ended = run()
    finally:
        command("DEBUG", "SET-ACTIVE-EXPIRE", 1)
    assert figures(ended, "scanned", "removed", "keysAfter") == [1, 0, 1]
    assert figures(ended, "expired", "keysBefore") == [49, 50]  # the one that was asked for went with that


def test_a_cancelled_run_says_what_it_has_removed(client: redis.Redis) -> None:
    client.mset({f"corridor:{number}": 1 for number in range(200_000)})
    ended = cancelled_when(
        lambda: client.dbsize() < 200_000, redis_cleanup, args={"patterns": ["corridor:*"]}
    )
    assert ended.result is Result.CANCELLED
    (removed,) = figures(ended, "removed")
    assert isinstance(removed, int)
    assert 0 < removed == 200_000 - client.dbsize()


def test_idle_keys_cannot_be_told_where_redis_counts_uses_instead(client: redis.Redis) -> None:
    client.set("a", 1)
    client.config_set("maxmemory-policy", "allkeys-lfu")
    try:
        ended = run(patterns=["*"], idle_seconds=1)
    finally:
        client.config_set("maxmemory-policy", "noeviction")
    assert ended.error is not None
    assert ended.exit_code == 78
    assert "LFU" in ended.error.message


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "an empty pattern": ({"patterns": ["a", ""]}, "a pattern is empty: write * for every key"),
    "conditions of nothing": (
        {"without_ttl": True},
        "without_ttl and idle_seconds choose among the keys of `patterns`, which are missing",
    ),
    "time that runs back": ({"patterns": ["a"], "idle_seconds": -1}, "idle_seconds is below 0"),
}


@pytest.mark.parametrize(("arguments", "message"), REFUSED.values(), ids=REFUSED)
def test_arguments_that_make_no_sense(arguments: dict[str, Any], message: str) -> None:
    ended = run(**arguments)
    assert ended.error is not None
    assert (ended.exit_code, ended.error.message) == (65, message)
