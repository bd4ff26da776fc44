"""The web application's handlers, each as a process of its own against real servers on this machine."""

import json
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from tests.cluster.paths import CHECKOUT
from tests.runner.process import Ended, Runner, Running
from tests.servers.redis_server import RedisServer
from tests.servers.sample_api import SampleApi
from tests.servers.smtp_sink import SmtpSink
from tests.waiting import wait_until

FOLDER = CHECKOUT / "examples" / "web-application"
MONDAY = "2026-11-23T07:00:00Z"
DAY = 86_400


@dataclass(frozen=True)
class Site:
    """The application's servers, and its handlers run on them."""

    runner: Runner
    database_url: str
    redis_server: RedisServer
    api: SampleApi
    mail: SmtpSink

    def start(self, handler: str, **arguments: Any) -> Running:
        env = {
            "SCHEDULEDJOB_HANDLERS_PATH": str(FOLDER / "handlers"),
            "SCHEDULEDJOB_SLOT": MONDAY,
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_server.url,
            "API_URL": self.api.url,
            "SMTP_URL": self.mail.url,
        }
        return self.runner.start("run", handler, "--args", json.dumps(arguments), env=env)

    def run(self, handler: str, **arguments: Any) -> Ended:
        return self.start(handler, **arguments).end()

    def value(self, handler: str, **arguments: Any) -> Any:
        """What the handler returns."""
        ended = self.run(handler, **arguments)
        assert ended.exit_code == 0, ended.messages
        assert ended.message is not None
        return ended.message["value"]

    def error(self, handler: str, **arguments: Any) -> tuple[int, str]:
        """Exit code and text of a run that fails."""
        ended = self.run(handler, **arguments)
        assert ended.message is not None
        return ended.exit_code, ended.message.get("error", {}).get("message", "")

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database_url) as connection:
            cursor = connection.execute(query)
            return cursor.fetchall() if cursor.description else []

    def number(self, query: str) -> int:
        ((count,),) = self.sql(query)
        return int(count)

    @property
    def redis(self) -> redis.Redis:
        return self.redis_server.client()

    def stopped_in_a_batch(self, handler: str, *, table: str, **arguments: Any) -> dict[str, Any]:
        """What a run returns that gets SIGTERM while it waits for a lock, in the middle of a statement."""
        waiting = (
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        with psycopg.connect(self.database_url) as connection:
            connection.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
            running = self.start(handler, **arguments)
            wait_until(lambda: self.number(waiting), describe="a statement waits for the lock")
            running.send(signal.SIGTERM)
            wait_until(lambda: "ShdPnd:\t0000000000000000" in running_status(running))
        ended = running.end()
        assert ended.exit_code == 143
        assert ended.message is not None
        value: dict[str, Any] = ended.message["value"]
        return value


def running_status(running: Running) -> str:
    """What the kernel says about the process, the signals that it has not seen yet among it."""
    return Path(f"/proc/{running.process.pid}/status").read_text()


@pytest.fixture
def site(
    tmp_path: Path,
    database_url: str,
    redis_url: str,
    redis_server: RedisServer,
    sample_api: SampleApi,
    smtp_sink: SmtpSink,
) -> Iterator[Site]:
    runner = Runner(tmp_path)
    site = Site(runner, database_url, redis_server, sample_api, smtp_sink)
    site.sql((FOLDER / "schema.sql").read_text())
    sample_api.serve(**{path.stem: json.loads(path.read_text()) for path in (FOLDER / "data").iterdir()})
    yield site
    runner.close()


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


def test_a_session_whose_key_is_no_hash_is_bad_data_and_nothing_of_its_batch_is_removed(site: Site) -> None:
    sessions(site, idle_days={40: 3})
    site.redis.set("session:odd", "x")
    assert site.error("clean_sessions")[0] == 65
    assert len(site.redis.keys("session:*")) == 4


def test_articles_are_indexed_when_they_are_new_or_changed_and_never_twice(site: Site) -> None:
    assert site.value("update_search_index", batch=2) == {"indexed": 3, "batches": 2}
    assert site.value("update_search_index") == {"indexed": 0, "batches": 0}
    found = "SELECT count(*) FROM search_index WHERE words @@ to_tsquery('english', 'river')"
    assert site.number(found) == 2
    site.sql("UPDATE articles SET body = 'No water.', changed_at = now() WHERE id = 2")
    assert site.value("update_search_index") == {"indexed": 1, "batches": 1}
    assert site.number(found) == 1


def test_an_index_run_that_is_stopped_in_a_batch_finishes_it_and_leaves_whole_batches(site: Site) -> None:
    site.sql(
        "INSERT INTO articles SELECT n, 'title', 'text', now(), now() FROM generate_series(10, 5000) AS n"
    )
    value = site.stopped_in_a_batch("update_search_index", table="search_index", batch=100)
    assert value["indexed"] == value["batches"] * 100 == site.number("SELECT count(*) FROM search_index")
    assert 100 <= value["indexed"] < 4900
    assert site.value("update_search_index")["indexed"] == 4994 - value["indexed"]


def test_old_lines_of_the_audit_log_go_oldest_first_and_a_stopped_run_says_how_many(site: Site) -> None:
    old = "SELECT count(*) FROM audit_log WHERE happened_at < now() - interval '90 days'"
    all_of_them, many = site.number("SELECT count(*) FROM audit_log"), site.number(old)
    removed = site.stopped_in_a_batch("prune_audit_log", table="audit_log", batch=500)["removed"]
    assert removed % 500 == 0
    assert 500 <= removed < many
    assert site.number(old) == many - removed
    assert site.value("prune_audit_log", batch=500) == {"removed": many - removed}
    assert site.number("SELECT count(*) FROM audit_log") == all_of_them - many
    assert site.value("prune_audit_log") == {"removed": 0}


def digest(site: Site) -> None:
    """Three articles within the day before the slot, and one each just before and after it."""
    site.sql("DELETE FROM articles")
    at = datetime.fromisoformat(MONDAY)
    times = [
        at - timedelta(days=1),
        at - timedelta(hours=23),
        at - timedelta(hours=1),
        at,
        at + timedelta(seconds=1),
    ]
    for number, time in enumerate(times):
        site.sql(f"INSERT INTO articles VALUES ({number}, 'title {number}', '', '{time.isoformat()}', now())")


def test_each_reader_who_wants_it_gets_one_digest_a_day(site: Site) -> None:
    digest(site)
    assert site.value("send_digest") == {"articles": 3, "sent": 3, "refused": 0}
    assert site.value("send_digest") == {"articles": 3, "sent": 0, "refused": 0}
    mails = site.mail.messages()
    assert sorted(str(mail["To"]) for mail in mails) == [
        "ada@example.org",
        "bela@example.org",
        "dora@example.org",
    ]
    assert mails[0]["Subject"] == "3 new on 23 November"
    assert mails[0]["Message-ID"] == "<digest.2026-11-23.1@example.org>"
    body = mails[0].get_content()
    assert [f"title {number}" in body for number in range(5)] == [False, True, True, True, False]


def test_a_refused_reader_is_remembered_and_does_not_keep_the_others_from_their_mail(site: Site) -> None:
    digest(site)
    site.mail.fail(recipient="bela@example.org")
    assert site.value("send_digest") == {"articles": 3, "sent": 2, "refused": 1}
    assert site.sql("SELECT reader, accepted FROM digests ORDER BY 1") == [(1, True), (2, False), (4, True)]
    assert site.value("send_digest")["sent"] == 0


def test_a_mail_that_is_put_off_is_sent_by_the_next_attempt_and_the_others_at_once(site: Site) -> None:
    digest(site)
    site.mail.fail(recipient="ada@example.org", code=451, times=1)
    assert site.error("send_digest") == (75, "1 of 3 mails were put off by the server")
    assert site.value("send_digest") == {"articles": 3, "sent": 1, "refused": 0}
    assert len(site.mail.messages()) == 3


def test_without_a_mail_server_nobody_counts_as_written_to(site: Site) -> None:
    digest(site)
    with site.mail.stopped():
        assert site.error("send_digest")[0] == 69
    assert site.number("SELECT count(*) FROM digests") == 0
    assert site.value("send_digest")["sent"] == 3


def test_the_most_visited_pages_are_cached_for_a_while_and_those_that_are_gone_leave(site: Site) -> None:
    site.redis.zadd("visits", {"rivers": 9, "mills": 8, "gone": 7, "locks": 1})
    site.redis.set("page:gone", "old")
    assert site.value("warm_cache", pages=3, minutes=2) == {"warm": 2, "gone": 1}
    assert sorted(site.redis.keys("page:*")) == ["page:mills", "page:rivers"]
    assert json.loads(site.redis.get("page:rivers") or "")["title"] == "Rivers"
    assert 100 < site.redis.ttl("page:rivers") <= 120
    assert site.redis.zrange("visits", 0, -1) == ["locks", "mills", "rivers"]


def test_a_page_that_fails_is_named_and_the_others_are_warm(site: Site) -> None:
    site.redis.zadd("visits", {"rivers": 3, "mills": 2, "locks": 1})
    site.api.fail(path="/v1/pages/mills", status=500)
    assert site.error("warm_cache") == (75, "1 of 3 pages were not to be had: mills")
    assert sorted(site.redis.keys("page:*")) == ["page:locks", "page:rivers"]


@pytest.mark.parametrize(
    ("fault", "exit_code"),
    [
        ({"status": 503}, 69),
        ({"status": 429}, 75),
        ({"status": 401}, 78),
        ({"cut_after_bytes": 20}, 69),
        ({"body": "<html>"}, 65),
        ({"body": "[]"}, 65),
    ],
)
def test_where_no_page_is_to_be_had_the_run_says_why(
    site: Site, fault: dict[str, Any], exit_code: int
) -> None:
    site.redis.zadd("visits", {"rivers": 3, "mills": 2})
    site.api.fail(**fault)
    assert site.error("warm_cache")[0] == exit_code
    assert site.redis.keys("page:*") == []


def test_what_passes_is_tried_again_when_the_api_says(site: Site) -> None:
    site.redis.zadd("visits", {"rivers": 3})
    site.api.fail(status=429, retry_after=1, times=1)
    site.api.fail(status=503, after=1, times=1)
    assert site.value("warm_cache") == {"warm": 1, "gone": 0}
    assert [request["status"] for request in site.api.requests()] == [429, 503, 200]


def test_an_async_handler_that_is_stopped_lets_go_of_slow_answers_at_once(site: Site) -> None:
    site.redis.zadd("visits", {"rivers": 3})
    site.api.fail(delay_seconds=4)
    running = site.start("warm_cache")
    wait_until(site.api.requests, describe="the API is asked")
    running.send(signal.SIGTERM)
    ended = running.end()
    assert ended.exit_code == 143
    assert ended.seconds < 3


def test_rates_are_taken_over_and_older_ones_leave_newer_ones_alone(site: Site) -> None:
    site.sql(
        "INSERT INTO rates VALUES ('USD', 2, '2026-11-21T00:00:00Z'), ('CHF', 2, '2026-11-19T00:00:00Z')"
    )
    assert site.value("refresh_rates", page=2) == {"rates": 5, "changed": 4}
    assert site.value("refresh_rates") == {"rates": 5, "changed": 0}
    rates = {currency: str(euro) for currency, euro in site.sql("SELECT currency, euro FROM rates")}
    assert rates == {"CHF": "1.0712", "GBP": "1.1394", "JPY": "0.0056", "SEK": "0.0911", "USD": "2"}


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        ("text", "is not an object"),
        ({"currency": "sek"}, "currency is not three capital letters"),
        ({"currency": "SEK", "euro": -1}, "euro is not a number above 0"),
        ({"currency": "SEK", "euro": "NaN"}, "euro is not a number above 0"),
        ({"currency": "SEK", "euro": True}, "euro is not a number above 0"),
        ({"currency": "SEK", "euro": 1, "as_of": "2026-11-20"}, "as_of is not a time with its time zone"),
        ({"currency": "SEK", "euro": 1, "as_of": None}, "as_of is not a time with its time zone"),
    ],
)
def test_a_bad_rate_is_named_by_its_place_and_nothing_is_written(
    site: Site, record: Any, sentence: str
) -> None:
    site.api.fail(replace_item=3, **{"with": record})
    exit_code, message = site.error("refresh_rates", page=3)
    assert exit_code == 65
    assert message.startswith("record 1 of page 2")
    assert sentence in message
    assert site.number("SELECT count(*) FROM rates") == 0


