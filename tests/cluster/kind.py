"""The `kind` provider: Kubernetes in Docker, where a Docker engine answers."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_kind.cluster import KindCluster

from tests.cluster import binaries, versions
from tests.cluster.commands import attempt, run
from tests.cluster.images import IMAGES, OPERATOR, RUNNER, Image, ImageNames, content_of
from tests.cluster.paths import CHECKOUT, OUTPUT
from tests.cluster.progress import say, step

NAME = "scheduledjob"
PYTHON = "python:3.13-slim"
LABEL = "dev.scheduledjob.content"


@dataclass(frozen=True)
class KindProvider:
    """The cluster of this machine's Docker engine; `output` is where its kubeconfig and the tools go."""

    output: Path = OUTPUT
    name: str = "kind"

    @property
    def kubeconfig(self) -> Path:
        return self.output / "kubeconfig"

    @property
    def loaded(self) -> Path:
        """The record of the images that the node was given."""
        return self.output / "kind-images.json"

    def why_not(self) -> str | None:
        if not shutil.which("docker"):
            return "there is no docker"
        done = attempt("docker", "version", "--format", "{{.Server.Version}}")
        return None if done.returncode == 0 else f"no Docker engine answers ({_last_line(done.stderr)})"

    def up(self) -> Path:
        binaries.build(binaries.KIND)
        binaries.build_clients()
        binaries.link(self.output / "bin")
        if self._exists():
            run(
                binaries.binary("kind"),
                "export",
                "kubeconfig",
                "--name",
                NAME,
                "--kubeconfig",
                str(self.kubeconfig),
            )
            if (trouble := self.status()) is None:
                say("the kind cluster is up")
                return self.kubeconfig
            with step(f"removing a broken kind cluster ({trouble})"):
                self.down()
        with step(f"making a kind cluster from {versions.KIND_NODE_IMAGE.partition('@')[0]}"):
            self.kubeconfig.unlink(missing_ok=True)
            self._cluster().create()
        return self.kubeconfig

    def down(self) -> None:
        if binaries.KIND.path.exists() and self._exists():
            self._cluster().delete()
        self.kubeconfig.unlink(missing_ok=True)
        self.loaded.unlink(missing_ok=True)

    def status(self) -> str | None:
        if not self.kubeconfig.exists():
            return "there is no kind cluster of this checkout"
        command = [binaries.binary("kubectl"), f"--kubeconfig={self.kubeconfig}", "--request-timeout=10s"]
        done = attempt(*command, "wait", "--for=condition=Ready", "nodes", "--all", "--timeout=60s")
        return None if done.returncode == 0 else _last_line(done.stderr)

    def load_images(self) -> ImageNames:
        keys = {image.name: self._build(image) for image in IMAGES}
        if attempt("docker", "image", "inspect", PYTHON).returncode:
            with step(f"pulling {PYTHON}"):
                run("docker", "pull", "--quiet", PYTHON)
        keys[PYTHON] = run("docker", "image", "inspect", "--format", "{{.Id}}", PYTHON).strip()
        self._give(keys)
        digest = hashlib.sha256(repr(sorted(keys.items())).encode()).hexdigest()[:12]
        return ImageNames(OPERATOR.name, RUNNER.name, PYTHON, key=digest)

    def load_image(self, image: Image) -> str:
        self._give({image.name: self._build(image)})
        return image.name

    def _give(self, keys: Mapping[str, str]) -> None:
        """Load the images, by name and key, that the node lacks."""
        node = run("docker", "inspect", "--format", "{{.Id}}", f"{NAME}-control-plane").strip()
        loaded = self._given(node)
        for name, key in keys.items():
            if loaded.get(name) != key:
                with step(f"loading {name} into the kind cluster"):
                    self._cluster().load_docker_image(name)
                loaded[name] = key
                self.loaded.write_text(json.dumps({"node": node, "images": loaded}))

    def _build(self, image: Image) -> str:
        """Build the image, and the one it is built on, if its sources changed; a digest of them."""
        below = [self._build(image.base)] if image.base else []
        key = content_of(image, extra=below)
        base = ("--build-arg", f"BASE={image.base.name}") if image.base else ()
        shown = attempt(
            "docker", "image", "inspect", "--format", f'{{{{index .Config.Labels "{LABEL}"}}}}', image.name
        )
        if shown.stdout.strip() != key:
            with step(f"building {image.name}"):
                file, label = str(CHECKOUT / image.dockerfile), f"{LABEL}={key}"
                run(
                    "docker",
                    "build",
                    "--quiet",
                    "--label",
                    label,
                    "--tag",
                    image.name,
                    "--file",
                    file,
                    *base,
                    str(CHECKOUT),
                )
        return key

    def _given(self, node: str) -> dict[str, str]:
        """What this node was given, by image name; nothing when it is another node than the recorded one."""
        try:
            record = json.loads(self.loaded.read_text())
        except (OSError, ValueError):
            return {}
        return dict(record["images"]) if record["node"] == node else {}

    def _exists(self) -> bool:
        return NAME in run(binaries.binary("kind"), "get", "clusters").split()

    def _cluster(self) -> KindCluster:
        self.output.mkdir(parents=True, exist_ok=True)
        with contextlib.chdir(
            self.output
        ):  # it makes a folder for downloads, which we do not need, where it is
            return KindCluster(
                NAME,
                kubeconfig=self.kubeconfig,
                image=versions.KIND_NODE_IMAGE,
                kind_path=binaries.KIND.path,
                kubectl_path=binaries.KUBECTL.path,
            )


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no output"])[-1]
