"""open_redis against a real server: walking and removing keys, and which error each failure becomes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import pytest
import redis

from job_runner import Context
from job_runner.connections.redis_server import open_redis, remove_matching, scan_batches
from job_runner.errors import ExitCode
from job_runner.testing import Outcome, Result, run_handler
from tests.servers.process import free_port
from tests.servers.redis_server import PASSWORD, RedisServer

Work = Callable[[redis.Redis], object]


@pytest.fixture
def client(redis_server: RedisServer, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> redis.Redis:
    """An empty Redis, which is REDIS_URL."""
    monkeypatch.setenv("REDIS_URL", redis_url)
    return redis_server.client()


def run(work: Work, *, timeout: float | None = 30) -> Outcome:
    def job(context: Context) -> object:
        with open_redis(context) as connected:
            return work(connected)

    return run_handler(job, timeout=timeout)


def test_texts_go_in_and_out(client: redis.Redis) -> None:
    assert run(lambda connected: [connected.set("a", "ä"), connected.get("a")]).value == [True, "ä"]


def test_the_server_knows_the_job_by_name(client: redis.Redis) -> None:
    assert run(lambda connected: connected.client_getname()).value == "job"


def test_every_key_that_matches_is_found(client: redis.Redis) -> None:
    client.mset({f"corridor:{number}": 1 for number in range(2500)} | {"anchor:1": 1})
    found = run(
        lambda connected: sorted({key for keys in scan_batches(connected, "corridor:*") for key in keys})
    )
    assert found.value == sorted(f"corridor:{number}" for number in range(2500))


def test_what_matches_is_removed_and_counted_and_nothing_else_is(client: redis.Redis) -> None:
    client.mset({f"corridor:{number}": 1 for number in range(2500)} | {"anchor:1": 1})
    assert run(lambda connected: remove_matching(connected, "corridor:*")).value == 2500
    assert client.keys() == ["anchor:1"]
    assert run(lambda connected: remove_matching(connected, "corridor:*")).value == 0


def test_keys_are_never_listed_at_once(client: redis.Redis) -> None:
    client.config_resetstat()
    run(lambda connected: remove_matching(connected, "*"))
    assert "cmdstat_keys" not in client.info("commandstats")
    assert "cmdstat_scan" in client.info("commandstats")


def test_a_key_of_any_bytes_can_be_removed(client: redis.Redis, redis_url: str) -> None:
    with closing(redis.Redis.from_url(redis_url)) as plain:
        plain.set(b"\xff\xfe", 1)
        assert run(lambda connected: remove_matching(connected, "*")).value == 1
        assert plain.dbsize() == 0


def unknown(connected: redis.Redis, *words: str) -> object:
    command: Callable[..., object] = connected.execute_command
    return command(*words)


COMMANDS: dict[str, tuple[Work, int, str]] = {
    "a key of another kind": (
        lambda connected: (connected.set("canary", 1), connected.lpush("canary", 1)),
        65,
        "Redis refuses a command: WRONGTYPE Operation against a key holding the wrong kind of value",
    ),
    "an unknown command": (
        lambda connected: unknown(connected, "CANARY", "canary"),
        78,
        "this Redis does not know a command that is needed",
    ),
    "no memory": (
        lambda connected: (connected.config_set("maxmemory", 1), connected.set("a", 1)),
        75,
        "Redis has no memory left for this",
    ),
    "a script's own words": (
        lambda connected: connected.eval("return redis.error_reply('MY \"canary\"')", 0),
        65,
        'Redis refuses a command: MY "…"',
    ),
}


@pytest.mark.parametrize(("work", "exit_code", "message"), COMMANDS.values(), ids=COMMANDS)
def test_a_refused_command_chooses_the_exit_code(
    client: redis.Redis, work: Work, exit_code: int, message: str
) -> None:
    ended = run(work)
    client.config_set("maxmemory", 0)
    assert ended.error is not None
    assert (ended.exit_code, ended.error.message) == (exit_code, message)


def test_a_user_without_the_right(
    client: redis.Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.acl_setuser("reader", enabled=True, passwords=["+reader-password"], commands=["+ping", "+client"])
    monkeypatch.setenv("REDIS_URL", redis_url.replace(f":{PASSWORD}", "reader:reader-password"))
    ended = run(lambda connected: connected.set("a", 1))
    client.acl_deluser("reader")
    assert ended.error is not None
    assert (ended.exit_code, ended.error.message) == (78, "the user of Redis may not do this")


@pytest.mark.parametrize(
    ("ending", "understood"),
    [("/0/", "/0"), ("//0", "/0"), ("/", "/0"), ("", "/0"), ("/0?client_name=a@b", "/0")],
)
def test_addresses_are_read_as_the_library_reads_them(
    redis_url: str, monkeypatch: pytest.MonkeyPatch, ending: str, understood: str
) -> None:
    monkeypatch.setenv("REDIS_URL", redis_url.replace(understood, ending))
    assert run(lambda connected: connected.ping()).value is True


def addresses(redis_url: str) -> dict[str, tuple[str, int, str]]:
    """Addresses that lead nowhere, with what is said about each."""
    wrong_user = "Redis refuses the connection: the user or the password of REDIS_URL is wrong"
    no_address = (
        "REDIS_URL is no address of Redis: write redis://:PASSWORD@HOST:6379/0, "
        "with %2F for a / in the password, %23 for a # and %3F for a ?"
    )
    return {
        "a wrong password": (redis_url.replace(PASSWORD, "canary"), 78, wrong_user),
        "no password": (redis_url.replace(f":{PASSWORD}@", ""), 78, wrong_user),
        "no such database": (
            redis_url.replace("/0", "/99"),
            78,
            "Redis has no database of that number",
        ),
        "nobody there": (
            f"redis://:canary@127.0.0.1:{free_port()}/0",
            69,
            "Redis does not answer: no connection with REDIS_URL",
        ),
        "no such host": (
            "redis://canary.invalid/0",
            69,
            "Redis does not answer: no connection with REDIS_URL",
        ),
        "no address": ("canary", 78, no_address),
        "no port": ("redis://canary:canary/0", 78, no_address),
        "no number of a database": (redis_url.replace("/0", "/O1"), 78, no_address),
        "a # in the password": (redis_url.replace(PASSWORD, "canary#canary"), 78, no_address),
        "a ? in the password": (redis_url.replace(PASSWORD, "canary?canary"), 78, no_address),
        "no such option": (f"{redis_url}?canary=1", 78, no_address),
    }


@pytest.mark.parametrize("case", list(addresses("")))
def test_a_connection_that_cannot_be_had(redis_url: str, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    url, exit_code, message = addresses(redis_url)[case]
    monkeypatch.setenv("REDIS_URL", url)
    ended = run(lambda connected: connected.get("a"))
    assert ended.error is not None
    assert (ended.exit_code, ended.error.message) == (exit_code, message)


def test_a_server_that_is_stopped_in_the_middle(redis_server: RedisServer, client: redis.Redis) -> None:
    def work(connected: redis.Redis) -> None:
        with redis_server.stopped():
            connected.set("a", 1)

    assert run(work).exit_code == ExitCode.UNAVAILABLE


def test_a_server_that_hangs_is_given_up_at_the_time_limit(
    redis_server: RedisServer, client: redis.Redis
) -> None:
    with redis_server.frozen():
        ended = run(lambda connected: connected.get("a"), timeout=0.5)
    assert ended.result is Result.TIMED_OUT
    assert ended.duration_seconds < 5
