"""The Debian packages of the local provider: installed when we may, named when we may not."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tests.cluster.progress import ClusterError, step

CNI_PLUGINS = Path("/usr/lib/cni")

# What must be there, and the package that brings it.
NODE_PROGRAMS = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "nft": "nftables",
    "conntrack": "conntrack",
    "ip": "iproute2",
    "mount": "mount",
    "openssl": "openssl",
    "gcc": "gcc",
    "sysctl": "procps",
    str(CNI_PLUGINS / "ptp"): "containernetworking-plugins",
    "/usr/lib/x86_64-linux-gnu/libc.a": "libc6-dev",
}
IMAGE_PROGRAMS = {"buildah": "buildah", "debootstrap": "debootstrap"}


def missing(programs: dict[str, str]) -> list[str]:
    """The packages, sorted, whose program or file is not on this machine."""
    return sorted({package for program, package in programs.items() if not _exists(program)})


def _exists(program: str) -> bool:
    return Path(program).exists() if program.startswith("/") else shutil.which(program) is not None


def why_no_local_node(programs: dict[str, str] | None = None) -> str | None:
    """A sentence that says what stops a node from running on this machine; None when nothing does."""
    if os.geteuid() != 0:
        return "the local cluster runs containers on this machine and needs root"
    lacking = missing({**NODE_PROGRAMS, **IMAGE_PROGRAMS} if programs is None else programs)
    if lacking and not shutil.which("apt-get"):
        return f"the local cluster needs {', '.join(lacking)}, and there is no apt-get to install them with"
    return None


def install(packages: Iterable[str]) -> None:
    """Install packages with apt-get, without services being started, or raise with the command to run."""
    names = list(packages)
    if not names:
        return
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *names]
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise ClusterError(f"packages are missing; run: sudo {' '.join(command)}")
    with step(f"installing Debian packages {' '.join(names)}"):
        # Told that it is offline, systemctl starts nothing; without systemd it is policy-rc.d that says so.
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "SYSTEMD_OFFLINE": "1"}
        for attempt in (["apt-get", "update", "--quiet"], command):
            done = subprocess.run(
                attempt, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise ClusterError(f"`{' '.join(attempt)}` failed:\n{(done.stdout + done.stderr)[-2000:]}")
