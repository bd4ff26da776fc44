"""Locks between the commands and test sessions of one machine. The kernel frees those of a killed process."""

from __future__ import annotations

import fcntl
import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster.progress import say

FOLDER = Path("/run/lock") if Path("/run/lock").is_dir() else Path(tempfile.gettempdir())
CHANGING = FOLDER / "scheduledjob-testcluster.lock"
USING = FOLDER / "scheduledjob-testcluster.users"
OPERATOR = FOLDER / f"scheduledjob-testcluster-{os.getuid()}.operator"

# Held open for as long as this process lives.
_used: list[io.TextIOWrapper] = []


@contextmanager
def alone() -> Iterator[None]:
    """One command at a time changes the cluster of this machine."""
    with _exclusive(CHANGING, busy="another command is changing the cluster"):
        yield


@contextmanager
def alone_with_the_operator() -> Iterator[None]:
    """One test session at a time: there is one operator on a cluster, and sessions stop and upgrade it."""
    with _exclusive(OPERATOR, busy="another test session uses the operator"):
        yield


@contextmanager
def _exclusive(path: Path, *, busy: str) -> Iterator[None]:
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"{busy}; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def use() -> None:
    """From now on, until this process ends, the cluster counts as in use."""
    if not _used:
        lock = USING.open("w")
        fcntl.flock(lock, fcntl.LOCK_SH)
        _used.append(lock)


def others_use_it() -> bool:
    """Whether another process uses the cluster now."""
    if _used:
        fcntl.flock(_used[0], fcntl.LOCK_UN)
    try:
        with USING.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        if _used:
            fcntl.flock(_used[0], fcntl.LOCK_SH)
    return False
