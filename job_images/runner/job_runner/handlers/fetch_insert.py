import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from job_runner import Cancelled, Context, DataError, JobError, job_handler
from job_runner.connections.addresses import address_of, secret_headers
from job_runner.connections.http_client import open_http
from job_runner.connections.postgresql import open_postgresql
from job_runner.connections.postgresql_errors import statements
from job_runner.fetching.ahead import reading_ahead
from job_runner.fetching.batches import Batch, Page, batches
from job_runner.fetching.fields import path_of
from job_runner.fetching.pages import json_pages, lines
from job_runner.fetching.paging import paging_from
from job_runner.fetching.table import target
from job_runner.fetching.writing import BadRecord, Writer, Written

if TYPE_CHECKING:
    import psycopg

    from job_runner.connections.http_client import HttpClient

DEFAULT_BATCH = 5000
_NEWS_EVERY = 10.0
"""Seconds between two lines in the log that say how far it came."""


@job_handler("fetch_insert")
def fetch_insert(  # noqa: PLR0913  (each is an argument of a manifest)
    context: Context,
    *,
    table: str,
    key: list[str],
    url: str | None = None,
    url_variable: str | None = None,
    header_variables: dict[str, str] | None = None,
    format: str = "json",  # noqa: A002  (as it is called in a manifest)
    records: str = "",
    paging: dict[str, Any] | None = None,
    columns: dict[str, str] | None = None,
    update: bool = False,
    batch: int = DEFAULT_BATCH,
    all_or_nothing: bool = False,
    database_variable: str = "DATABASE_URL",
) -> dict[str, int]:
    """Fetches records from an HTTP API and inserts those that are new into PostgreSQL, in batches."""
    source = _source(address_of(url, url_variable), format=format, records=records, paging=paging)
    if batch < 1:
        raise DataError("batch is below 1")
    progress = _Progress(context)
    try:
        with (
            open_http(context, headers=secret_headers(header_variables), label=url_variable or "") as client,
            open_postgresql(context, variable=database_variable, autocommit=True) as connection,
        ):
            into = target(connection, table, columns=columns, key=key, update=update)
            turn = threading.Lock()
            found = batches(source(client, turn), into.columns, size=batch, turn=turn)
            writer = Writer(connection, into, turn=turn)
            writer.prepare()
            # Cancelled is raised when the shield is left: a batch that was begun is finished before.
            with (
                context.shield(),
                reading_ahead(found) as ahead,
                progress.transaction(connection) if all_or_nothing else nullcontext(),
            ):
                for one in ahead.items(lambda: context.cancelled):
                    progress.add(one, writer.write(one))
                if all_or_nothing:
                    context.raise_if_cancelled()
    except Cancelled:
        context.logger.info("stopped after %d records", progress.fetched)
    except JobError as error:
        progress.tell(error)
        raise
    return progress.result()


def _source(
    url: str,
    *,
    format: str,  # noqa: A002
    records: str,
    paging: dict[str, Any] | None,
) -> "Callable[[HttpClient, threading.Lock], Iterator[Page]]":
    """What reads the pages. Raises DataError for arguments that do not fit together."""
    if format == "json":
        style, path = paging_from(paging), path_of(records) if records else ()
        return lambda client, turn: json_pages(client, url, paging=style, records=path, turn=turn)
    if format != "ndjson":
        raise DataError("format is none that is known: give json or ndjson")
    if paging is not None or records:
        raise DataError("paging and records are about pages: leave them out where each line is a record")
    return lambda client, _: lines(client, url)


@dataclass
class _Progress:
    """How far the run came: batches that are written, and what was in them."""

    context: Context
    fetched: int = 0
    inserted: int = 0
    updated: int = 0
    batches: int = 0
    pages: int = 0
    told: float = field(default_factory=time.monotonic)

    def add(self, batch: Batch, written: Written) -> None:
        """Count a batch that was written."""
        self.fetched += batch.count
        self.inserted += written.inserted
        self.updated += written.updated
        self.batches += 1
        self.pages = batch.pages
        if time.monotonic() - self.told > _NEWS_EVERY:
            self.told = time.monotonic()
            self.context.logger.info("%d records so far", self.fetched, extra=self.result())

    @contextmanager
    def transaction(self, connection: "psycopg.Connection") -> Iterator[None]:
        """One transaction for all batches: when it fails, nothing was written."""
        try:
            with statements() as block, connection.transaction():
                yield
                block.commits = True
        except BaseException:
            self.fetched = self.inserted = self.updated = self.batches = self.pages = 0
            raise

    def tell(self, error: JobError) -> None:
        """Log how far it came before the failure, and where a bad record is: a failed run has no result."""
        flaw = vars(error.flaw) if isinstance(error, BadRecord) else {}
        place = {name: value for name, value in flaw.items() if value is not None}
        self.context.logger.error(
            "stopped after %d records that are written", self.fetched, extra={**self.result(), **place}
        )

    def result(self) -> dict[str, int]:
        known = self.fetched - self.inserted - self.updated
        return {
            "fetched": self.fetched,
            "inserted": self.inserted,
            "updated": self.updated,
            "known": known,
            "batches": self.batches,
            "pages": self.pages,
        }
