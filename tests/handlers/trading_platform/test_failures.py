"""Servers that hang or refuse, and runs that are ended in the middle of their work."""

from __future__ import annotations

import psycopg
import pytest

from job_runner.testing import Result
from tests.handlers.trading_platform.platform import Platform, terminate
from tests.servers.redis_server import RedisServer
from tests.waiting import wait_until


def test_a_redis_that_hangs_ends_the_run_in_time_with_the_database_written(
    platform: Platform, redis_server: RedisServer
) -> None:
    with redis_server.frozen():
        run = platform.run("monitor_risk", timeout=3)
    assert (run.result, run.exit_code) == (Result.TIMED_OUT, 124)
    assert platform.sql("SELECT count(*) FROM risks") == [(4,)]
    assert platform.value("monitor_risk")["portfolios"] == 4


def test_a_mail_server_that_hangs_ends_the_run_in_time_and_loses_no_mail(platform: Platform) -> None:
    platform.value("check_price_alerts")
    platform.smtp.fail(delay_seconds=60, code=451, times=1)
    run = platform.run("send_price_notification", timeout=3)
    assert (run.result, run.exit_code) == (Result.TIMED_OUT, 124)
    assert platform.sql("SELECT count(*) FROM mails WHERE sent_at IS NULL AND refused_at IS NULL") == [(2,)]
    assert platform.value("send_price_notification")["sent"] == 2


def test_a_database_that_hangs_ends_the_run_in_time(platform: Platform) -> None:
    with psycopg.connect(platform.addresses["DATABASE_URL"]) as busy:
        busy.execute("LOCK TABLE alerts")
        run = platform.run("check_price_alerts", timeout=2)
    assert (run.result, run.exit_code) == (Result.TIMED_OUT, 124)
    assert platform.value("check_price_alerts")["triggered"] == [1, 3]


@pytest.mark.parametrize(
    ("handler", "variable"), [("monitor_risk", "DATABASE_URL"), ("monitor_risk", "REDIS_URL")]
)
def test_a_server_that_refuses_the_password_is_a_matter_of_configuration(
    handler: str, variable: str, platform: Platform
) -> None:
    scheme, _, rest = platform.addresses[variable].partition("://")
    wrong = f"{scheme}://tests:guess@{rest.rpartition('@')[2]}"
    code, says = platform.error(handler, env={variable: wrong})
    assert code == 78
    assert "guess" not in says


def test_a_clean_up_that_is_stopped_says_how_far_it_came_and_the_next_one_removes_the_rest(
    platform: Platform,
) -> None:
    old = 200_000
    platform.sql(
        "INSERT INTO audit_log (at, action) "
        f"SELECT now() - interval '91 days', 'login' FROM generate_series(1, {old}) AS n"
    )
    running = platform.start("cleanup_data")
    left = "SELECT count(*) FROM audit_log"
    wait_until(lambda: platform.sql(left) < [(old,)], describe="some are removed")
    ended = terminate(running)
    assert ended.exit_code == 143
    assert ended.message is not None
    removed = ended.message["value"]["auditRows"]
    assert platform.sql(left) == [(old + 3 - removed,)]
    assert 0 < removed < old
    assert platform.value("cleanup_data")["auditRows"] == old + 2 - removed


def test_a_vacuum_that_is_stopped_says_which_tables_it_has_done(platform: Platform) -> None:
    tables = platform.value("vacuum_database")["tables"]
    with psycopg.connect(platform.addresses["DATABASE_URL"]) as busy:
        busy.execute("LOCK TABLE users")
        running = platform.start("vacuum_database", lock_seconds=60)
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'VACUUM%'"
        )
        wait_until(lambda: platform.sql(waiting) == [(1,)], describe="it waits for a table")
        ended = terminate(running)
    assert tables[-1] == "users"
    assert ended.message is not None
    assert (ended.exit_code, ended.message["value"]) == (143, {"tables": tables[:-1]})
