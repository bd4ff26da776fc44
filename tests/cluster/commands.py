"""Other programs, run to their end."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.cluster.progress import ClusterError

SHOWN = 3000
"""Characters of a failed program's output that go into the message."""


def attempt(
    *command: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program without standard input; its output and exit code. `env` is added to the environment."""
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **env} if env else None,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


def run(*command: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """What the program printed; raises ClusterError with the end of its output when it fails."""
    done = attempt(*command, cwd=cwd, env=env)
    if done.returncode:
        named = " ".join(str(word) for word in command[:3])
        output = (done.stdout + done.stderr).strip()[-SHOWN:]
        raise ClusterError(f"`{named}` failed with exit code {done.returncode}:\n{output}")
    return done.stdout
