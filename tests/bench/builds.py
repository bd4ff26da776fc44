"""What has to be there before anything is measured: the operator's environment, and the Go peer."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scheduledjob_operator import desired
from scheduledjob_operator.models import ScheduledJobSpec
from scheduledjob_operator.pod_template import Parent
from scheduledjob_operator.settings import Settings
from scheduledjob_operator.wanted import schedule_of
from tests.bench import load
from tests.cluster.binaries import check_go
from tests.cluster.paths import CHECKOUT, cache
from tests.cluster.progress import ClusterError, step

LOCK = CHECKOUT / "requirements" / "operator.txt"
PEER = Path(__file__).parent / "peer"


def python() -> Path:
    """A Python with exactly the operator's locked requirements.

    That is what is in its image. The developers' environment has more, and kopf imports some of it (pykube)
    when it is there: start-up time and memory would be those of no real installation.
    """
    key = hashlib.sha256(LOCK.read_bytes() + platform.python_version().encode()).hexdigest()[:12]
    folder = cache() / "bench" / f"operator-{key}"
    if not folder.exists():
        with step("installing the operator's locked requirements into an environment of their own"):
            unfinished = folder.with_name(f"{folder.name}.{os.getpid()}")
            _run([sys.executable, "-m", "venv", str(unfinished)])
            pip = [str(unfinished / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install"]
            _run([*pip, "--quiet", "--require-hashes", "--requirement", str(LOCK)])
            unfinished.replace(folder)
    return folder / "bin" / "python"


def peer() -> Path:
    """The Go controller, built once per source."""
    sources = sorted([*PEER.glob("*.go"), PEER / "go.mod", PEER / "go.sum"])
    key = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]
    executable = cache() / "bin" / f"bench-peer-{key}"
    if not executable.exists():
        check_go()
        with step("building the Go controller to compare with"):
            unfinished = executable.with_name(f".{executable.name}.{os.getpid()}")
            unfinished.parent.mkdir(parents=True, exist_ok=True)
            command = ["go", "build", "-trimpath", "-mod=readonly", "-ldflags", "-s -w"]
            environment = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "auto", "GOWORK": "off"}
            _run([*command, "-o", str(unfinished), "."], folder=PEER, environment=environment)
            unfinished.replace(executable)
    return executable


def template() -> dict[str, Any]:
    """The CronJob that the operator makes of the benchmark's ScheduledJobs; the peer applies the same."""
    body = load.manifest(load.places(1)[0], number=0, now=datetime.now(UTC))
    spec = ScheduledJobSpec.model_validate(body["spec"])
    return desired.cron_job(
        parent=Parent(namespace="default", name="template", uid=""),
        spec=spec,
        schedule=schedule_of(spec, spread=""),
        defaults=Settings().runner_defaults,
    )


def _run(
    command: list[str], *, folder: Path | None = None, environment: Mapping[str, str] | None = None
) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ClusterError(f"{' '.join(command)} failed:\n{done.stderr[-3000:]}")
