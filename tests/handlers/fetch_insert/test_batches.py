"""Records are put together into batches that know where they are from."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job_runner.fetching.batches import LARGEST, Batch, Page, batches
from job_runner.fetching.copy_text import Column
from job_runner.fetching.flaws import NotAsPromised
from tests.handlers.fetch_insert.any_json import COLUMNS


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
