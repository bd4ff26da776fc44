"""Sessions are hashes `session:ID` in Redis; a user's own are listed in the set `sessions-of:USER`."""

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from job_runner import Cancelled, Context, DataError, job_handler
from job_runner.connections.redis_server import open_redis, scan_batches

if TYPE_CHECKING:
    from redis import Redis
    from redis.client import Pipeline

_SECONDS = re.compile("[0-9]{1,11}")
"""A time that can be one: with more digits it is counted in something smaller, or made up."""


@job_handler("clean_sessions")
def clean_sessions(context: Context, idle_days: int = 30) -> dict[str, int]:
    """Removes the sessions that nobody has used for some days; those that cannot be read are counted."""
    if idle_days < 1:
        raise DataError("idle_days is below 1")
    oldest = datetime.now(tz=UTC) - timedelta(days=idle_days)
    counts = {"sessions": 0, "removed": 0, "unreadable": 0}
    try:
        with open_redis(context) as redis:
            for keys in scan_batches(redis, "session:*"):
                with context.shield():
                    _clean(redis, keys, oldest=oldest, counts=counts)
    except Cancelled:
        context.logger.warning("stopped early: the rest is for the next run")
    return counts


def _clean(redis: "Redis", keys: list[str], *, oldest: datetime, counts: dict[str, int]) -> None:
    with redis.pipeline(transaction=False) as pipeline:
        for key in keys:
            pipeline.hmget(key, ["user", "last_seen"])
        sessions = dict(zip(keys, _answers(pipeline), strict=True))
    with redis.pipeline() as pipeline:
        for key, fields in sessions.items():
            counts["sessions"] += 1
            user, last_seen = fields or (None, None)
            if user is None or not _SECONDS.fullmatch(last_seen or ""):
                counts["unreadable"] += 1
            elif int(last_seen) < oldest.timestamp():
                counts["removed"] += 1
                pipeline.unlink(key)
                pipeline.srem(f"sessions-of:{user}", key)
        _answers(pipeline)


def _answers(pipeline: "Pipeline") -> list[Any]:
    """What Redis says to each command; None for a key that holds something else than we think."""
    answers = pipeline.execute(raise_on_error=False)
    for place, answer in enumerate(answers):
        if isinstance(answer, Exception):
            if not str(answer).startswith("WRONGTYPE"):
                raise answer
            answers[place] = None
    return answers
