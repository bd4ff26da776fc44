"""A process whose clock on the wall is wrong: libfaketime of Debian, loaded before everything else."""

from __future__ import annotations

from tests.cluster import debian

LIBRARY = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"


def skewed(seconds: int) -> dict[str, str]:
    """The environment of such a process. Raises ClusterError where the library cannot be had."""
    debian.install(debian.missing({LIBRARY: "libfaketime"}))
    return {
        "LD_PRELOAD": LIBRARY,
        "FAKETIME": f"{seconds:+d}s",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
