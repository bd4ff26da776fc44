"""The command line as a user has it: a program beside kubectl, with the user's own kubeconfig and rights."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.access import Cluster

PROGRAM = Path(sys.executable).with_name("kubectl-scheduledjob")
LONGEST = 120.0
"""Seconds until a verb that waits is taken for one that waits for ever."""


@dataclass
class Said:
    """What a verb has said when it was done."""

    code: int
    out: str
    err: str


def started(
    cluster: Cluster, namespace: str, *arguments: str, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """A verb in a namespace, which may go on beside the test."""
    return subprocess.Popen(
        [PROGRAM, *arguments, f"--namespace={namespace}"],
        env={**cluster.environment, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> Said:
    """Wait for the end of it."""
    try:
        out, err = process.communicate(timeout=LONGEST)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
    return Said(process.returncode, out, err)
