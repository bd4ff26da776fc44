"""The web application's handlers against real servers on this machine."""

import json
import signal
import time
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from tests.handlers.web_application.site import Site
from tests.servers.postgresql import PostgresqlServer
from tests.servers.redis_server import RedisServer
from tests.waiting import wait_until


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


def test_the_most_visited_pages_are_cached_for_a_while_and_those_that_are_gone_leave(site: Site) -> None:
    site.redis.zadd("visits", {"rivers": 9, "mills": 8, "gone": 7, "locks": 1})
    site.redis.set("page:gone", "old")
    assert site.value("warm_cache", pages=3, minutes=2) == {"warm": 2, "gone": 1}
    assert sorted(site.redis.keys("page:*")) == ["page:mills", "page:rivers"]
    assert json.loads(site.redis.get("page:rivers") or "")["title"] == "Rivers"
    assert 100 < site.redis.ttl("page:rivers") <= 120
    assert site.redis.zrange("visits", 0, -1) == ["locks", "mills", "rivers"]


def test_where_no_page_is_found_the_address_is_wrong_and_nothing_is_forgotten(site: Site) -> None:
    site.redis.zadd("visits", {"rivers": 9, "mills": 8})
    site.redis.set("page:rivers", "old")
    site.api.serve()
    assert site.error("warm_cache") == (78, "the API has none of 2 pages: is API_URL its address?")
    assert site.redis.zrange("visits", 0, -1) == ["mills", "rivers"]
    assert site.redis.get("page:rivers") == "old"


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
    site.api.fail(delay_seconds=20)
    running = site.start("warm_cache")
    wait_until(site.api.requests, describe="the API is asked")
    running.send(signal.SIGTERM)
    begun = time.monotonic()
    assert running.end().exit_code == 143
    assert time.monotonic() - begun < 4, "less than it waits for one answer"


def test_rates_are_taken_over_and_older_ones_leave_newer_ones_alone(site: Site) -> None:
    site.sql(
        "INSERT INTO rates VALUES ('USD', 2, '2026-11-21T00:00:00Z'), ('CHF', 2, '2026-11-19T00:00:00Z')"
    )
    assert site.value("refresh_rates", page=2) == {"rates": 5, "changed": 4}
    assert site.start("refresh_rates").end().exit_code == 0
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


@pytest.mark.parametrize(
    ("following", "sentence"),
    [
        ("7", "page 1: next is no address of rates"),
        ('"http://127.0.0.1:1/v1/rates?limit=1"', "page 1: next is no address of rates"),
        ('"//127.0.0.1:1/v1/rates?limit=1"', "page 1: next is no address of rates"),
        ('"/v1/rates?limit=50"', "page 1 names an earlier page as the next one"),
        ('"/v1/rates?cursor=again"', "page 2 names an earlier page as the next one"),
    ],
)
def test_pages_go_on_at_the_same_api_and_come_to_an_end(site: Site, following: str, sentence: str) -> None:
    site.api.fail(body=f'{{"items": [], "next": {following}}}')
    assert site.error("refresh_rates") == (65, sentence)


@pytest.mark.parametrize("body", ['{"rates": []}', "[1]", "7", "{"])
def test_a_page_that_is_not_what_was_promised_is_bad_data(site: Site, body: str) -> None:
    site.api.fail(body=body)
    assert site.error("refresh_rates")[0] == 65


@pytest.mark.parametrize(
    "handler", ["update_search_index", "prune_audit_log", "refresh_rates", "send_digest"]
)
@pytest.mark.parametrize(
    ("place", "exit_code"), [("tests:wrong@127.0.0.1:{port}", 78), ("tests:x@127.0.0.1:1", 69)]
)
def test_a_database_that_is_gone_is_unavailable_and_one_that_does_not_know_us_a_wrong_setting(
    site: Site, postgresql_server: PostgresqlServer, handler: str, place: str, exit_code: int
) -> None:
    database = site.database_url.rpartition("/")[2]
    url = f"postgresql://{place.format(port=postgresql_server.port)}/{database}"
    assert replace(site, database_url=url).error(handler)[0] == exit_code


def test_a_cache_that_does_not_know_us_is_a_wrong_setting(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RedisServer, "url", f"redis://:wrong@127.0.0.1:{site.redis_server.port}/0")
    assert [site.error(handler)[0] for handler in ("clean_sessions", "warm_cache")] == [78, 78]


def test_a_cache_that_is_there_and_says_nothing_ends_the_run_in_time(site: Site) -> None:
    with site.redis_server.frozen():
        assert site.error("clean_sessions", timeout=1)[0] in {69, 124}


@pytest.mark.parametrize("handler", ["update_search_index", "prune_audit_log", "refresh_rates"])
def test_a_table_that_is_locked_ends_the_run_in_time_and_nothing_is_half_written(
    site: Site, handler: str
) -> None:
    tables = ("search_index", "audit_log", "rates")
    counts = [f"SELECT count(*) FROM {table}" for table in tables]
    before = [site.number(query) for query in counts]
    with psycopg.connect(site.database_url) as connection:
        connection.execute(f"LOCK TABLE {', '.join(tables)} IN EXCLUSIVE MODE".encode())
        assert site.error(handler, timeout=1)[0] == 124
    assert [site.number(query) for query in counts] == before


def test_an_api_that_is_slow_ends_the_run_in_time_and_no_rate_is_written(site: Site) -> None:
    site.api.fail(delay_seconds=4)
    assert site.error("refresh_rates", timeout=1)[0] == 124
    assert site.number("SELECT count(*) FROM rates") == 0


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
        ("send_digest", {"sender": "a@example.org\nBcc: b@example.org"}),
    ],
)
def test_wrong_arguments_are_refused(site: Site, handler: str, arguments: dict[str, Any]) -> None:
    assert site.error(handler, **arguments)[0] == 65
