"""A Debian with Python, made with debootstrap once per machine: the base of the images where no registry is reachable.

It stands in for `python:3.13-slim`: `python`, `python3`, `venv` and certificate authorities are there.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from tests.cluster import leftovers, versions
from tests.cluster.paths import cache
from tests.cluster.progress import ClusterError, step

NAME = f"scheduledjob.dev/base:{versions.DEBIAN_SUITE}"
PACKAGES = ("ca-certificates", "netbase", "python3", "python3-pip", "python3-venv", "tzdata")

# Nothing at run time reads these; without them the image is a third smaller.
_DISPENSABLE = (
    *("./usr/share/doc/*", "./usr/share/man/*", "./usr/share/locale/*", "./usr/share/info/*"),
    *("./var/cache/apt/*", "./var/lib/apt/lists/*", "./var/log/*", "./dev/*", "./proc/*", "./sys/*", "./tmp/*"),
)


def archive() -> Path:
    """The base's files as a tar archive; made when the cache has none for this suite and these packages."""
    key = hashlib.sha256(repr((versions.DEBIAN_SUITE, PACKAGES, _DISPENSABLE)).encode()).hexdigest()[:12]
    path = cache() / "images" / f"base-{versions.DEBIAN_SUITE}-{key}.tar"
    if not path.exists():
        with step(f"making the Debian {versions.DEBIAN_SUITE} base of the images (once per machine)"):
            _bootstrap(path)
    return path


def python_version() -> str:
    """The base's Python as `3.13.5`."""
    return archive().with_suffix(".python").read_text().strip()


def _bootstrap(path: Path) -> None:
    root = path.with_suffix(".root")
    leftovers.unmount([root])  # of a bootstrap that was killed
    if root.exists():
        shutil.rmtree(root)
    root.mkdir(parents=True)
    mirror = os.environ.get("DEBOOTSTRAP_MIRROR")
    include = f"--include={','.join(PACKAGES)}"
    _run("debootstrap", "--variant=minbase", include, versions.DEBIAN_SUITE, str(root), *([mirror] if mirror else []))
    leftovers.unmount([root])
    (root / "usr/local/bin/python").symlink_to("/usr/bin/python3")
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    (root / "etc/hostname").unlink(missing_ok=True)
    shown = _run("chroot", str(root), "python3", "-c", "import platform; print(platform.python_version())")
    path.with_suffix(".python").write_text(shown)
    unfinished = path.with_suffix(".tar.new")
    exclude = [f"--exclude={pattern}" for pattern in _DISPENSABLE]
    _run("tar", "--create", "--numeric-owner", *exclude, "--file", str(unfinished), "--directory", str(root), ".")
    shutil.rmtree(root)
    unfinished.replace(path)


def _run(*command: str) -> str:
    env = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ClusterError(f"`{command[0]}` failed:\n{(done.stdout + done.stderr)[-2000:]}")
    return done.stdout
