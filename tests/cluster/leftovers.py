"""What an earlier cluster may have left on this machine, and its removal: recorded pids and own paths first.

Nothing here needs the state folder to be whole: processes are also found by our paths in their command lines,
containers by their cgroup, mounts by their mount point, the network by the name of our bridge.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import subprocess
import time
from pathlib import Path

from tests.cluster import node
from tests.cluster.control_plane import PROGRAMS as CONTROL_PLANE_PROGRAMS
from tests.cluster.paths import RUN, STATE
from tests.cluster.processes import Processes, end, naming
from tests.cluster.progress import ClusterError

PROGRAMS = (
    *CONTROL_PLANE_PROGRAMS,
    *("kubelet", "kube-proxy", "containerd", "containerd-shim-runc-v2", "tests.cluster.dns"),
)
MNT_DETACH = 2
DISCARDED = ".discarded-"


def mounts_below(mountinfo: str, folders: list[Path]) -> list[Path]:
    """Mount points at or below the folders, the innermost and latest first.

    `mountinfo` is the text of /proc/self/mountinfo; in it the kernel writes space, tab, newline and
    backslash as octal escapes, see proc(5).
    """
    points = [_unescape(line.split()[4]) for line in mountinfo.splitlines() if line.strip()]
    ours = [point for point in points if any(point.is_relative_to(folder) for folder in folders)]
    return ours[::-1]


def _unescape(path: str) -> Path:
    return Path(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), path))


def unmount(folders: list[Path]) -> None:
    """Detach every mount at or below the folders, also those that something still uses."""
    libc = ctypes.CDLL(None, use_errno=True)
    for point in mounts_below(Path("/proc/self/mountinfo").read_text(), folders):
        if libc.umount2(os.fsencode(point), MNT_DETACH) != 0 and point.exists():
            raise ClusterError(f"{point} cannot be unmounted: {os.strerror(ctypes.get_errno())}")


def cgroup_mounts(mounts: str) -> list[Path]:
    """Every cgroup hierarchy: beside those of v1 there may be one of v2, and runc makes cgroups there too."""
    lines = [line.split() for line in mounts.splitlines()]
    return [Path(fields[1]) for fields in lines if fields[2] in {"cgroup", "cgroup2"}]


def cgroups() -> list[Path]:
    """The cgroups of our containers, the innermost first."""
    found: list[Path] = []
    for root in cgroup_mounts(Path("/proc/self/mounts").read_text()):
        top = root / node.CGROUP
        if top.exists():
            found += [Path(folder) for folder, _, _ in os.walk(top, topdown=False)]
    return found


def contained() -> list[int]:
    """Pids of every process in our containers."""
    pids: set[int] = set()
    for group in cgroups():
        with contextlib.suppress(OSError):
            pids |= {int(line) for line in (group / "cgroup.procs").read_text().split()}
    return sorted(pids)


def remove_cgroups(*, timeout: float = 10.0) -> None:
    """Remove the emptied cgroups; the kernel needs a moment after the last process."""
    deadline = time.monotonic() + timeout
    while remaining := cgroups():
        for group in remaining:
            with contextlib.suppress(OSError):
                group.rmdir()
        if time.monotonic() > deadline:
            raise ClusterError(f"cgroups are still in use: {', '.join(map(str, remaining))}")
        time.sleep(0.02)


def present() -> list[str]:
    """What there is to clean, in words; empty when the machine is clean."""
    found = [f"{len(pids)} processes" for pids in [naming([STATE, RUN], programs=PROGRAMS)] if pids]
    if pids := contained():
        found.append(f"{len(pids)} processes in containers")
    if points := mounts_below(Path("/proc/self/mountinfo").read_text(), [STATE, RUN]):
        found.append(f"{len(points)} mounts")
    found += [str(path) for path in (STATE, RUN, *_discarded()) if path.exists()]
    return found


def clean(*, wait: bool = True) -> None:
    """Remove everything of an earlier cluster. Safe to repeat, and after a kill in its middle.

    Deleting gigabytes of image layers takes seconds; without `wait` they are put aside and deleted meanwhile.
    """
    Processes(STATE).stop(timeout=1.0)
    managers = [name for name in PROGRAMS if name != "containerd-shim-runc-v2"]
    end(naming([STATE, RUN], programs=managers), timeout=1.0)  # first those that would start others again
    end(contained(), timeout=0.2)
    end(naming([STATE, RUN], programs=PROGRAMS), timeout=1.0)
    unmount([STATE, RUN])
    remove_cgroups()
    node.remove_network()
    for folder in (STATE, RUN):
        discard(folder)
    remove = ["rm", "-rf", "--one-file-system", *map(str, _discarded())]
    # what goes on in the background must not hold our output open: whoever reads it would wait
    null = subprocess.DEVNULL
    command = remove if wait else ["setsid", "--fork", *remove]
    subprocess.run(command, stdin=null, stdout=null, stderr=null, check=False)
    logs = Path("/var/log/containers")  # the kubelet's links for log collectors; they point into our folder
    for link in logs.glob("*.log") if logs.exists() else ():
        if link.is_symlink() and STATE in link.readlink().parents:
            link.unlink(missing_ok=True)


def discard(folder: Path) -> None:
    """Put a folder aside, to be deleted; refused while anything is mounted in it."""
    if mounts_below(Path("/proc/self/mountinfo").read_text(), [folder]):
        raise ClusterError(f"something is still mounted below {folder}")
    if folder.exists():
        folder.rename(folder.with_name(f"{folder.name}{DISCARDED}{time.time_ns()}"))


def _discarded() -> list[Path]:
    return [found for folder in (STATE, RUN) for found in folder.parent.glob(f"{folder.name}{DISCARDED}*")]
