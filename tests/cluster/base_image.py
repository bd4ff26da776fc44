"""A Debian with Python, made with debootstrap once per machine: the images' base where there is no registry.

It stands in for `python:3.13-slim`: `python`, `python3`, `venv` and certificate authorities are there.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from tests.cluster import leftovers, versions
from tests.cluster.commands import run
from tests.cluster.paths import cache
from tests.cluster.progress import step

NAME = f"scheduledjob.dev/base:{versions.DEBIAN_SUITE}"
PACKAGES = ("ca-certificates", "netbase", "python3", "python3-pip", "python3-venv", "tzdata")

LOCALE = {"LC_ALL": "C.UTF-8"}

# Nothing at run time reads these; without them the image is a third smaller.
_DISPENSABLE = (
    *("./usr/share/doc/*", "./usr/share/man/*", "./usr/share/locale/*", "./usr/share/info/*"),
    *("./var/cache/apt/*", "./var/lib/apt/lists/*", "./var/log/*"),
    *("./dev/*", "./proc/*", "./sys/*", "./tmp/*"),
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
    for killed in path.parent.glob(f"{path.stem}.root-*"):
        leftovers.unmount([killed])
        shutil.rmtree(killed, ignore_errors=True)
    root = path.with_suffix(
        f".root-{os.getpid()}"
    )  # debootstrap may have survived, and still writes to its own
    root.mkdir(parents=True)
    mirror = [os.environ["DEBOOTSTRAP_MIRROR"]] if "DEBOOTSTRAP_MIRROR" in os.environ else []
    include = f"--include={','.join(PACKAGES)}"
    run("debootstrap", "--variant=minbase", include, versions.DEBIAN_SUITE, root, *mirror, env=LOCALE)
    leftovers.unmount([root])
    (root / "usr/local/bin/python").symlink_to("/usr/bin/python3")
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    (root / "etc/hostname").unlink(missing_ok=True)
    shown = run(
        "chroot", root, "python3", "-c", "import platform; print(platform.python_version())", env=LOCALE
    )
    path.with_suffix(".python").write_text(shown)
    unfinished = path.with_suffix(".tar.new")
    exclude = [f"--exclude={pattern}" for pattern in _DISPENSABLE]
    run("tar", "--create", "--numeric-owner", *exclude, "--file", unfinished, "--directory", root, ".")
    shutil.rmtree(root)
    unfinished.replace(path)
