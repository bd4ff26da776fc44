"""The web application's sessions in Redis: those go that nobody used, whatever else has such a key."""

import signal
from datetime import UTC, datetime

import pytest

from tests.handlers.web_application.site import Site, running_status
from tests.waiting import wait_until

DAY = 86_400


def sessions(site: Site, *, idle_days: dict[int, int]) -> None:
    """So many sessions for each number of days that nobody has used them; 10 sessions belong to one user."""
    with site.redis.pipeline() as pipeline:
        for days, count in idle_days.items():
            for number in range(count):
                key, user = f"session:{days}-{number}", number // 10
                seen = int(datetime.now(tz=UTC).timestamp()) - days * DAY + 60
                pipeline.hset(key, mapping={"user": user, "last_seen": seen})
                pipeline.sadd(f"sessions-of:{user}", key)
        pipeline.execute()


def test_sessions_that_nobody_used_for_some_days_go_and_with_them_their_place_at_their_user(
    site: Site,
) -> None:
    sessions(site, idle_days={0: 20, 30: 15, 31: 2500})
    site.redis.hset("session:broken", mapping={"user": 1, "last_seen": "yesterday"})
    site.redis.set("page:rivers", "untouched")
    assert site.value("clean_sessions") == {"sessions": 2536, "removed": 2500, "unreadable": 1}
    assert len(site.redis.keys("session:*")) == 36
    assert sum(site.redis.scard(key) for key in site.redis.keys("sessions-of:*")) == 35
    assert site.redis.get("page:rivers") == "untouched"
    assert site.value("clean_sessions") == {"sessions": 36, "removed": 0, "unreadable": 1}


def test_a_clean_up_that_is_stopped_finishes_its_batch_and_says_how_many_are_gone(site: Site) -> None:
    sessions(site, idle_days={40: 4000})
    site.redis.client_pause(60_000, all=False)  # nobody may write
    running = site.start("clean_sessions")

    def waits() -> bool:
        clients = site.redis.client_list()
        return any(each["name"] == "clean_sessions" and "b" in each["flags"] for each in clients)

    try:
        wait_until(waits, describe="its first batch waits to be removed")
        running.send(signal.SIGTERM)
        wait_until(lambda: "ShdPnd:\t0000000000000000" in running_status(running))
    finally:
        site.redis.client_unpause()
    ended = running.end()
    assert ended.exit_code == 143
    assert ended.message is not None
    removed = ended.message["value"]["removed"]
    assert 0 < removed < 4000
    assert len(site.redis.keys("session:*")) == 4000 - removed


@pytest.mark.parametrize("seen", ["1764500000000", "²", "9" * 20, "9" * 5000, "-1", ""])
def test_a_session_with_a_time_that_is_none_is_counted_and_stays(site: Site, seen: str) -> None:
    sessions(site, idle_days={40: 3})
    site.redis.hset("session:odd", mapping={"user": 1, "last_seen": seen})
    assert site.value("clean_sessions") == {"sessions": 4, "removed": 3, "unreadable": 1}
    assert site.redis.keys("session:*") == ["session:odd"]


def test_keys_that_hold_something_else_are_left_alone_and_keep_no_session_from_going(site: Site) -> None:
    sessions(site, idle_days={40: 3})
    site.redis.set("session:odd", "x")
    site.redis.set("sessions-of:0", "not a set")
    assert site.value("clean_sessions") == {"sessions": 4, "removed": 3, "unreadable": 1}
    assert site.redis.keys("session:*") == ["session:odd"]
