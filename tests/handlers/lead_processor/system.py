"""The lead processor on this machine: its handlers, and a database with its schema."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg

from tests.cluster.paths import CHECKOUT

SYSTEM = CHECKOUT / "examples/lead-processor"


def handler(name: str) -> Callable[..., Any]:
    """The function `name` of the handler file `name`.py."""
    module_name = f"lead_processor_{name}"
    if module_name not in sys.modules:
        spec = importlib.util.spec_from_file_location(module_name, SYSTEM / f"handlers/{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module
        sys.path.append(str(SYSTEM / "handlers"))
        try:
            spec.loader.exec_module(module)
        finally:
            sys.path.remove(str(SYSTEM / "handlers"))
    function: Callable[..., Any] = getattr(sys.modules[module_name], name)
    return function


@dataclass(frozen=True)
class Database:
    """The database of the leads, without any."""

    url: str

    @classmethod
    def create(cls, url: str) -> Database:
        database = cls(url)
        with psycopg.connect(url) as connection:
            connection.execute((SYSTEM / "schema.sql").read_text().encode())
        database.sql("TRUNCATE lead, lead_points, web_session CASCADE")
        return database

    def sql(self, query: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        """The rows of the answer, if the statement has any."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(query.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def add_lead(self, **columns: Any) -> int:
        """A lead that is new, unless the columns say otherwise; its number."""
        values = {"name": "Ada", "email": "ada@example.org", **columns}
        names, places = ", ".join(values), ", ".join(f"%({name})s" for name in values)
        ((number,),) = self.sql(f"INSERT INTO lead ({names}) VALUES ({places}) RETURNING id", values)
        return int(number)

    def count(self, table: str) -> int:
        return int(self.sql(f"SELECT count(*) FROM {table}")[0][0])
