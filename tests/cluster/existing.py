"""The `kubeconfig` provider: a cluster that somebody else made; it is used as it is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import binaries
from tests.cluster.commands import attempt
from tests.cluster.images import Image, ImageNames
from tests.cluster.progress import ClusterError

REPOSITORY = "SCHEDULEDJOB_TEST_IMAGES"
"""Where the images were pushed to: `HOST/PATH` of `HOST/PATH/operator:dev` and `HOST/PATH/job-runner:dev`."""


@dataclass(frozen=True)
class ExistingCluster:
    path: Path
    name: str = "kubeconfig"

    def why_not(self) -> str | None:
        return None if self.path.is_file() else f"{self.path} is no kubeconfig file"

    def up(self) -> Path:
        binaries.build_clients()
        binaries.link()
        if trouble := self.status():
            raise ClusterError(trouble)
        return self.path.absolute()

    def down(self) -> None:
        """Nothing: it is not ours."""

    def status(self) -> str | None:
        if reason := self.why_not():
            return reason
        access = (binaries.binary("kubectl"), f"--kubeconfig={self.path}", "--request-timeout=10s")
        done = attempt(*access, "get", "--raw=/readyz")
        said = done.stderr.strip()
        return None if done.returncode == 0 else f"the cluster of {self.path} does not answer: {said}"

    def load_images(self) -> ImageNames:
        repository = _repository("operator:dev and job-runner:dev")
        return ImageNames(
            f"{repository}/operator:dev", f"{repository}/job-runner:dev", "python:3.13-slim", key=repository
        )

    def load_image(self, image: Image) -> str:
        name = image.name.partition("/")[2]
        return f"{_repository(name)}/{name}"


def _repository(wanted: str) -> str:
    repository = os.environ.get(REPOSITORY, "").rstrip("/")
    if not repository:
        raise ClusterError(
            "this cluster pulls its images: build them from the Dockerfiles of this repository, "
            f"push them as {wanted}, and set {REPOSITORY}=HOST/PATH"
        )
    return repository
