"""The handler `fetch_insert` from the sample API into a real PostgreSQL."""

from __future__ import annotations

import json
import random
import string
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from job_runner import Context
from job_runner.errors import ExitCode
from job_runner.handlers.fetch_insert import fetch_insert
from job_runner.testing import Outcome, Result, run_handler
from tests.handlers.cancelling import cancelled_when
from tests.handlers.web_server import Answer, web_server
from tests.runner.process import Runner
from tests.servers.postgresql import PostgresqlServer
from tests.servers.sample_api import SampleApi
from tests.waiting import wait_until

SCHEMA = """
    CREATE SCHEMA market;
    CREATE TABLE market.tokens (
        address text PRIMARY KEY,
        decimals int NOT NULL CHECK (decimals >= 0),
        price numeric,
        tags text[],
        quote jsonb,
        seen timestamptz NOT NULL DEFAULT now(),
        number int GENERATED ALWAYS AS IDENTITY
    );
"""
ITEM = {
    "id": "token-{n}",
    "address": "0x{n}",
    "decimals": 9,
    "price": 0.5,
    "tags": ["a b", 'c"d', None],
    "quote": {"usd": 1.50, "at": [1, None, "{n}"]},
}


@pytest.fixture
def database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DATABASE_URL", database_url)
    with psycopg.connect(database_url) as connection:
        connection.execute(SCHEMA)
    return database_url


@pytest.fixture
def api(sample_api: SampleApi) -> SampleApi:
    """An API with 1,000 tokens."""
    sample_api.serve(tokens={"generate": {"count": 1000, "item": ITEM}})
    return sample_api


def arguments(api: SampleApi, **others: Any) -> dict[str, Any]:
    """Pages of 150 records, which neither the batches nor the whole are a multiple of."""
    return {
        "url": f"{api.url}/v1/tokens?limit=150",
        "records": "items",
        "paging": {"link": "next"},
        "table": "market.tokens",
        "key": ["address"],
        "batch": 200,
        **others,
    }


def run(api: SampleApi, **others: Any) -> Outcome:
    return run_handler(fetch_insert, args=arguments(api, **others), timeout=60)


def rows(url: str, sql: str = "SELECT count(*) FROM market.tokens") -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(sql).fetchall()


def count(url: str) -> int:
    return int(rows(url)[0][0])


def test_every_record_is_there_once_and_a_second_run_adds_none(database: str, api: SampleApi) -> None:
    expected = {"fetched": 1000, "inserted": 1000, "updated": 0, "known": 0, "batches": 5, "pages": 7}
    assert run(api).value == expected
    assert rows(database, "SELECT count(*), count(DISTINCT address), sum(price) FROM market.tokens") == [
        (1000, 1000, 500)
    ]
    (token,) = rows(database, "SELECT tags, quote FROM market.tokens WHERE address = '0x7'")
    assert token == (["a b", 'c"d', None], {"usd": 1.5, "at": [1, None, 7]})
    assert run(api).value == {**expected, "inserted": 0, "known": 1000}


@pytest.mark.parametrize(
    ("path", "others"),
    [
        ("/v1/tokens?limit=300", {"paging": {"cursor": "cursor", "parameter": "cursor"}}),
        ("/v1/tokens?limit=300", {"paging": {"page": "page"}}),
        ("/v1/tokens?limit=300", {"paging": {"offset": "offset"}}),
        ("/v1/tokens.ndjson", {"format": "ndjson", "paging": None, "records": ""}),
    ],
    ids=["cursor", "page", "offset", "ndjson"],
)
def test_every_way_of_paging_brings_all(
    database: str, api: SampleApi, path: str, others: dict[str, Any]
) -> None:
    ended = run(api, url=api.url + path, **others)
    assert isinstance(ended.value, dict), ended.error
    assert ended.value["inserted"] == count(database) == 1000


def test_columns_take_fields_by_their_path(database: str, api: SampleApi) -> None:
    columns = {"address": "id", "decimals": "quote.at.2", "price": "quote.usd"}
    assert run(api, columns=columns).error is None
    assert rows(database, "SELECT decimals, price, tags FROM market.tokens WHERE address = 'token-7'") == [
        (7, 1.5, None)
    ]