@pytest.mark.parametrize("body", ['{"rates": []}', "[1]", "7", "{"])
def test_a_page_that_is_not_what_was_promised_is_bad_data(site: Site, body: str) -> None:
    site.api.fail(body=body)
    assert site.error("refresh_rates")[0] == 65


@pytest.mark.parametrize(
    "handler", ["update_search_index", "prune_audit_log", "refresh_rates", "send_digest"]
)
def test_a_database_that_is_gone_is_unavailable(site: Site, handler: str) -> None:
    digest(site)
    gone = site.database_url.rpartition("@")[0] + "@127.0.0.1:1/app"
    elsewhere = Site(site.runner, gone, site.redis_server, site.api, site.mail)
    assert elsewhere.error(handler)[0] == 69


@pytest.mark.parametrize("handler", ["clean_sessions", "warm_cache"])
def test_a_cache_that_is_gone_is_unavailable(site: Site, handler: str) -> None:
    with site.redis_server.stopped():
        assert site.error(handler)[0] == 69


@pytest.mark.parametrize(
    ("handler", "arguments"),
    [
        ("clean_sessions", {"idle_days": 0}),
        ("update_search_index", {"batch": 0}),
        ("prune_audit_log", {"keep_days": 0}),
        ("warm_cache", {"pages": "many"}),
        ("refresh_rates", {"page": 0}),
        ("send_digest", {"to": "everybody"}),
    ],
)
def test_wrong_arguments_are_refused(site: Site, handler: str, arguments: dict[str, Any]) -> None:
    assert site.error(handler, **arguments)[0] == 65
