"""Records of pages as batches that are written each as a whole."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from job_runner.fetching.copy_text import Column, copy_text
from job_runner.fetching.fields import has
from job_runner.fetching.flaws import Flaw, NotAsPromised

LARGEST = 8 * 2**20
"""Bytes of text at which a batch is complete, however few records: several are held at once."""
_PIECE = 2 * 2**20
"""Bytes of a page whose records become text at once."""


@dataclass(frozen=True)
class Page:
    """records: in their order; flaw: what is wrong with the page itself, which is then the last one.

    next_is_bad: the flaw is that of the record after these. size: bytes that it came in, 0 if nobody knows.
    """

    number: int
    records: list[Any]
    flaw: NotAsPromised | None = None
    next_is_bad: bool = False
    size: int = 0


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
    """Batches of `size` records, whatever the size of the pages; of fewer, where records are large.

    A batch with a flaw is the last: it holds what came before the flaw and is not to be kept. Records are
    taken out of their page as soon as they are text. turn: see `ahead`.
    """
    batch, page = _Growing(columns, first=1), Page(0, [])
    for page in pages:
        batch.marks.append((batch.first + batch.count, page.number))
        at_once = max(_PIECE * len(page.records) // (page.size or 1), 1)
        while page.records:
            count = min(at_once, size - batch.count)
            with turn:
                batch.add(page.records[:count])
            del page.records[:count]
            if batch.count == size or batch.length >= LARGEST or batch.flaw:
                yield batch.finished(pages=page.number)
                if batch.flaw:
                    return
                batch = batch.following()
        if page.flaw:
            break
    if batch.count or page.flaw:
        if page.flaw:
            bad = batch.first + batch.count if page.next_is_bad else None
            batch.flaw = Flaw(page.flaw.reason, record=bad, page=page.number)
        yield batch.finished(pages=page.number, last=True)


@dataclass
class _Growing:
    """A batch that is not complete yet. length: bytes of its text."""

    columns: Sequence[Column]
    first: int
    marks: list[tuple[int, int]] = field(default_factory=list)
    count: int = 0
    length: int = 0
    flaw: Flaw | None = None
    _texts: list[bytes] = field(default_factory=list)
    _missing: list[Column] = field(default_factory=list)
    """Columns whose field no record has had so far, though somebody has to have it."""

    def __post_init__(self) -> None:
        self._missing = [column for column in self.columns if column.expected]

    def add(self, records: list[Any]) -> None:
        """Add records, or those before the first bad one, which is then its flaw."""
        text = b""
        while True:
            try:
                text = copy_text(records, self.columns)
            except NotAsPromised as error:  # and again with what is before it, until that is good
                self.flaw = self._place().flaw(
                    self.count + error.row, reason=error.reason, column=error.column
                )
                records = records[: error.row]
            else:
                break
        self._missing = [
            column for column in self._missing if not any(has(record, column.path) for record in records)
        ]
        self.count += len(records)
        self.length += len(text)
        self._texts.append(text)

    def finished(self, *, pages: int, last: bool = False) -> Batch:
        """last: it is one of the others' rest, which may be too small to tell what is missing."""
        if self._missing and self.count and not self.flaw and (self.first == 1 or not last):
            reason = f"its field is missing in all {self.count} records of the batch"
            self.flaw = self._place().flaw(
                0, reason=f"{reason}: write ? behind its path if it may be", column=self._missing[0].name
            )
        return Batch(self._place(), self.count, pages, b"".join(self._texts), self.flaw)

    def following(self) -> "_Growing":
        """The batch after this one, which begins on the same page."""
        return _Growing(self.columns, first=self.first + self.count, marks=self.marks[-1:])

    def _place(self) -> Place:
        return Place(self.first, tuple(self.marks))