@pytest.mark.parametrize(("path", "exit_code"), [("quote.eur", 65), ("quote.eur?", 0)])
def test_a_field_that_the_api_no_longer_sends_does_not_empty_its_column(
    database: str, api: SampleApi, path: str, exit_code: int
) -> None:
    run(api)
    ended = run(api, update=True, columns={"address": "address", "decimals": "decimals", "price": path})
    assert ended.exit_code == exit_code
    kept = 0 if exit_code == 0 else 1000
    assert rows(database, "SELECT count(price) FROM market.tokens") == [(kept,)]
    if ended.error is not None:
        assert ended.error.message == (
            "record 1 on page 1, for column 'price': its field is missing in all 200 records of the batch: "
            "write ? behind its path if it may be"
        )


def test_twins_within_a_batch_and_between_pages_are_known(database: str, sample_api: SampleApi) -> None:
    tokens = [{"address": f"0x{number % 5}", "decimals": number} for number in range(20)]
    sample_api.serve(tokens=tokens)
    ended = run(sample_api, url=f"{sample_api.url}/v1/tokens?limit=3", batch=8)
    expected = {"fetched": 20, "inserted": 5, "updated": 0, "known": 15, "batches": 3, "pages": 7}
    assert ended.value == expected
    assert rows(database, "SELECT address, decimals FROM market.tokens ORDER BY 1") == [
        (f"0x{number}", number) for number in range(5)
    ]


def test_a_known_record_among_new_ones_is_no_error(database: str, api: SampleApi) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO market.tokens (address, decimals) VALUES ('0x777', 1)")
    ended = run(api)
    assert isinstance(ended.value, dict), ended.error
    assert (ended.value["inserted"], ended.value["known"]) == (999, 1)
    assert rows(database, "SELECT count(*), min(decimals) FROM market.tokens") == [(1000, 1)]


