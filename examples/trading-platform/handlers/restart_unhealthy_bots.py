from typing import TYPE_CHECKING, Any

from _exchange import Exchange, open_exchange
from _failures import Failures

from job_runner import Cancelled, Context, JobError, job_handler
from job_runner.connections.postgresql import open_postgresql

if TYPE_CHECKING:
    from psycopg import Connection

_UNHEALTHY = "SELECT id, restarts < %(most)s FROM bots WHERE unhealthy_since IS NOT NULL ORDER BY id"
# Another run that restarts it, or has done so within the patience it is given, is enough.
_TAKE = """
    SELECT 1 FROM bots WHERE id = %(id)s AND unhealthy_since IS NOT NULL
        AND (restarts = 0 OR restarted_at < now() - make_interval(mins => %(patience)s))
    FOR UPDATE SKIP LOCKED
"""
_RESTARTED = "UPDATE bots SET restarts = restarts + 1, restarted_at = now() WHERE id = %(id)s"
_AUDIT = "INSERT INTO audit_log (action) VALUES ('restarted the bot ' || %(id)s)"


@job_handler("restart_unhealthy_bots")
def restart_unhealthy_bots(
    context: Context, most_restarts: int = 3, patience_minutes: int = 10
) -> dict[str, Any]:
    """Restarts the bots that the last health check found unhealthy, each at most once within some minutes."""
    restarted: list[str] = []
    given_up: list[str] = []
    failures = Failures("restarts")
    try:
        with open_postgresql(context, autocommit=True) as connection, open_exchange(context) as exchange:
            for bot, hopeful in connection.execute(_UNHEALTHY, {"most": most_restarts}).fetchall():
                if not hopeful:
                    given_up.append(bot)
                    continue
                try:
                    with context.shield():
                        done = _restart(connection, exchange, bot, patience_minutes=patience_minutes)
                except JobError as error:
                    failures.failed(f"bot {bot}", error)
                    continue
                failures.succeeded()
                restarted += [bot] if done else []
    except Cancelled:
        return {"restarted": restarted, "givenUp": given_up}
    failures.raise_any()
    return {"restarted": restarted, "givenUp": given_up}


def _restart(connection: "Connection", exchange: Exchange, bot: str, *, patience_minutes: int) -> bool:
    """Restart it; a run that is killed before its commit lets the next one do it again, which is no harm."""
    values = {"id": bot, "patience": patience_minutes}
    with connection.transaction():
        if connection.execute(_TAKE, values).fetchone() is None:
            return False
        exchange.restart(bot)
        connection.execute(_RESTARTED, values)
        connection.execute(_AUDIT, values)
    return True
