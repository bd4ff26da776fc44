"""The parts of `fetch_insert` that are about values only: paging, fields, JSON, batches, text for COPY."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from job_runner.errors import DataError
from job_runner.fetching.ahead import reading_ahead
from job_runner.fetching.batches import LARGEST, Batch, Page, batches
from job_runner.fetching.copy_text import Column, Kind, copy_text
from job_runner.fetching.fields import column_of, field, path_of
from job_runner.fetching.flaws import NotAsPromised
from job_runner.fetching.pages import BYTES, pages_of_lines
from job_runner.fetching.paging import paging_from, with_parameter
from job_runner.fetching.parsing import Number, json_text, parsed
from tests.servers.postgresql import PostgresqlServer

URL = "https://api.example/v1/tokens?limit=2&cursor=a"

# --- paging


@pytest.mark.parametrize(
    ("paging", "page", "count", "following"),
    [
        (None, {"next": "/b"}, 2, None),
        ({"link": "next"}, {"next": "/v1/tokens?cursor=b"}, 2, "https://api.example/v1/tokens?cursor=b"),
        ({"link": "next"}, {"next": "?cursor=b"}, 2, "https://api.example/v1/tokens?cursor=b"),
        ({"link": "next"}, {"next": "https://api.example/x"}, 0, "https://api.example/x"),
        ({"link": "links.next"}, {"links": {"next": None}}, 2, None),
        ({"link": "links.next"}, {"links": []}, 2, None),
        ({"link": "next"}, [], 2, None),
        ({"cursor": "after", "parameter": "cursor"}, {"after": "b c"}, 2, URL[:-1] + "b+c"),
        ({"cursor": "after", "parameter": "cursor"}, {"after": 7}, 2, URL[:-1] + "7"),
        ({"cursor": "after", "parameter": "from"}, {"after": "b"}, 2, URL + "&from=b"),
        ({"cursor": "after", "parameter": "cursor"}, {"after": ""}, 2, None),
    ],
)
def test_a_page_leads_to_the_next(paging: Any, page: Any, count: int, following: str | None) -> None:
    assert paging_from(paging).following(URL, page, count) == following


def test_pages_and_offsets_are_counted_until_a_page_is_empty() -> None:
    by_number, by_offset = paging_from({"page": "p", "first": 0}), paging_from({"offset": "skip"})
    first = by_number.first("http://a/?x=1")
    assert first == "http://a/?x=1&p=0"
    assert by_number.following(first, [], 3) == "http://a/?x=1&p=1"
    assert by_number.following(first, [], 0) is None
    first = by_offset.first("http://a/")
    assert first == "http://a/?skip=0"
    second = by_offset.following(first, [], 3)
    assert second == "http://a/?skip=3"
    assert by_offset.following(second, [], 2) == "http://a/?skip=5"
    assert by_offset.following(second, [], 0) is None


@pytest.mark.parametrize(
    ("url", "next_page", "following"),
    [
        ("https://u:p@api.example/a", "https://api.example/b", "https://u:p@api.example/b"),
        ("https://u:p@api.example/a", "/b", "https://u:p@api.example/b"),
        ("https://api.example/a", "HTTPS://API.Example:443/b", "https://api.example/b"),
        ("http://api.example:80/a", "http://api.example/b", "http://api.example:80/b"),
    ],
)
def test_a_server_is_the_same_however_it_is_written(url: str, next_page: str, following: str) -> None:
    assert paging_from({"link": "next"}).following(url, {"next": next_page}, 1) == following


@pytest.mark.parametrize(
    ("query", "changed"),
    [
        ("sig=a%E9b&flag&x=a+b;c", "sig=a%E9b&flag&x=a+b;c&p=1"),
        ("p=7&q=%20&%70=8", "q=%20&p=1"),
        ("", "p=1"),
    ],
)
def test_the_other_parameters_stay_as_they_are_written(query: str, changed: str) -> None:
    assert with_parameter(f"http://a/b?{query}", "p", 1) == f"http://a/b?{changed}"


@pytest.mark.parametrize(
    "next_page",
    [
        "https://other.example/",
        "http://api.example/",
        "//other.example/x",
        "https://api.example:444/",
        7,
        "http://[",
    ],
)
def test_a_link_never_leads_to_another_server(next_page: object) -> None:
    with pytest.raises(NotAsPromised, match="link to the next page"):
        paging_from({"link": "next"}).following(URL, {"next": next_page}, 1)


@pytest.mark.parametrize("cursor", [True, 1.5, [], {"a": 1}])
def test_a_cursor_is_a_text_or_a_whole_number(cursor: object) -> None:
    with pytest.raises(NotAsPromised, match="cursor"):
        paging_from({"cursor": "c", "parameter": "c"}).following(URL, {"c": cursor}, 1)


@pytest.mark.parametrize(
    "wanted",
    [
        *({}, {"links": "next"}, {"link": ""}, {"link": "a..b"}, {"link": 1}, {"link": "a", "first": 1}),
        *(
            {"cursor": "a"},
            {"page": "p", "first": "1"},
            {"page": "p", "first": True},
            {"offset": ""},
            {"offset": "o", "page": "p"},
        ),
    ],
)
def test_a_paging_that_is_not_known_is_refused_with_what_to_write(wanted: dict[str, Any]) -> None:
    with pytest.raises(DataError):
        paging_from(wanted)


@given(st.dictionaries(st.text(min_size=1), st.text()), st.text(min_size=1), st.text())
def test_a_parameter_is_set_once_whatever_it_is(others: dict[str, str], name: str, value: str) -> None:
    if any("\ud800" <= letter <= "\udfff" for letter in "".join([*others, *others.values(), name, value])):
        return
    url = with_parameter(f"http://a/b?{urlencode(others)}", name, value)
    assert dict(parse_qsl(urlsplit(url).query, keep_blank_values=True)) == {**others, name: value}


# --- fields


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a", {"b": [1, {"c": 2}]}),
        ("a.b.0", 1),
        ("a.b.1.c", 2),
        ("a.b.2", None),
        ("a.b.x", None),
        ("z.y", None),
    ],
)
def test_a_field_is_found_by_its_path(path: str, expected: object) -> None:
    record = {"a": {"b": [1, {"c": 2}]}}
    assert field(record, path_of(path)) == expected
    assert column_of([record, {}], path_of(path)) == [expected, None]


@pytest.mark.parametrize("path", ["", ".", "a.", ".a", "a..b"])
def test_a_path_with_an_empty_part_is_refused(path: str) -> None:
    with pytest.raises(DataError):
        path_of(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON, st.text(alphabet="ab.01"))
def test_any_path_finds_something_or_nothing_in_anything(value: Any, path: str) -> None:
    try:
        parts = path_of(path)
    except DataError:
        return
    field(value, parts)


# --- JSON


@given(JSON)
def test_json_goes_through_as_it_was(value: Any) -> None:
    assert json.loads(json_text(parsed(json.dumps(value)))) == value


@pytest.mark.parametrize(
    "number", ["0.10000000000000000000000000001", "1e400", "-0.0", "1E-7", "12345678901234567890.5"]
)
def test_numbers_keep_their_digits(number: str) -> None:
    assert parsed(number) == Number(number)
    assert json_text(parsed(f'[{{"a":{number}}}]')) == f'[{{"a":{number}}}]'


@pytest.mark.parametrize("text", ["", "{", "NaN", "[Infinity]", "{'a': 1}", "1 2", "[" * 100_000, "9" * 5000])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(NotAsPromised):
        parsed(text)


@given(
    st.lists(JSON.filter(lambda value: value is not None)), st.randoms(use_true_random=True), st.booleans()
)
def test_lines_are_put_together_however_they_were_cut(records: list[Any], random: Any, ended: bool) -> None:
    content = "\r\n".join(json.dumps(record) for record in records).encode() + (b"\n" if ended else b"")
    pieces, place = [], 0
    while place < len(content):
        size = random.randint(1, 20)
        pieces.append(content[place : place + size])
        place += size
    pages = list(pages_of_lines(pieces))
    assert [json.loads(json_text(record)) for page in pages for record in page.records] == records
    assert not any(page.flaw for page in pages)


def test_long_lines_are_handed_on_a_few_at_a_time_and_put_together_in_no_time() -> None:
    line = json.dumps({"a": "x" * (BYTES * 3 // 4)}).encode() + b"\n"
    pieces = [line[start : start + 16] for start in range(0, len(line), 16)] * 5
    assert [len(page.records) for page in pages_of_lines(pieces)] == [2, 2, 1]


def test_the_first_bad_line_ends_the_reading() -> None:
    (page,) = pages_of_lines([b'{"a":1}\n\n{"a":', b"2}\n{oops}\n{}"])
    assert page.records == [{"a": 1}, {"a": 2}]
    assert page.flaw is not None
    assert page.next_is_bad


# --- batches

COLUMNS = [Column("a", ("a",), required=True), Column("b", ("b",))]


@given(st.lists(st.integers(0, 7), max_size=12), st.integers(1, 9))
def test_batches_hold_every_record_once_and_know_its_page(sizes: list[int], size: int) -> None:
    pages: list[Page] = []
    numbers = 0
    page_of: dict[int, int] = {}
    for number, count in enumerate(sizes, start=1):
        pages.append(Page(number, [{"a": numbers + place + 1} for place in range(count)]))
        page_of |= {numbers + place + 1: number for place in range(count)}
        numbers += count
    found = list(batches(pages, COLUMNS, size=size, turn=nullcontext()))
    assert [batch.count for batch in found[:-1]] == [size] * (len(found) - 1)
    assert "".join(batch.text.decode() for batch in found) == "".join(f"{n}\t\\N\n" for n in page_of)
    for batch in found:
        for record in range(batch.place.first, batch.place.first + batch.count):
            assert batch.place.page_of(record) == page_of[record]


def test_a_batch_of_large_records_is_complete_before_it_has_its_number_of_them() -> None:
    text = "x" * (LARGEST // 5)
    pages = [
        Page(number, [{"a": text} for _ in range(count)], size=count * len(text))
        for number, count in enumerate([1, 40, 7], start=1)
    ]
    found = list(batches(pages, COLUMNS, size=5000, turn=nullcontext()))
    assert max(len(batch.text) for batch in found) < LARGEST * 1.25
    assert sum(batch.count for batch in found) == 48
    assert [page.records for page in pages] == [[], [], []]
    assert [batch.place.page_of(batch.place.first) for batch in found] == [1, *[2] * (len(found) - 2), 3]


PRICED = [COLUMNS[0], Column("price", ("quote", "usd"), expected=True)]
MISSING = "for column 'price': its field is missing in all {} records of the batch"


@pytest.mark.parametrize("record", [{}, {"price": 1}, {"quote": {"eur": 1}}, {"quote": []}])
def test_a_field_that_no_record_of_a_batch_has_is_a_flaw(record: dict[str, Any]) -> None:
    records = [{"a": number, **record} for number in range(3)]
    (batch,) = batches([Page(1, [*records])], PRICED, size=9, turn=nullcontext())
    assert str(batch.flaw).startswith("record 1 on page 1, " + MISSING.format(3))
    has_it = {"a": 0, "quote": {"usd": 1}}
    found = list(batches([Page(1, [has_it]), Page(2, records)], PRICED, size=1, turn=nullcontext()))
    assert str(found[-1].flaw).startswith("record 2 on page 2, " + MISSING.format(1))
    assert len(found) == 2


@pytest.mark.parametrize("quote", [None, {"usd": None}, {"usd": 1}])
def test_a_field_that_one_record_has_be_it_null_may_be_missing_in_others(quote: Any) -> None:
    records = [{"a": 0}, {"a": 1, "quote": quote}, {"a": 2}]
    pages = [Page(1, records[:1]), Page(2, records[1:]), Page(3, [{"a": 4}])]
    found = list(batches(pages, PRICED, size=3, turn=nullcontext()))
    assert [(batch.count, batch.flaw) for batch in found] == [(3, None), (1, None)]


def flaw_of(pages: list[Page], size: int = 3) -> tuple[list[Batch], str]:
    found = list(batches(pages, COLUMNS, size=size, turn=nullcontext()))
    assert all(batch.flaw is None for batch in found[:-1])
    return found, str(found[-1].flaw)


BAD: dict[str, tuple[Any, str]] = {
    "no object": ([1], "record 5 on page 2: it is not a JSON object"),
    "a missing key": ({"b": 1}, "record 5 on page 2, for column 'a': its field is missing or null"),
    "a null key": ({"a": None}, "record 5 on page 2, for column 'a': its field is missing or null"),
    "a NUL": (
        {"a": "x\0"},
        "record 5 on page 2, for column 'a': its text holds a NUL or half of a character",
    ),
    "half a character": (
        {"a": 1, "b": "\ud800"},
        "record 5 on page 2, for column 'b': its text holds a NUL or half of a character",
    ),
}


@pytest.mark.parametrize(("record", "message"), BAD.values(), ids=BAD)
def test_a_bad_record_ends_the_batches_and_is_named(record: Any, message: str) -> None:
    good = [{"a": number} for number in range(4)]
    found, flaw = flaw_of([Page(1, good), Page(2, [record, {"b": 1}, []]), Page(3, good)])
    assert flaw == message
    assert [(batch.place.first, batch.count) for batch in found] == [(1, 3), (4, 1)]


def test_the_first_of_several_bad_records_is_named() -> None:
    _, flaw = flaw_of([Page(1, [{"a": 1}, {"a": 1, "b": "\0"}, {"b": 1}, 7])], size=9)
    assert flaw.startswith("record 2 on page 1, for column 'b'")
    _, flaw = flaw_of([Page(1, [{"a": 1}, {"a": "\0"}, {"b": 1}, 7])], size=9)
    assert flaw.startswith("record 2 on page 1, for column 'a'")


def test_a_page_that_is_bad_itself_is_named() -> None:
    found, flaw = flaw_of([Page(1, [{"a": 1}]), Page(2, [], NotAsPromised("it is not JSON"))])
    assert flaw == "page 2: it is not JSON"
    assert found[0].count == 1


# --- the text for COPY

SENDABLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
SCALARS = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | SENDABLE
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SENDABLE, inner, max_size=3)
)


@pytest.fixture(scope="module")
def connection(postgresql_server: PostgresqlServer) -> Iterator[psycopg.Connection]:
    with postgresql_server.database() as url, psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE copied (plain text, tree jsonb, several text[])")
        yield connection


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.tuples(SENDABLE | st.none(), TREES, st.lists(SENDABLE | st.none()) | st.none()), min_size=1)
)
def test_postgresql_reads_what_was_meant(
    connection: psycopg.Connection, rows: list[tuple[Any, Any, Any]]
) -> None:
    columns = [
        *(Column("plain", ("plain",)), Column("tree", ("tree",), Kind.JSON)),
        Column("several", ("several",), Kind.ARRAY),
    ]
    records = [dict(zip(("plain", "tree", "several"), row, strict=True)) for row in rows]
    with connection.transaction(force_rollback=True), connection.cursor() as cursor:
        with cursor.copy("COPY copied FROM STDIN") as copy:
            copy.write(copy_text(records, columns))
        assert cursor.execute("SELECT * FROM copied ORDER BY ctid").fetchall() == rows


@given(st.lists(st.dictionaries(st.sampled_from("ab"), JSON), max_size=5))
def test_any_records_become_a_line_each_or_a_flaw(records: list[dict[str, Any]]) -> None:
    try:
        text = copy_text(records, COLUMNS)
    except NotAsPromised as flaw:
        assert 0 <= flaw.row < len(records)  # noqa: PT017
    else:
        assert text.count(b"\n") == len(records)
        assert text.count(b"\t") == len(records)


# --- reading ahead


def test_reading_ahead_hands_on_everything_and_then_the_failure() -> None:
    def source() -> Iterator[int]:
        yield from range(10)
        raise DataError("the end")

    with reading_ahead(source()) as ahead:
        items = ahead.items(lambda: False)
        assert [next(items) for _ in range(10)] == list(range(10))
        with pytest.raises(DataError, match="the end"):
            next(items)


def test_reading_ahead_stays_a_few_items_ahead_and_ends_when_nobody_wants_more() -> None:
    made: list[int] = []

    def source() -> Iterator[int]:
        for number in range(1000):
            made.append(number)
            yield number

    with reading_ahead(source(), depth=2) as ahead:
        assert next(ahead.items(lambda: False)) == 0
    assert len(made) <= 5
    assert list(ahead.items(lambda: True)) == []
