"""Batches that are never cut in two: a run that has to stop finishes the batch and says how far it came."""

import sqlite3

from pydantic import BaseModel, Field

from job_runner import Cancelled, Context, job_handler


class Arguments(BaseModel, extra="forbid"):
    """One parameter called `args` takes all the arguments of the manifest."""

    database: str = Field(description="path of a SQLite database")
    records: int = Field(default=1000, gt=0)
    batch: int = Field(default=100, gt=0, le=10_000)


@job_handler("import-records")
def import_records(args: Arguments, context: Context) -> dict[str, int]:
    """Inserts records in batches, each in one transaction; what is there already is left alone."""
    database = sqlite3.connect(args.database)
    database.execute("CREATE TABLE IF NOT EXISTS record (id INTEGER PRIMARY KEY)")
    inserted = 0
    try:
        for first in range(0, args.records, args.batch):
            rows = [(number,) for number in range(first, min(first + args.batch, args.records))]
            with context.shield(), database:
                inserted += database.executemany("INSERT OR IGNORE INTO record VALUES (?)", rows).rowcount
    except Cancelled:
        context.logger.warning("stopped early")
    finally:
        database.close()
    return {"inserted": inserted}
