"""Where things live: the checkout, the cache of binaries and images, and the state of the running cluster."""

from __future__ import annotations

import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
OUTPUT = CHECKOUT / ".cluster"
"""What people use: `kubeconfig` and `bin/` (kubectl, helm)."""

KUBECONFIG = OUTPUT / "kubeconfig"
GO_MODULES = Path(__file__).resolve().parent / "go"

STATE = Path("/var/lib/scheduledjob-testcluster")
"""Outside the checkout, so that a fresh clone finds the cluster of an earlier one, to use or to clean it."""

RUN = Path("/run") / STATE.name
"""Sockets and run-time state: socket paths are limited to 107 characters, so this one is short."""


def cache() -> Path:
    """Binaries, base images and wheels: built once per machine, keyed by version or content."""
    if chosen := os.environ.get("SCHEDULEDJOB_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "scheduledjob"
