"""Writes batches into PostgreSQL, each as a whole, and finds the record that one of them fails for."""

import re
from bisect import bisect_left
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from job_runner.connections.postgresql_errors import is_raised, job_error, sentence
from job_runner.errors import ConfigurationError, DataError, JobError
from job_runner.fetching.batches import Batch
from job_runner.fetching.flaws import Flaw
from job_runner.fetching.table import BATCH, Target

if TYPE_CHECKING:
    import psycopg

# "COPY scheduledjob_batch, line 7, column price: ...", in whatever language the server speaks.
_PLACE = re.compile(rf"{BATCH}\D+(\d+)(?:, \S+ ([^:]+))?")
_NO_SUCH_CONSTRAINT = "42P10"


def _is_of_a_record(error: "psycopg.Error") -> bool:
    """Whether a record is what it fails for, and not the moment or the rights.

    Values, constraints, limits such as that of an index, views and triggers that refuse a row.
    """
    about_values = (error.sqlstate or "").startswith(("22", "23", "44", "54"))
    return about_values or (is_raised(error) and isinstance(job_error(error), DataError))


class BadRecord(DataError):  # noqa: N818  (people read this name in the status)
    """A record is not what was promised; its batch is not written."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(str(flaw))
        self.flaw = flaw


@dataclass(frozen=True)
class Written:
    """How many records of a batch are new in the table, and how many have changed what was there."""

    inserted: int
    updated: int


class Writer:
    """Writes to one table over one connection."""

    def __init__(
        self, connection: "psycopg.Connection", target: Target, *, turn: AbstractContextManager[object]
    ) -> None:
        """turn: held while records are sent; see `ahead`."""
        self._connection = connection
        self._target = target
        self._turn = turn
        self._all_new = False
        """Whether the batch before had only new records: this one is likely to be the same."""

    def prepare(self) -> None:
        """Make the temporary table; it goes with the connection."""
        self._connection.execute(self._target.create())

    def write(self, batch: Batch) -> Written:
        """Write a batch in one transaction, or as part of the one that is open.

        Raises BadRecord for the first record that is bad, and then nothing of the batch is there.
        """
        import psycopg  # noqa: PLC0415  (loaded already; see open_postgresql)

        try:
            if self._all_new and batch.flaw is None and (copied := self._copied(batch)) is not None:
                return Written(inserted=copied, updated=0)
            with ExitStack() as stack:
                with self._turn:
                    stack.enter_context(self._connection.transaction())
                    self._copy(batch.text)
                written = self._insert()
                if batch.flaw is not None:
                    raise BadRecord(batch.flaw)
        except psycopg.errors.InvalidColumnReference as error:
            raise self._unusable_key(error) from None
        except psycopg.Error as error:
            if not _is_of_a_record(error):
                raise
            raise self._bad_record(batch, error) from None
        self._all_new = written.inserted == batch.count and not self._target.update
        return written

    def _copied(self, batch: Batch) -> int | None:
        """Copy a batch into the table itself, in half the time; None when it holds more than new records.

        A trigger may leave records out: they are not counted.
        """
        import psycopg  # noqa: PLC0415

        try:
            with self._connection.cursor() as cursor:
                with ExitStack() as stack, self._turn:  # the server is waited for when the turn is over
                    stack.enter_context(self._connection.transaction())
                    statement = self._target.copy(*self._target.table)
                    stack.enter_context(cursor.copy(statement)).write(batch.text)
                return cursor.rowcount
        except (psycopg.errors.WrongObjectType, psycopg.errors.FeatureNotSupported):
            return None  # a view, or a table with row security, cannot be copied into
        except psycopg.Error as error:
            if not _is_of_a_record(error):
                raise
            return None

    def _insert(self) -> Written:
        done = self._connection.execute(self._target.insert())
        if not self._target.changes:
            return Written(inserted=done.rowcount, updated=0)
        row = done.fetchone()
        assert row is not None
        return Written(*row)

    def _copy(self, text: bytes) -> None:
        from psycopg.sql import SQL, Identifier  # noqa: PLC0415

        self._connection.execute(SQL("TRUNCATE {}").format(Identifier(BATCH)))
        with self._connection.cursor() as cursor, cursor.copy(self._target.copy(BATCH)) as copy:
            copy.write(text)

    def _bad_record(self, batch: Batch, error: "psycopg.Error") -> JobError:
        """The first record that cannot be written, which may come before the one that COPY stopped at."""
        lines = batch.text.splitlines(keepends=True)
        place = _PLACE.search(error.diag.context or "")
        if place is not None:
            lines = lines[: int(place[1]) - 1]
        refused = self._first_refused(lines)
        if refused is not None:
            row, error = refused
            return self._flawed(batch, row, error, column=error.diag.column_name)
        if place is not None:
            return self._flawed(batch, len(lines), error, column=place[2])
        return job_error(error)  # it was the moment: the same records have just been taken

    @staticmethod
    def _flawed(batch: Batch, row: int, error: "psycopg.Error", *, column: str | None) -> BadRecord:
        return BadRecord(batch.place.flaw(row, reason=sentence(error), column=column))

    def _first_refused(self, lines: list[bytes]) -> "tuple[int, psycopg.Error] | None":
        """(place of the first line that the table refuses, why), found by halving; nothing is written."""
        with self._connection.transaction(force_rollback=True):
            self._copy(b"".join(lines))
            self._connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
            row = bisect_left(
                range(1, len(lines) + 1), True, key=lambda count: self._refuses(count) is not None
            )
            error = self._refuses(row + 1)
        return None if error is None else (row, error)

    def _refuses(self, count: int) -> "psycopg.Error | None":
        """Why the table refuses one of the first `count` records that were copied."""
        import psycopg  # noqa: PLC0415

        try:
            with self._connection.transaction(force_rollback=True):
                self._connection.execute(self._target.insert(rows=count))
        except psycopg.Error as error:
            if not _is_of_a_record(error):
                raise
            return error
        return None

    def _unusable_key(self, error: "psycopg.Error") -> JobError:
        if error.sqlstate != _NO_SUCH_CONSTRAINT:
            return job_error(error)
        return ConfigurationError(
            "the table has no primary key or unique constraint over exactly the columns of `key`"
        )
