"""Fields are found by their paths."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job_runner.errors import DataError
from job_runner.fetching.fields import column_of, field, path_of
from tests.handlers.fetch_insert.any_json import JSON


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


@given(JSON, st.text(alphabet="ab.01"))
def test_any_path_finds_something_or_nothing_in_anything(value: Any, path: str) -> None:
    try:
        parts = path_of(path)
    except DataError:
        return
    field(value, parts)
