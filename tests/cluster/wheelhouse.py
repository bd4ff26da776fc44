"""The wheels an image needs, fetched outside for the image's Python: the build itself needs no network."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import sys
import tomllib
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement

from tests.cluster.commands import run
from tests.cluster.paths import CHECKOUT, cache
from tests.cluster.progress import step

# glibc of the base (2.41 in trixie) and everything before: a wheel for an older one runs on it.
GLIBC_MINOR = 41


def platforms(machine: str) -> list[str]:
    """The wheel platform tags that fit the base, the newest first."""
    modern = [f"manylinux_2_{minor}_{machine}" for minor in range(GLIBC_MINOR, 4, -1)]
    return [*modern, *(f"manylinux{old}_{machine}" for old in ("2014", "2010", "1")), f"linux_{machine}"]


def applicable(lock: str, *, python: str) -> str:
    """The part of a universal lock (`name==version ; marker`, then hashes) for Linux and this Python.

    pip evaluates markers for the interpreter it runs in, not for the one it downloads for.
    """
    environment = {
        **{key: str(value) for key, value in default_environment().items()},
        "python_full_version": python,
        "python_version": ".".join(python.split(".")[:2]),
        "implementation_version": python,
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
    }
    kept: list[str] = []
    keep = False
    for line in lock.splitlines():
        if line and not line[0].isspace() and line[0] not in "#-":
            marker = Requirement(line.rstrip("\\ ")).marker
            keep = marker is None or marker.evaluate(environment)
            if keep:
                pinned = line.partition(";")[0].rstrip("\\ ")
                kept.append(f"{pinned} \\" if line.endswith("\\") else pinned)
        elif line.strip().startswith("--hash") and keep:
            kept.append(line)
    return "\n".join(kept) + "\n"


def build_requirements(pyproject: Path) -> list[str]:
    """What pip needs to build the project itself."""
    return list(tomllib.loads(pyproject.read_text())["build-system"]["requires"])


def key(lock: str, *, build: list[str], python: str) -> str:
    content = repr((lock, build, python, platform.machine()))
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def wheelhouse(lock_file: Path, *, pyproject: Path | None, python: str) -> Path:
    """A folder with every wheel of the lock and of a project's build; fetched when the cache has none."""
    lock = lock_file.read_text() if lock_file.exists() else ""
    build = build_requirements(pyproject) if pyproject else []
    folder = cache() / "wheels" / key(lock, build=build, python=python)
    if folder.exists():
        return folder
    for killed in folder.parent.glob(f"{folder.name}.new-*"):
        shutil.rmtree(killed, ignore_errors=True)
    unfinished = folder.with_suffix(f".new-{os.getpid()}")
    unfinished.mkdir(parents=True)
    with step(f"fetching the wheels of {lock_file.relative_to(CHECKOUT)} for Python {python}"):
        if wanted := applicable(lock, python=python).strip():
            requirements = unfinished / "requirements.txt"
            requirements.write_text(wanted + "\n")
            _download(unfinished, python, "--no-deps", "--requirement", str(requirements))
            requirements.unlink()
        if build:
            _download(unfinished, python, *build)
    unfinished.replace(folder)
    return folder


def _download(folder: Path, python: str, *what: str) -> None:
    tags = [word for tag in platforms(platform.machine()) for word in ("--platform", tag)]
    run(
        *(sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:", "--dest", folder),
        *("--implementation=cp", f"--python-version={'.'.join(python.split('.')[:2])}", *tags, *what),
    )
