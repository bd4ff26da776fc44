"""What a test does with the lead processor on the cluster."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.examples.system import System

SLOT = "2026-09-01T03:30:00Z"
TABLES = ("lead", "lead_points", "landing_page", "sync_position", "web_session", "sent_mail", "metric")


def run_all(
    system: System, names: Collection[str], *, args: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, dict[str, Any]]:
    """Runs of all these jobs at once, started by hand; their records by the name of the job."""
    given = args or {}
    return _waited(system, names, lambda name: system.start(name, args=given.get(name)))


def run_all_for_slot(
    system: System, names: Collection[str], *, slot: str = SLOT
) -> dict[str, dict[str, Any]]:
    """The same, each as if it were the run of that slot."""

    def start(name: str) -> str:
        answer = system.job(name).ask("run", {"id": secrets.token_hex(3), "slot": slot})
        assert answer["outcome"] == "Accepted", answer
        return str(answer["id"])

    return _waited(system, names, start)


def _waited(system: System, names: Collection[str], start: Callable[[str], str]) -> dict[str, dict[str, Any]]:
    with ThreadPoolExecutor(4) as pool:
        started = dict(zip(names, pool.map(start, names), strict=True))
    return {name: system.wait(name, run) for name, run in started.items()}


def exit_codes(records: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    return {name: record["exitCode"] for name, record in records.items()}


def scores(system: System) -> dict[str, int]:
    return {
        name: int(score) for name, score in system.sql("SELECT name, score FROM lead WHERE crm_id IS NULL")
    }


def count(system: System, table: str) -> int:
    return int(system.sql(f"SELECT count(*) FROM {table}")[0][0])


def recipients(system: System) -> list[str]:
    return sorted(str(mail["To"]) for mail in system.mails())


def everything(system: System) -> list[list[str]]:
    """A digest of the rows of each table, to compare with a later one."""
    rows = "md5(coalesce(string_agg(one::text, '' ORDER BY one::text), ''))"
    return system.sql("; ".join(f"SELECT '{table}', {rows} FROM {table} AS one" for table in TABLES))
