"""Jobs that get less time for a run than their manifest says, as a test has little."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tests.e2e.scheduled_job import seconds_between
from tests.examples.system import System

BY_ITSELF, BY_THE_KUBELET = 124, 143
LATE = 4.0
"""When a container starts so many seconds after its Pod, the kubelet may be the first to end the run: it does
so 5 s after the run's own time limit, but counts from the start of the Pod."""


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


def check_timed_out(system: System, records: Mapping[str, Mapping[str, Any]]) -> None:
    """Each of the runs, by the names of their jobs, has ended at its time limit: by itself, if it could."""
    for name, record in records.items():
        assert record["result"] == "TimedOut", (name, record)
        if record["exitCode"] == BY_ITSELF:
            continue
        (pod,) = system.job(name).pods(record["jobName"])
        delay = seconds_between(pod["status"]["startTime"], record["startTime"])
        assert (record["exitCode"], delay >= LATE) == (BY_THE_KUBELET, True), (name, record)
