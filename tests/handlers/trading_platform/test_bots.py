"""Bots that are ill are noted and restarted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.handlers.trading_platform.platform import GONE, Platform, terminate
from tests.waiting import wait_until

ILL = "SELECT id FROM bots WHERE unhealthy_since IS NOT NULL ORDER BY id"
RESTARTS = "SELECT id, restarts FROM bots WHERE restarts > 0 ORDER BY id"
RESTART_GRID = "/v1/bots/grid/restart"
FOUND = {"bots": 4, "unhealthy": ["grid", "market-maker"]}
NONE: dict[str, list[str]] = {"restarted": [], "givenUp": []}


def unhealthy_in_redis(platform: Platform) -> Any:
    with platform.redis() as client:
        return client.smembers("bots:unhealthy")


def test_bots_that_stand_still_or_are_silent_are_unhealthy(platform: Platform) -> None:
    assert platform.value("bot_health_check") == FOUND
    assert platform.sql(ILL) == [("grid",), ("market-maker",)]
    assert unhealthy_in_redis(platform) == {"grid", "market-maker"}
    since = platform.sql("SELECT unhealthy_since FROM bots ORDER BY id")
    assert platform.value("bot_health_check") == FOUND
    assert platform.sql("SELECT unhealthy_since FROM bots ORDER BY id") == since
    assert platform.value("bot_health_check", oldest_heartbeat_seconds=100)["unhealthy"][-1] == "momentum"


def test_a_bot_that_is_well_again_or_gone_is_unhealthy_no_longer(platform: Platform) -> None:
    platform.value("bot_health_check")
    platform.change("/v1/bots/grid", heartbeat_age_seconds=1)
    assert platform.value("bot_health_check")["unhealthy"] == ["market-maker"]
    assert platform.sql(ILL) == [("market-maker",)]
    platform.api.serve(bots=[])
    says = "the exchange lists no bot at all: nothing is changed; allow_none lets all go"
    assert platform.error("bot_health_check") == (65, says)
    assert platform.sql("SELECT count(*) FROM bots") == [(4,)]
    platform.api.serve(bots=[{"id": "grid", "status": "running", "heartbeat_age_seconds": 1}])
    assert platform.value("bot_health_check") == {"bots": 1, "unhealthy": []}
    assert platform.sql("SELECT id FROM bots") == [("grid",)]
    assert unhealthy_in_redis(platform) == set()
    platform.api.serve(bots=[])
    assert platform.value("bot_health_check", allow_none=True) == {"bots": 0, "unhealthy": []}
    assert platform.sql("SELECT id FROM bots") == []


def test_each_unhealthy_bot_is_restarted_once(platform: Platform) -> None:
    platform.value("bot_health_check")
    assert platform.value("restart_unhealthy_bots") == {"restarted": ["grid", "market-maker"], "givenUp": []}
    assert platform.sql(RESTARTS) == [("grid", 1), ("market-maker", 1)]
    actions = "SELECT action FROM audit_log WHERE action LIKE 'restarted%' ORDER BY action"
    assert platform.sql(actions) == [("restarted the bot grid",), ("restarted the bot market-maker",)]
    assert platform.value("restart_unhealthy_bots") == NONE
    assert platform.asked("POST", RESTART_GRID) == 1
    assert platform.value("bot_health_check") == {"bots": 4, "unhealthy": []}
    assert platform.sql(RESTARTS) == []


def test_a_bot_that_no_restart_helps_is_given_up(platform: Platform) -> None:
    platform.change("/v1/bots/grid", heartbeat_age_seconds=1)
    platform.value("bot_health_check")
    for _ in range(3):
        asked = platform.value("restart_unhealthy_bots", patience_minutes=0)
        assert asked == {"restarted": ["market-maker"], "givenUp": []}
    given_up = {"restarted": [], "givenUp": ["market-maker"]}
    assert platform.value("restart_unhealthy_bots", patience_minutes=0) == given_up
    assert platform.asked("POST", "/v1/bots/market-maker/restart") == 3


@pytest.mark.parametrize(("status", "code"), [(403, 78), (409, 65), (429, 75)])
def test_a_restart_that_is_refused_is_reported_and_the_others_are_done(
    status: int, code: int, platform: Platform
) -> None:
    platform.value("bot_health_check")
    platform.api.fail(path=RESTART_GRID, status=status, retry_after=0)
    found, says = platform.error("restart_unhealthy_bots")
    assert (found, says[:41]) == (code, "1 of 2 restarts failed: bot grid: POST 12")
    assert platform.sql(RESTARTS) == [("market-maker", 1)]
    assert platform.sql("SELECT restarted_at FROM bots WHERE id = 'grid'") == [(None,)]
    platform.api.clear_faults()
    assert platform.value("restart_unhealthy_bots") == {"restarted": ["grid"], "givenUp": []}


@pytest.mark.parametrize("fault", [{"cut_after_bytes": 3}, {"status": 500}], ids=["half-way", "broken"])
def test_a_restart_whose_answer_is_lost_counts_and_is_not_asked_for_again_at_once(
    fault: dict[str, Any], platform: Platform
) -> None:
    platform.value("bot_health_check")
    platform.api.fail(path=RESTART_GRID, **fault)
    assert platform.error("restart_unhealthy_bots")[0] == 69
    for _ in range(2):
        assert platform.value("restart_unhealthy_bots") == NONE
    assert platform.asked("POST", RESTART_GRID) == 1
    assert platform.sql(RESTARTS) == [("grid", 1), ("market-maker", 1)]
    assert ("may have restarted the bot grid",) in platform.sql("SELECT action FROM audit_log")
    for _ in range(2):
        platform.error("restart_unhealthy_bots", patience_minutes=0)
    assert platform.value("restart_unhealthy_bots", patience_minutes=0)["givenUp"] == ["grid", "market-maker"]
    assert platform.asked("POST", RESTART_GRID) == 3


def test_while_the_exchange_is_gone_no_restart_is_counted(platform: Platform) -> None:
    platform.value("bot_health_check")
    assert platform.error("restart_unhealthy_bots", env={"EXCHANGE_URL": f"http://{GONE}"})[0] == 69
    assert platform.sql(RESTARTS) == []


def test_a_bot_that_the_exchange_has_no_more_is_reported(platform: Platform) -> None:
    platform.value("bot_health_check")
    platform.api.serve(bots=[{"id": "grid", "status": "stopped", "heartbeat_age_seconds": 1}])
    code, says = platform.error("restart_unhealthy_bots")
    assert code == 69 or "market-maker: the exchange has no such bot" in says


@pytest.mark.parametrize(
    "arguments", [{"most_restarts": 0}, {"patience_minutes": -1}, {"patience_minutes": 10**12}], ids=str
)
def test_limits_that_make_no_sense_are_refused(arguments: dict[str, int], platform: Platform) -> None:
    assert platform.error("restart_unhealthy_bots", **arguments)[0] == 65
    assert platform.asked("POST", RESTART_GRID) == 0


def test_a_restart_is_finished_before_the_run_is_cancelled(platform: Platform) -> None:
    platform.value("bot_health_check")
    platform.api.fail(path=RESTART_GRID, delay_seconds=1)
    running = platform.start("restart_unhealthy_bots")
    wait_until(lambda: platform.asked("POST", RESTART_GRID), describe="the exchange is asked for a restart")
    ended = terminate(running)
    assert ended.message is not None
    assert (ended.exit_code, platform.sql(RESTARTS)) == (143, [("grid", 1)])


def test_a_bot_that_is_not_what_was_promised_changes_nothing(platform: Platform) -> None:
    platform.change("/v1/bots/market-maker", heartbeat_age_seconds=None)
    code, says = platform.error("bot_health_check")
    assert (code, says) == (65, "record 3 of bots: heartbeat_age_seconds is no whole number from 0")
    assert platform.sql("SELECT count(*) FROM bots") == [(0,)]
