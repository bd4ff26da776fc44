"""JSON and lines of it, as texts only."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job_runner.fetching.flaws import NotAsPromised
from job_runner.fetching.pages import BYTES, pages_of_lines
from job_runner.fetching.parsing import Number, json_text, parsed
from tests.handlers.fetch_insert.any_json import JSON


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
