"""Where a cluster comes from: one small interface, three ways to have one, and the choice between them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from tests.cluster import existing, kind, local
from tests.cluster.images import Image, ImageNames
from tests.cluster.paths import OUTPUT
from tests.cluster.progress import ClusterError

CHOICE = "SCHEDULEDJOB_TEST_PROVIDER"
NAMES = ("kind", "local", "kubeconfig")
REMEMBERED = OUTPUT / "provider"


class Provider(Protocol):
    """A way to have a cluster. Every method may be called again, also after a kill in its middle."""

    @property
    def name(self) -> str: ...

    def why_not(self) -> str | None:
        """A sentence that says what this machine lacks for it; None when it lacks nothing."""

    def up(self) -> Path:
        """Make the cluster or find it healthy; the administrator's kubeconfig."""

    def down(self) -> None:
        """Remove the cluster and what it left; the cache stays."""

    def status(self) -> str | None:
        """Why the cluster cannot be used now; None when it can."""

    def load_images(self) -> ImageNames:
        """Build the images if their sources changed, and give them to the cluster if it lacks them."""

    def load_image(self, image: Image) -> str:
        """Build one more image if its sources changed, and give it to the cluster; its name there."""


def choose(
    *, name: str | None = None, kubeconfig: Path | None = None, environment: Mapping[str, str] = os.environ
) -> Provider:
    """The provider asked for, by argument or by environment; else the first that this machine can have.

    Raises ClusterError, with what each lacks, when there is none.
    """
    wanted = name or ("kubeconfig" if kubeconfig else environment.get(CHOICE))
    if wanted == "kubeconfig":
        path = kubeconfig or Path(environment.get("KUBECONFIG", ""))
        return existing.ExistingCluster(path)
    candidates: dict[str, Provider] = {"kind": kind.KindProvider(), "local": local.LocalProvider()}
    if wanted and wanted not in candidates:
        raise ClusterError(f"there is no provider {wanted!r}; the providers are {', '.join(NAMES)}")
    reasons: dict[str, str] = {}
    for candidate in [candidates[wanted]] if wanted else candidates.values():
        reason = candidate.why_not()
        if reason is None:
            return candidate
        reasons[candidate.name] = reason
    told = "; ".join(f"{provider}: {reason}" for provider, reason in reasons.items())
    raise ClusterError(f"no cluster can be had here ({told}); or set {CHOICE}=kubeconfig and KUBECONFIG")


def remember(provider: Provider) -> None:
    """So that `down` and `status` mean the cluster that `up` made."""
    OUTPUT.mkdir(exist_ok=True)
    REMEMBERED.write_text(provider.name)


def remembered() -> str | None:
    try:
        name = REMEMBERED.read_text().strip()
    except OSError:
        return None
    return name if name in {"kind", "local"} else None
