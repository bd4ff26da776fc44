"""Tests that need a cluster are skipped with the reason where none can be had; in CI they fail."""

import os
import subprocess
import sys
from pathlib import Path

from tests.cluster.paths import CHECKOUT


def session(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the tests of the cluster on a machine without Docker, asking for kind."""
    quiet = {key: value for key, value in os.environ.items() if key not in {"CI", "KUBECONFIG"}}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "tests/e2e/test_cluster.py",
        "--provider=kind",
        "-p",
        "no:cacheprovider",
    ]
    return subprocess.run(
        command,
        cwd=CHECKOUT,
        env={**quiet, "PATH": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_a_cluster_its_tests_are_skipped_and_the_reason_names_what_is_missing(tmp_path: Path) -> None:
    done = session(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no cluster can be had here (kind: there is no docker)" in done.stdout
    assert "3 skipped" in done.stdout


def test_in_ci_a_missing_cluster_is_a_failure(tmp_path: Path) -> None:
    done = session(tmp_path, CI="true")
    assert done.returncode != 0
    assert "3 errors" in done.stdout
    assert "there is no docker" in done.stdout
