"""What was fetched and is not what was promised: the first bad record, by number and never by value."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Flaw:
    """record: its number, from 1, among all that were fetched; None for a page that has no records."""

    reason: str
    record: int | None = None
    page: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        place = "" if self.page is None else f"page {self.page}"
        if self.record is not None:
            place = f"record {self.record}" + (f" on {place}" if place else "")
        column = "" if self.column is None else f", for column {self.column!r}"
        return f"{place}{column}: {self.reason}"


class NotAsPromised(Exception):  # noqa: N818
    """Raised where the flaw's place is not known in full yet."""

    def __init__(self, reason: str, *, row: int = 0, column: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.row = row
        """The place of the record among those that were looked at, from 0."""
        self.column = column
