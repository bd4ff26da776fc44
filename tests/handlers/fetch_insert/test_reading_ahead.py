"""Pages are read a little ahead of what is written."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from job_runner.errors import DataError
from job_runner.fetching.ahead import reading_ahead


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
