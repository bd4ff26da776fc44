from typing import Any

from _exchange import Bot, open_exchange

from job_runner import Context, DataError, every_minutes, job_handler
from job_runner.connections.postgresql import open_postgresql
from job_runner.connections.redis_server import open_redis

UNHEALTHY = "bots:unhealthy"
_WRITE = """
    INSERT INTO bots (id, status, heartbeat_age_seconds, checked_at, unhealthy_since)
    SELECT id, status, age, now(), CASE WHEN healthy THEN NULL ELSE now() END
    FROM unnest(%(ids)s::text[], %(statuses)s::text[], %(ages)s::integer[], %(healthy)s::boolean[])
        AS seen (id, status, age, healthy)
    ON CONFLICT (id) DO UPDATE SET
        status = excluded.status,
        heartbeat_age_seconds = excluded.heartbeat_age_seconds,
        checked_at = excluded.checked_at,
        unhealthy_since = CASE WHEN excluded.unhealthy_since IS NULL THEN NULL
            ELSE coalesce(bots.unhealthy_since, excluded.unhealthy_since) END,
        restarts = CASE WHEN excluded.unhealthy_since IS NULL THEN 0 ELSE bots.restarts END
"""
_REMOVE = "DELETE FROM bots WHERE id <> ALL (%(ids)s)"
_ANY = "SELECT 1 FROM bots LIMIT 1"


@every_minutes(2)
@job_handler("bot_health_check")
def bot_health_check(
    context: Context, oldest_heartbeat_seconds: int = 120, allow_none: bool = False
) -> dict[str, Any]:
    """Notes which bots do not run or gave no sign of life for too long.

    allow_none: whether it is true that there are no bots any more; else an empty list is taken for a mistake.
    """
    with open_exchange(context) as exchange:
        bots = list({bot.name: bot for bot in exchange.bots()}.values())
    unhealthy = sorted(bot.name for bot in bots if not _is_healthy(bot, oldest_heartbeat_seconds))
    values = {
        "ids": [bot.name for bot in bots],
        "statuses": [bot.status for bot in bots],
        "ages": [bot.heartbeat_age_seconds for bot in bots],
        "healthy": [bot.name not in unhealthy for bot in bots],
    }
    with open_postgresql(context, autocommit=True) as connection, context.shield(), connection.transaction():
        if not bots and not allow_none and connection.execute(_ANY).fetchone():
            raise DataError("the exchange lists no bot at all: nothing is changed; allow_none lets all go")
        connection.execute(_WRITE, values)
        connection.execute(_REMOVE, values)
    _publish(context, unhealthy)
    return {"bots": len(bots), "unhealthy": unhealthy}


def _is_healthy(bot: Bot, oldest_heartbeat_seconds: int) -> bool:
    return bot.status == "running" and bot.heartbeat_age_seconds <= oldest_heartbeat_seconds


def _publish(context: Context, unhealthy: list[str]) -> None:
    with open_redis(context) as client, client.pipeline(transaction=True) as together:
        together.delete(UNHEALTHY)
        if unhealthy:
            together.sadd(UNHEALTHY, *unhealthy)
        together.execute()
