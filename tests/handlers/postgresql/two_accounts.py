"""A table of two accounts, and work that is done on it."""

from __future__ import annotations

from collections.abc import Callable

import psycopg

from job_runner import Context
from job_runner.connections.postgresql import open_postgresql
from job_runner.testing import Outcome, run_handler

Work = Callable[[psycopg.Connection], object]
SCHEMA = """
    CREATE TABLE accounts (id int PRIMARY KEY, balance numeric(5, 2) NOT NULL CHECK (balance >= 0));
    INSERT INTO accounts VALUES (1, 10), (2, 20);
"""


def run(work: Work, *, timeout: float | None = 30) -> Outcome:
    def job(context: Context) -> object:
        with open_postgresql(context) as connection:
            return work(connection)

    return run_handler(job, timeout=timeout)


def query(text: str) -> Work:
    return lambda connection: connection.execute(text).fetchall()


def value_of(url: str, text: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(text).fetchone()
    return row and row[0]
