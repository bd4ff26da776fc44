"""A moment in the middle of a batch that lasts: its table is locked by somebody else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from tests.e2e.scheduled_job import ScheduledJob
from tests.examples.system import System
from tests.waiting import wait_until

LOOK_EVERY = 0.5
"""Seconds between two looks by kubectl, which keep a small machine busy."""
_HOLD = "SELECT pg_sleep(300) /* holds the lock */"


@contextmanager
def locked(system: System, table: str) -> Iterator[None]:
    """Nobody can write to the table while the block runs."""

    def hold() -> None:
        with suppress(AssertionError):  # it ends by being cut off
            system.sql(f"BEGIN; LOCK TABLE {table} IN EXCLUSIVE MODE; {_HOLD}")

    holder = threading.Thread(target=hold)
    holder.start()
    held = f"pg_locks WHERE relation = '{table}'::regclass AND mode = 'ExclusiveLock' AND granted"
    try:
        wait_until(lambda: _any(system, held), interval=LOOK_EVERY, describe=f"{table} is locked")
        yield
    finally:
        system.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND query LIKE '%holds the lock%'"
        )
        holder.join()


def cancelled_in_a_batch(
    system: System, name: str, *, table: str, args: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The record of a run that is cancelled while a statement of it waits for the lock on a table."""
    job = system.job(name)
    with locked(system, table):
        started = system.start(name, args=args)
        waiting = "pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        wait_until(
            lambda: _any(system, waiting),
            timeout=60,
            interval=LOOK_EVERY,
            describe=f"{name} waits for the lock",
        )
        active = wait_until(lambda: _active(job), timeout=60, describe=f"the run of {name} is in the status")
        assert job.ask("cancel", {"run": active["id"]})["outcome"] == "Accepted"
        wait_until(
            lambda: _told_to_end(job, active["jobName"]),
            timeout=60,
            interval=LOOK_EVERY,
            describe="its container is told to end",
        )
    return system.wait(name, started)


def _told_to_end(job: ScheduledJob, job_name: str) -> bool:
    """Whether the kubelet stops the container: on a busy node that is some time after the Pod was deleted."""
    killing = "--field-selector=involvedObject.kind=Pod,reason=Killing"
    events = job.cluster.items("events", f"--namespace={job.namespace}", killing)
    told = {event["involvedObject"]["name"] for event in events}
    return {pod["metadata"]["name"] for pod in job.pods(job_name)} <= told


def _any(system: System, source: str) -> bool:
    return system.sql(f"SELECT count(*) FROM {source}") != [["0"]]


def _active(job: ScheduledJob) -> dict[str, Any]:
    """The run that is under way; empty while the status does not have it."""
    (run,) = job.status.get("active") or [{}]
    found: dict[str, Any] = run
    return found
