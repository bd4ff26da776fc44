from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from job_runner import Cancelled, Context, DataError, job_handler
from job_runner.connections.redis_server import open_redis, scan_batches

if TYPE_CHECKING:
    import redis
    from redis.client import Pipeline

_EVERY_KEY = "*"


@job_handler("redis_cleanup")
def redis_cleanup(
    context: Context,
    patterns: list[str] | None = None,
    without_ttl: bool = False,
    idle_seconds: int | None = None,
    dry_run: bool = False,
    url_variable: str = "REDIS_URL",
) -> dict[str, int]:
    """Removes keys of Redis by pattern, all or the stale ones, and what has expired; says what was freed."""
    if patterns is not None and not all(patterns):
        raise DataError("a pattern is empty: write * for every key")
    if not patterns and (without_ttl or idle_seconds is not None):
        raise DataError("without_ttl and idle_seconds choose among the keys of `patterns`, which are missing")
    if idle_seconds is not None and idle_seconds < 0:
        raise DataError("idle_seconds is below 0")
    chosen = _Choice(without_ttl=without_ttl, idle_seconds=idle_seconds)
    with open_redis(context, variable=url_variable) as client:
        before = _Figures.of(client)
        scanned = removed = 0
        try:
            for keys in _batches(client, patterns or []):
                scanned += len(keys)
                with context.shield():  # so that every key that went is counted
                    stale = chosen.of(client, keys) if patterns else []
                    removed += len(stale) if dry_run or not stale else int(client.unlink(*stale))
        except Cancelled:
            context.logger.info("stopped before every key was looked at")
        after = _Figures.of(client)
    return {
        "scanned": scanned,
        "removed": removed,
        "expired": after.expired - before.expired,
        "keysBefore": before.keys,
        "keysAfter": after.keys,
        "memoryBeforeBytes": before.memory,
        "memoryAfterBytes": after.memory,
    }


def _batches(client: "redis.Redis", patterns: list[str]) -> Iterator[list[str]]:
    """The keys of the patterns, each key of a batch once. Without patterns every key is only touched.

    Redis drops an expired key when it comes across it, and a SCAN comes across all that match.
    """
    for pattern in patterns or [_EVERY_KEY]:
        for keys in scan_batches(client, pattern):
            yield list(dict.fromkeys(keys))


@dataclass(frozen=True)
class _Choice:
    """Which of the keys are to go: those that fulfil every condition that is set."""

    without_ttl: bool
    idle_seconds: int | None

    def of(self, client: "redis.Redis", keys: list[str]) -> list[str]:
        """Asks for a batch at once, and without counting as a use of the keys."""
        if self.without_ttl:
            lasting = _each(client, keys, lambda pipeline, key: pipeline.ttl(key))
            keys = [key for key, seconds in zip(keys, lasting, strict=True) if seconds == -1]
        if (least := self.idle_seconds) is not None:
            idle = _each(client, keys, lambda pipeline, key: pipeline.object("IDLETIME", key))
            keys = [key for key, seconds in zip(keys, idle, strict=True) if _at_least(seconds, least)]
        return keys


def _each(client: "redis.Redis", keys: list[str], ask: "Callable[[Pipeline, str], object]") -> list[object]:
    """The answer to a question about each key, all sent together."""
    with client.pipeline(transaction=False) as pipeline:
        for key in keys:
            ask(pipeline, key)
        return list(pipeline.execute())


def _at_least(seconds: object, least: int) -> bool:
    """False for a key that is gone by now."""
    return isinstance(seconds, int) and seconds >= least


@dataclass(frozen=True)
class _Figures:
    """What a Redis holds: keys of this database, bytes and expired keys so far of all of it."""

    keys: int
    memory: int
    expired: int

    @classmethod
    def of(cls, client: "redis.Redis") -> "_Figures":
        return cls(
            keys=int(client.dbsize()),
            memory=int(client.info("memory")["used_memory"]),
            expired=int(client.info("stats")["expired_keys"]),
        )
