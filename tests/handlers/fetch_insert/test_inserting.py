"""Every record is in the table once, however it comes and whatever is there already."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest

from job_runner.errors import ExitCode
from job_runner.testing import Outcome
from tests.handlers.fetch_insert.tokens import count, rows, run
from tests.handlers.web_server import Answer, web_server
from tests.runner.process import Runner
from tests.servers.postgresql import PostgresqlServer
from tests.servers.sample_api import SampleApi


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


def test_all_or_nothing_is_one_transaction(database: str, api: SampleApi) -> None:
    api.fail(**{"replace_item": 950, "with": {}})
    assert run(api, all_or_nothing=True).exit_code == ExitCode.DATA
    assert count(database) == 0
    api.clear_faults()
    ended = run(api, all_or_nothing=True)
    assert isinstance(ended.value, dict)
    assert ended.value["inserted"] == count(database) == 1000


def test_two_runs_at_once_insert_each_record_once(database: str, api: SampleApi) -> None:
    ended: list[Outcome] = []
    beside = threading.Thread(target=lambda: ended.append(run(api, batch=50)))
    beside.start()
    ended.append(run(api, batch=70))
    beside.join()
    assert [one.error for one in ended] == [None, None]
    assert sum(int(str(one.value["inserted"])) for one in ended if isinstance(one.value, dict)) == 1000
    assert count(database) == 1000
