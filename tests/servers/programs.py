"""Server programs of Debian's packages: found on this machine, or installed when we may."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.cluster import debian

POSTGRESQL_VERSIONS = Path("/usr/lib/postgresql")


def postgresql_program(name: str) -> Path:
    """`postgres`, `initdb` or `psql` of the newest version. Raises ClusterError naming the package."""
    if _postgresql_folder() is None:
        debian.install(["postgresql"])
    folder = _postgresql_folder()
    assert folder is not None, f"the package postgresql has put nothing into {POSTGRESQL_VERSIONS}"
    return folder / name


def redis_program() -> Path:
    """`redis-server`. Raises ClusterError naming the package."""
    if shutil.which("redis-server") is None:
        debian.install(["redis-server"])
    found = shutil.which("redis-server")
    assert found is not None, "the package redis-server has brought no redis-server"
    return Path(found)


def prometheus_program(name: str) -> Path:
    """`prometheus` or `promtool`. Raises ClusterError naming the package."""
    if shutil.which(name) is None:
        debian.install(["prometheus"])
    found = shutil.which(name)
    assert found is not None, f"the package prometheus has brought no {name}"
    return Path(found)


def _postgresql_folder() -> Path | None:
    folders = [path.parent for path in POSTGRESQL_VERSIONS.glob("*/bin/initdb")]
    return max(folders, key=lambda folder: float(folder.parent.name), default=None)
