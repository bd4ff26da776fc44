"""The first bad record is named, and its batch is not written."""

from __future__ import annotations

import random
import string
from typing import Any

import psycopg
import pytest

from job_runner.errors import ExitCode
from tests.handlers.fetch_insert.tokens import count, run
from tests.servers.sample_api import SampleApi

GOOD = {"address": "0xnew", "decimals": 1}


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
