"""A connection to Redis for the length of a block, and the ways to walk its keys that do not block it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from job_runner.connections.redis_errors import translated
from job_runner.connections.variables import from_variable
from job_runner.context import Context
from job_runner.errors import ConfigurationError

if TYPE_CHECKING:
    import redis

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 30.0
_RESERVE = 1.0
"""Seconds beyond the deadline: the run is cancelled at it, and does not fail."""
BATCH = 1000
"""Keys that Redis looks at for one answer: some tenths of a millisecond in which nobody else is served."""


@contextmanager
def open_redis(context: Context, *, variable: str = "REDIS_URL") -> Iterator["redis.Redis"]:
    """Connect to the Redis whose address is in the environment variable `variable`.

    Texts go in and out as str; keys that are no UTF-8 keep their bytes as surrogates. A command is sent once:
    after a lost connection nobody knows whether it was done. Errors leave the block as those of job_runner,
    with the server's sentence and no value: Unavailable, ConfigurationError, TryAgain or DataError.
    """
    try:
        import redis  # noqa: PLC0415  (100 ms that other handlers do not pay)
    except ModuleNotFoundError:
        raise ConfigurationError(
            'redis is not installed: pip install "scheduledjob-job-runner[redis]"'
        ) from None
    from redis.backoff import NoBackoff  # noqa: PLC0415
    from redis.retry import Retry  # noqa: PLC0415

    url = from_variable(variable)
    if not _is_address(url):
        raise _unusable(variable)
    left = context.remaining_seconds
    with translated(variable):
        try:
            client = redis.Redis.from_url(
                url,
                decode_responses=True,
                encoding_errors="surrogateescape",
                client_name=context.name,
                retry=Retry(NoBackoff(), 0),
                socket_connect_timeout=_at_most(CONNECT_SECONDS, left),
                socket_timeout=_at_most(ANSWER_SECONDS, left),
            )
            client.ping()
        except (ValueError, TypeError):  # TypeError: a parameter that no connection has
            raise _unusable(variable) from None
        with client:
            yield client


def _is_address(url: str) -> bool:
    """Whether redis-py sees in it what was meant: it takes what is no number of a database for 0.

    A # or a ? ends the address, also where it belongs to a password: the host is then another.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    database = parts.path.replace("/", "")  # as redis-py reads it
    is_number = parts.scheme == "unix" or not database or (database.isascii() and database.isdigit())
    return is_number and not parts.fragment and "@" not in parts.query.partition("=")[0]


def _unusable(variable: str) -> ConfigurationError:
    return ConfigurationError(
        f"{variable} is no address of Redis: write redis://:PASSWORD@HOST:6379/0, "
        "with %2F for a / in the password, %23 for a # and %3F for a ?"
    )


def scan_batches(client: "redis.Redis", pattern: str, *, count: int = BATCH) -> Iterator[list[str]]:
    """The keys that match, some at a time, by SCAN: Redis serves others in between.

    A key that exists all the while comes at least once, and may come twice.
    """
    cursor = 0
    while True:
        cursor, keys = client.scan(cursor, match=pattern, count=count)
        if keys:
            yield [str(key) for key in keys]
        if cursor == 0:
            return


def remove_matching(client: "redis.Redis", pattern: str) -> int:
    """Remove the keys that match; how many there were. Their memory is freed in the background."""
    return sum(int(client.unlink(*keys)) for keys in scan_batches(client, pattern))


def _at_most(seconds: float, left: float | None) -> float:
    return seconds if left is None else min(seconds, left + _RESERVE)
