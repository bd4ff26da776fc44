"""Jobs that get less time for a run than their manifest says, as a test has little."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.examples.system import System


@contextmanager
def ending_after(system: System, timeout: str, *names: str) -> Iterator[None]:
    """These jobs have so long for a run while the block runs.

    Not below 8 s: the time begins before the container does, and a busy machine starts one slowly.
    """
    jobs = [system.job(name) for name in names]
    before = [job.get()["spec"]["timeout"] for job in jobs]
    for job in jobs:
        job.patch(timeout=timeout)
    for job in jobs:
        job.wait_ready()
    try:
        yield
    finally:
        for job, given in zip(jobs, before, strict=True):
            job.patch(timeout=given)
