"""Records of pages as batches that are written each as a whole."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from job_runner.fetching.copy_text import Column, copy_text
from job_runner.fetching.flaws import Flaw, NotAsPromised


@dataclass(frozen=True)
class Page:
    """records: in their order; flaw: what is wrong with the page itself, which is then the last one.

    next_is_bad: the flaw is that of the record after these.
    """

    number: int
    records: list[Any]
    flaw: NotAsPromised | None = None
    next_is_bad: bool = False


@dataclass(frozen=True)
class Place:
    """first: number of the batch's first record, from 1 for the first of all.

    marks: (number of a page's first record, number of that page), for the pages it has records of.
    """

    first: int
    marks: tuple[tuple[int, int], ...]

    def page_of(self, record: int) -> int | None:
        place = bisect_right([first for first, _ in self.marks], record)
        return self.marks[place - 1][1] if place else None

    def flaw(self, row: int, *, reason: str, column: str | None) -> Flaw:
        """row: the place of the record in the batch, from 0."""
        number = self.first + row
        return Flaw(reason, record=number, page=self.page_of(number), column=column)


@dataclass(frozen=True)
class Batch:
    """text: its records for COPY. flaw: what comes after these, so that they may not be written either."""

    place: Place
    count: int
    pages: int
    """How many pages were read when it was complete."""
    text: bytes
    flaw: Flaw | None = None


def batches(
    pages: Iterable[Page], columns: Sequence[Column], *, size: int, turn: AbstractContextManager[object]
) -> Iterator[Batch]:
    """Batches of `size` records, whatever the size of the pages; the last one is smaller.

    A batch with a flaw is the last: it holds what came before the flaw and is not to be kept.
    turn: see `ahead`.
    """
    pending: list[Any] = []
    marks: list[tuple[int, int]] = []
    first, page = 1, Page(0, [])
    for page in pages:
        marks.append((first + len(pending), page.number))
        pending += page.records
        while len(pending) >= size:
            with turn:
                batch = _batch(pending[:size], columns, first=first, page=page.number, marks=marks)
            yield batch
            if batch.flaw:
                return
            del pending[:size]
            first += size
            marks = marks[-1:]  # what is left is of this page
        if page.flaw:
            break
    if pending or page.flaw:
        bad = first + len(pending) if page.next_is_bad else None
        flaw = None if page.flaw is None else Flaw(page.flaw.reason, record=bad, page=page.number)
        yield _batch(pending, columns, first=first, page=page.number, marks=marks, flaw=flaw)


def _batch(
    records: list[Any],
    columns: Sequence[Column],
    *,
    first: int,
    page: int,
    marks: list[tuple[int, int]],
    flaw: Flaw | None = None,
) -> Batch:
    place = Place(first, tuple(marks))
    while True:
        try:
            text = copy_text(records, columns)
        except NotAsPromised as error:  # and again with what is before it, until that is good
            flaw = place.flaw(error.row, reason=error.reason, column=error.column)
            records = records[: error.row]
        else:
            return Batch(place, len(records), page, text, flaw)
