"""What a test does with the lead processor on the cluster."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.examples.system import System

SLOT = "2026-09-01T03:30:00Z"


def run_all(
    system: System, names: Collection[str], *, args: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, dict[str, Any]]:
    """Runs of all these jobs at once, started by hand; their records by the name of the job."""
    given = args or {}
    with ThreadPoolExecutor(4) as pool:
        started = dict(
            zip(names, pool.map(lambda name: system.start(name, args=given.get(name)), names), strict=True)
        )
    return {name: system.wait(name, run) for name, run in started.items()}


def run_for_slot(system: System, name: str, *, slot: str = SLOT) -> dict[str, Any]:
    """The record of a run that was asked for as if it were that of the slot."""
    answer = system.job(name).ask("run", {"id": secrets.token_hex(3), "slot": slot})
    assert answer["outcome"] == "Accepted", answer
    return system.wait(name, answer["id"])


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


def leave_one_to_follow_up(system: System, name: str) -> None:
    system.sql(
        "INSERT INTO lead (name, email, status, contacted_at)"
        f" VALUES ('{name}', '{name.lower()}@example.org', 'contacted', now() - interval '4 days')"
    )