def test_a_table_with_row_security_is_written_through_its_policies(
    database: str, api: SampleApi, postgresql_server: PostgresqlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(
            """
            CREATE ROLE importer LOGIN PASSWORD 'importer-password';
            GRANT USAGE ON SCHEMA market TO importer;
            GRANT SELECT, INSERT ON market.tokens TO importer;
            ALTER TABLE market.tokens ENABLE ROW LEVEL SECURITY;
            CREATE POLICY everything ON market.tokens TO importer USING (true);
            """
        )
    name = database.rpartition("/")[2]
    url = postgresql_server.url_of(name, role="importer", password="importer-password")
    monkeypatch.setenv("DATABASE_URL", url)
    ended = run(api)
    with psycopg.connect(database) as connection:
        connection.execute("DROP OWNED BY importer; DROP ROLE importer")
    assert isinstance(ended.value, dict), ended.error
    assert ended.value["inserted"] == count(database) == 1000


def test_an_update_writes_what_has_changed_and_the_last_twin_counts(
    database: str, sample_api: SampleApi
) -> None:
    def serve(*decimals: int) -> None:
        sample_api.serve(tokens=[{"address": f"0x{n % 3}", "decimals": d} for n, d in enumerate(decimals)])

    serve(1, 2, 3)
    assert run(sample_api, update=True).value == {
        "fetched": 3,
        "inserted": 3,
        "updated": 0,
        "known": 0,
        "batches": 1,
        "pages": 1,
    }
    serve(1, 2, 7, 1, 2, 8)
    before = rows(database, "SELECT address, xmin::text FROM market.tokens WHERE address <> '0x2' ORDER BY 1")
    assert run(sample_api, update=True).value == {
        "fetched": 6,
        "inserted": 0,
        "updated": 1,
        "known": 5,
        "batches": 1,
        "pages": 1,
    }
    assert rows(database, "SELECT decimals FROM market.tokens WHERE address = '0x2'") == [(8,)]
    after = rows(database, "SELECT address, xmin::text FROM market.tokens WHERE address <> '0x2' ORDER BY 1")
    assert before == after


def test_large_records_take_no_more_memory_than_small_ones(database: str, tmp_path: Path) -> None:
    lines = b"".join(
        b'{"address": "%d", "decimals": 1, "quote": "%s"}\n' % (n, b"x" * 2**20) for n in range(99)
    )
    wanted = {"table": "market.tokens", "key": ["address"], "format": "ndjson"}
    runner = Runner(tmp_path)
    with web_server() as web:
        web.answers = [Answer(body=lines)]
        arguments = json.dumps({**wanted, "url": web.url})
        ended = runner.run("run", "fetch_insert", "--args", arguments, env={"DATABASE_URL": database})
    runner.close()
    assert ended.message is not None
    assert ended.message["value"]["inserted"] == count(database) == 99
    assert ended.message["peakMemoryBytes"] < 192 * 2**20


def test_an_empty_list_is_a_success(database: str, sample_api: SampleApi) -> None:
    sample_api.serve(tokens=[])
    assert run(sample_api).value == {
        "fetched": 0,
        "inserted": 0,
        "updated": 0,
        "known": 0,
        "batches": 0,
        "pages": 0,
    }


GOOD = {"address": "0xnew", "decimals": 1}


def test_a_trigger_that_leaves_records_out_is_counted_as_one_that_does(database: str, api: SampleApi) -> None:
    """All of the first batch, so that the others are copied, and half of those."""
    with psycopg.connect(database) as connection:
        connection.execute(
            "CREATE FUNCTION half() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " IF substr(new.address, 3)::int > 200"
            " AND substr(new.address, 3)::int % 2 = 0 THEN RETURN NULL; END IF; RETURN new; END $$;"
            "CREATE TRIGGER half BEFORE INSERT ON market.tokens FOR EACH ROW EXECUTE FUNCTION half()"
        )
    ended = run(api)
    assert isinstance(ended.value, dict), ended.error
    assert ended.value["inserted"] == count(database)
    assert ended.value["known"] == 1000 - count(database) > 300


@pytest.mark.parametrize("table", ["parted", "keys", "written", "known"])
def test_an_update_of_a_table_with_partitions_counts_what_is_new(
    database: str, sample_api: SampleApi, table: str
) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(
            f"CREATE TABLE {table} (id int, kind int, text text, PRIMARY KEY (id, kind))"
            " PARTITION BY LIST (kind);"
            f"CREATE TABLE odd PARTITION OF {table} FOR VALUES IN (1); "
            f"CREATE TABLE even PARTITION OF {table} FOR VALUES IN (0)"
        )

    def records(*texts: str) -> list[dict[str, Any]]:
        return [{"id": number, "kind": number % 2, "text": text} for number, text in enumerate(texts)]

    for served, figures in (
        (records("a", "b", "c"), (3, 0, 0)),
        (records("a", "B", "c", "d"), (1, 1, 2)),
        ([*records("a", "B", "C"), *records("a", "b", "C", "d", "e")], (1, 2, 5)),
    ):
        sample_api.serve(tokens=served)
        ended = run(sample_api, table=table, key=["id", "kind"], update=True)
        assert isinstance(ended.value, dict), ended.error
        assert tuple(ended.value[name] for name in ("inserted", "updated", "known")) == figures
    assert rows(database, f"SELECT string_agg(text, '' ORDER BY id) FROM {table}") == [("abCde",)]


NOT_NULL = (
    'record 501 on page 4, for column \'decimals\': null value in column "decimals" of relation "tokens"'
    " violates not-null constraint"
)
CHECK = (
    'record 501 on page 4: new row for relation "tokens" violates check constraint "tokens_decimals_check"'
)
BAD: dict[str, tuple[Any, str]] = {
    "no object": (["canary"], "record 501 on page 4: it is not a JSON object"),
    "no key": (
        {"decimals": 1},
        "record 501 on page 4, for column 'address': its field is missing or null",
    ),
    "a null key": (
        {**GOOD, "address": None},
        "record 501 on page 4, for column 'address': its field is missing or null",
    ),
    "a wrong type": (
        {**GOOD, "decimals": "canary"},
        "record 501 on page 4, for column 'decimals': invalid input syntax for type integer: \"…\"",
    ),
    "too large": (
        {**GOOD, "decimals": 2**63},
        "record 501 on page 4, for column 'decimals': value \"…\" is out of range for type integer",
    ),
    "a NUL": (
        {**GOOD, "address": "canary\0"},
        "record 501 on page 4, for column 'address': its text holds a NUL or half of a character",
    ),
    "a NUL in a tree": (
        {**GOOD, "quote": {"canary": "\0"}},
        "record 501 on page 4, for column 'quote': unsupported Unicode escape sequence",
    ),
    "a null": (
        {**GOOD, "decimals": None},
        NOT_NULL,
    ),
    "a forbidden value": (
        {**GOOD, "decimals": -1},
        CHECK,
    ),
}


TRIGGER = """
    CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF new.decimals = 77 THEN RAISE EXCEPTION 'odd: % of %', new.decimals, new.address; END IF;
        IF new.decimals = 78 THEN RAISE check_violation USING MESSAGE = 'odd: ' || new.address; END IF;
        RETURN new;
    END $$;
    CREATE TRIGGER look BEFORE INSERT ON market.tokens FOR EACH ROW EXECUTE FUNCTION look()
"""
RAISED = "an exception raised by a trigger or function"
TOO_LONG = 'index row size 8016 exceeds btree version 4 maximum 2704 for index "tokens_pkey"'
REFUSED_RECORDS: dict[str, tuple[dict[str, Any], str]] = {
    "by a trigger": ({"address": "canary", "decimals": 77}, RAISED),
    "by a trigger with a code": ({"address": "canary", "decimals": 78}, RAISED),
    "by an index": (
        {"address": "".join(random.Random(1).choices(string.printable[:62], k=8000)), "decimals": 1},
        TOO_LONG,
    ),
}


@pytest.mark.parametrize(("record", "message"), REFUSED_RECORDS.values(), ids=REFUSED_RECORDS)
def test_a_record_that_the_database_refuses_is_named(
    database: str, api: SampleApi, record: dict[str, Any], message: str
) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(TRIGGER)
    api.fail(**{"replace_item": 500, "with": record})
    ended = run(api)
    assert ended.error is not None
    assert (ended.exit_code, ended.error.message) == (65, f"record 501 on page 4: {message}")
    assert "canary" not in str(ended)
    assert count(database) == 400


@pytest.mark.parametrize(("record", "message"), BAD.values(), ids=BAD)
def test_a_bad_record_is_named_and_its_batch_is_not_written(
    database: str, api: SampleApi, record: Any, message: str
) -> None:
    api.fail(**{"replace_item": 500, "with": record})
    ended = run(api)
    assert ended.error is not None
    assert ended.exit_code == ExitCode.DATA
    assert ended.error.message == message
    assert "canary" not in str(ended)
    assert count(database) == 400


def test_the_log_says_how_far_it_came_and_where_the_bad_record_is(
    database: str, api: SampleApi, caplog: pytest.LogCaptureFixture
) -> None:
    api.fail(**{"replace_item": 500, "with": {"decimals": 1}})
    run(api)
    (line,) = [record for record in caplog.records if record.levelname == "ERROR"]
    fields = vars(line)
    assert (fields["record"], fields["page"], fields["column"], fields["inserted"]) == (
        501,
        4,
        "address",
        400,
    )


def test_the_first_of_several_bad_records_is_named(database: str, api: SampleApi) -> None:
    api.fail(**{"replace_item": 520, "with": {}})
    api.fail(**{"replace_item": 510, "with": {**GOOD, "decimals": "x"}})
    api.fail(**{"replace_item": 505, "with": {**GOOD, "decimals": -1}})
    ended = run(api)
    assert ended.error is not None
    assert ended.error.message.startswith("record 506 on page 4")
    assert count(database) == 400


PAGES: dict[str, tuple[str, str]] = {
    "no JSON": ("<html>canary</html>", "page 3: it is not JSON"),
    "no list": ('{"items": {"canary": 1}}', "page 3: its field 'items' is no list of records"),
    "another shape": ('["canary"]', "page 3: its field 'items' is no list of records"),
    "another server": (
        '{"items": [], "next": "http://canary.invalid/"}',
        "page 3: its link to the next page leads to another server",
    ),
    "a circle": (
        '{"items": [], "next": "/v1/tokens?limit=150"}',
        "page 3: the page after it was there before: the pages go in a circle",
    ),
}


@pytest.mark.parametrize("paging", [{"page": "page"}, {"offset": "offset"}])
def test_an_api_that_does_not_turn_pages_is_not_asked_for_ever(
    database: str, api: SampleApi, paging: dict[str, str]
) -> None:
    api.fail(body='{"items": [{"address": "0x1", "decimals": 1}]}')
    ended = run(api, paging=paging)
    assert ended.error is not None
    assert (ended.exit_code, ended.error.message) == (
        65,
        "page 2: it is the page before once more: the API takes no notice of which one is asked for",
    )
    assert len(api.requests()) == 2


def test_a_user_in_the_address_is_one_for_all_pages(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with web_server() as web:
        monkeypatch.setenv("API_URL", web.url.replace("//", "//user:canary-password@") + "/x")
        link = {"next": f"{web.url}/y"}
        pages = [{"items": [{"address": "0x1", "decimals": 1}], **link}, {"items": []}]
        web.answers = [Answer(body=json.dumps(page).encode()) for page in pages]
        ended = run_handler(
            fetch_insert,
            args={
                "url_variable": "API_URL",
                "records": "items",
                "paging": {"link": "next"},
                "table": "market.tokens",
                "key": ["address"],
            },
        )
        assert ended.error is None
        assert [request.path for request in web.requests] == ["/x", "/y"]
        assert len({request.headers["Authorization"] for request in web.requests}) == 1


@pytest.mark.parametrize(("body", "message"), PAGES.values(), ids=PAGES)
def test_a_bad_page_is_named(database: str, api: SampleApi, body: str, message: str) -> None:
    api.fail(body=body, after=2)
    ended = run(api)
    assert ended.error is not None
    assert (ended.exit_code, ended.error.message) == (65, message)
    assert count(database) == 200


def test_a_bad_line_is_named(database: str, api: SampleApi) -> None:
    api.fail(body='{"address": "0x1", "decimals": 1}\n{"address": canary}\n')
    ended = run(api, url=f"{api.url}/v1/tokens.ndjson", format="ndjson", paging=None, records="")
    assert ended.error is not None
    assert (ended.exit_code, ended.error.message) == (65, "record 2 on page 1: it is not JSON")
    assert count(database) == 0


def test_all_or_nothing_is_one_transaction(database: str, api: SampleApi) -> None:
    api.fail(**{"replace_item": 950, "with": {}})
    assert run(api, all_or_nothing=True).exit_code == ExitCode.DATA
    assert count(database) == 0
    api.clear_faults()
    ended = run(api, all_or_nothing=True)
    assert isinstance(ended.value, dict)
    assert ended.value["inserted"] == count(database) == 1000


# --- failures of the servers


def test_a_moment_of_trouble_is_got_over(database: str, api: SampleApi) -> None:
    api.fail(status=503, times=1, after=2, retry_after=0)
    api.fail(status=429, times=1, after=4, retry_after=0)
    assert run(api).error is None
    assert count(database) == 1000


@pytest.mark.parametrize(
    ("fault", "exit_code"), [({"status": 500}, 69), ({"status": 401}, 78), ({"cut_after_bytes": 1000}, 69)]
)
def test_a_server_that_fails_half_way_leaves_whole_batches(
    database: str, api: SampleApi, fault: dict[str, Any], exit_code: int
) -> None:
    api.fail(after=3, **fault)
    ended = run(api)
    assert ended.exit_code == exit_code
    assert ended.logs[-1] == "stopped after 400 records that are written"
    assert count(database) == 400
    api.clear_faults()
    assert run(api).error is None
    assert count(database) == 1000


def test_lines_that_break_off_leave_whole_batches(database: str, api: SampleApi) -> None:
    api.fail(cut_after_bytes=80_000)
    ended = run(api, url=f"{api.url}/v1/tokens.ndjson", format="ndjson", paging=None, records="")
    assert ended.exit_code == ExitCode.UNAVAILABLE
    assert count(database) % 200 == 0


def test_a_backend_that_is_killed_half_way_leaves_whole_batches(database: str, api: SampleApi) -> None:
    def kill() -> None:
        wait_until(lambda: count(database) >= 400)
        rows(database, BACKENDS)

    api.fail(delay_seconds=0.1)
    killing = threading.Thread(target=kill)
    killing.start()
    ended = run(api)
    killing.join()
    assert ended.exit_code == ExitCode.UNAVAILABLE, ended
    assert 400 <= count(database) < 1000
    assert count(database) % 200 == 0


BACKENDS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'fetch_insert'"


def test_a_cancellation_finishes_the_batch_and_says_how_far_it_came(database: str, api: SampleApi) -> None:
    api.fail(delay_seconds=0.1)
    ended = cancelled_when(lambda: count(database) >= 200, fetch_insert, args=arguments(api))
    assert ended.result is Result.CANCELLED
    assert isinstance(ended.value, dict)
    assert 200 <= count(database) < 1000
    assert ended.value["inserted"] == ended.value["fetched"] == count(database)
    assert count(database) % 200 == 0


def test_a_cancellation_within_a_batch_waits_for_it(database: str, api: SampleApi) -> None:
    """The batch waits for a lock when the cancellation comes; it is written once the lock is gone."""
    with psycopg.connect(database) as other:
        other.execute("LOCK TABLE market.tokens IN EXCLUSIVE MODE")

        def cancelled(context: Context) -> None:
            wait_until(lambda: context.cancelled)
            other.commit()

        ended = cancelled_when(lambda: waits(database), unlocking(cancelled), args=arguments(api))
    assert ended.result is Result.CANCELLED
    assert isinstance(ended.value, dict)
    assert ended.value["batches"] == 1
    assert count(database) == 200


def waits(url: str) -> bool:
    return bool(rows(url, "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"))


def unlocking(cancelled: Callable[[Context], None]) -> Callable[..., Any]:
    """The handler, with a thread beside it that is told its context."""

    def handler(context: Context, args: dict[str, Any]) -> Any:
        threading.Thread(target=cancelled, args=[context]).start()
        return fetch_insert(context, **args)

    return handler


def test_a_cancelled_run_of_all_or_nothing_leaves_nothing(database: str, api: SampleApi) -> None:
    api.fail(delay_seconds=0.2)
    requested = lambda: len(api.requests()) >= 4  # noqa: E731
    ended = cancelled_when(requested, fetch_insert, args=arguments(api, all_or_nothing=True))
    assert ended.result is Result.CANCELLED
    assert isinstance(ended.value, dict)
    assert ended.value["inserted"] == 0
    assert count(database) == 0


def test_two_runs_at_once_insert_each_record_once(database: str, api: SampleApi) -> None:
    ended: list[Outcome] = []
    beside = threading.Thread(target=lambda: ended.append(run(api, batch=50)))
    beside.start()
    ended.append(run(api, batch=70))
    beside.join()
    assert [one.error for one in ended] == [None, None]
    assert sum(int(str(one.value["inserted"])) for one in ended if isinstance(one.value, dict)) == 1000
    assert count(database) == 1000


def test_a_run_sends_its_token_and_never_shows_it(
    database: str, api: SampleApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKENS_URL", f"{api.url}/v1/tokens?key=canary-key")
    monkeypatch.setenv("API_TOKEN", "Bearer canary-token")
    api.fail(status=401)
    ended = run(api, url=None, url_variable="TOKENS_URL", header_variables={"Authorization": "API_TOKEN"})
    assert ended.exit_code == ExitCode.CONFIGURATION
    assert "canary" not in str(ended)


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "no address": ({"url": None}, 65, "give url or url_variable"),
    "no batch": ({"batch": 0}, 65, "batch is below 1"),
    "another format": ({"format": "csv"}, 65, "format is none that is known: give json or ndjson"),
    "pages of lines": (
        {"format": "ndjson"},
        65,
        "paging and records are about pages: leave them out where each line is a record",
    ),
    "no table": ({"table": "market."}, 65, "table is no name of a table: write TABLE or SCHEMA.TABLE"),
    "another table": ({"table": "x.y"}, 78, "there is no table x.y"),
    "an injection": ({"table": 'tokens"; --'}, 78, "there is no table [redacted]"),
    "no key": ({"key": []}, 65, "key is empty: name the columns that tell records apart"),
    "another column": ({"key": ["no"]}, 78, "table market.tokens has no column 'no'"),
    "a column that is not ours": (
        {"columns": {"address": "address", "number": "decimals"}},
        78,
        "column 'number' of table market.tokens is always filled by the database",
    ),
    "a key that is left out": (
        {"columns": {"price": "price"}},
        65,
        "columns has no field for 'address', which is in the key",
    ),
    "a key that is not unique": (
        {"key": ["price"]},
        78,
        "the table has no primary key or unique constraint over exactly the columns of `key`",
    ),
}


@pytest.mark.parametrize(("others", "exit_code", "message"), REFUSED.values(), ids=REFUSED)
def test_arguments_that_make_no_sense(
    database: str, api: SampleApi, others: dict[str, Any], exit_code: int, message: str
) -> None:
    ended = run(api, **others)
    assert ended.error is not None
    assert (ended.exit_code, ended.error.message) == (exit_code, message)
    assert count(database) == 0
