from typing import TYPE_CHECKING, Any

from _exchange import Exchange, open_exchange
from _failures import Failures

from job_runner import Cancelled, Context, DataError, JobError, Unavailable, job_handler
from job_runner.connections.postgresql import open_postgresql

if TYPE_CHECKING:
    from psycopg import Connection

LONGEST_PATIENCE = 7 * 24 * 60

_UNHEALTHY = "SELECT id, restarts < %(most)s FROM bots WHERE unhealthy_since IS NOT NULL ORDER BY id"
# Another run that restarts it, or has done so within the patience it is given, is enough.
_TAKE = """
    SELECT restarted_at FROM bots WHERE id = %(id)s AND unhealthy_since IS NOT NULL
        AND restarts < %(most)s
        AND (restarts = 0 OR restarted_at < now() - make_interval(mins => %(patience)s))
    FOR UPDATE SKIP LOCKED
"""
_COUNT = "UPDATE bots SET restarts = restarts + 1, restarted_at = now() WHERE id = %(id)s"
_TAKE_BACK = """
    UPDATE bots SET restarts = greatest(restarts - 1, 0), restarted_at = %(before)s WHERE id = %(id)s
"""
_AUDIT = "INSERT INTO audit_log (action) VALUES (%(action)s || ' the bot ' || %(id)s)"


@job_handler("restart_unhealthy_bots")
def restart_unhealthy_bots(
    context: Context, most_restarts: int = 3, patience_minutes: int = 10
) -> dict[str, Any]:
    """Restarts the bots that the last health check found unhealthy, each at most once within some minutes."""
    if most_restarts < 1 or not 0 <= patience_minutes <= LONGEST_PATIENCE:
        raise DataError(f"most_restarts is 1 at least, and patience_minutes 0 to {LONGEST_PATIENCE}")
    limits = {"most": most_restarts, "patience": patience_minutes}
    done: dict[str, list[str]] = {"restarted": [], "givenUp": []}
    try:
        with open_postgresql(context, autocommit=True) as connection, open_exchange(context) as exchange:
            failures = _restart_all(context, connection, exchange, limits=limits, done=done)
    except Cancelled:
        return done
    failures.raise_any()
    return done


def _restart_all(
    context: Context,
    connection: "Connection",
    exchange: Exchange,
    *,
    limits: dict[str, int],
    done: dict[str, list[str]],
) -> Failures:
    """Restart one after the other. done: is kept up to date, for a run that is stopped."""
    failures = Failures("restarts")
    unhealthy = connection.execute(_UNHEALTHY, limits).fetchall()
    hopeful = [bot for bot, hope in unhealthy if hope]
    done["givenUp"] += [bot for bot, hope in unhealthy if not hope]
    # An exchange that is gone is found out here: no restart is counted that nobody was asked for.
    there = {bot.name for bot in exchange.bots()} if hopeful else set()
    for bot in hopeful:
        try:
            if bot not in there:
                raise DataError("the exchange has no such bot")
            with context.shield():
                done["restarted"] += [bot] if _restart(connection, exchange, {"id": bot, **limits}) else []
        except JobError as error:
            failures.failed(f"bot {bot}", error)
        else:
            failures.succeeded()
    return failures


def _restart(connection: "Connection", exchange: Exchange, values: dict[str, Any]) -> bool:
    """Restart it, unless that was asked for a short while ago.

    It is counted before it is asked for: of an answer that is lost nobody knows whether the bot was
    restarted, and a bot that is restarted at each try would never trade again. Only an answer that is a no
    takes it back.
    """
    with connection.transaction():
        row = connection.execute(_TAKE, values).fetchone()
        if row is None:
            return False
        connection.execute(_COUNT, values)
    try:
        exchange.restart(values["id"])
    except Unavailable:
        connection.execute(_AUDIT, {**values, "action": "may have restarted"})
        raise
    except JobError:
        connection.execute(_TAKE_BACK, {**values, "before": row[0]})
        raise
    connection.execute(_AUDIT, {**values, "action": "restarted"})
    return True
