"""The project's images, built from its Dockerfiles; rebuilt only when what goes into them has changed."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import base_image, versions
from tests.cluster.commands import run
from tests.cluster.paths import CHECKOUT, cache
from tests.cluster.progress import ClusterError, step
from tests.cluster.wheelhouse import wheelhouse

KEPT_ARCHIVES = 3
KEPT_BUILDS = 10


@dataclass(frozen=True)
class Image:
    """One image of the project: where its Dockerfile, lock and project file are, relative to the checkout."""

    name: str
    dockerfile: str
    lock: str | None = None
    pyproject: str | None = None
    base: Image | None = None
    """The image that it is built on; None is Python."""

    @property
    def slug(self) -> str:
        return self.name.rpartition("/")[2].partition(":")[0]


OPERATOR = Image(
    "scheduledjob.dev/operator:dev", "operator/Dockerfile", "requirements/operator.txt", "pyproject.toml"
)
RUNNER = Image(
    "scheduledjob.dev/job-runner:dev",
    "job_images/runner/Dockerfile",
    "job_images/runner/requirements.txt",
    "job_images/runner/pyproject.toml",
)
IMAGES = (OPERATOR, RUNNER)
SERVERS = Image(
    "scheduledjob.dev/examples/servers:dev",
    "examples/servers/Dockerfile",
    "examples/servers/requirements.txt",
)
"""The servers that the systems of examples/ work with."""


def of_system(system: str) -> Image:
    """The image of one of the systems in examples/: the runner with the system's handlers."""
    return Image(f"scheduledjob.dev/examples/{system}:dev", f"examples/{system}/Dockerfile", base=RUNNER)


PYTHON = base_image.NAME
"""An image with nothing but Python, for pods of the tests themselves."""


@dataclass(frozen=True)
class ImageNames:
    """The images as pods of the cluster name them, and a digest that changes when their content does."""

    operator: str
    runner: str
    python: str
    """An image with a `python` on its PATH, for the pods of tests."""
    key: str


def copied(dockerfile: str) -> list[str]:
    """The sources (paths or patterns) of every COPY and ADD from the build context, in order. Pure."""
    found: list[str] = []
    for line in dockerfile.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        other_stage = any(word.startswith("--from") for word in words)
        if len(words) > 2 and words[0].upper() in {"COPY", "ADD"} and not other_stage:
            found += [word for word in words[1:-1] if not word.startswith("--")]
    return found


def inputs(context: Path, dockerfile: str) -> list[Path]:
    """The Dockerfile (relative to the context) and every file it takes, sorted; without compiled Python."""
    found = {context / dockerfile}
    for pattern in copied((context / dockerfile).read_text()):
        for path in context.glob(pattern.strip("./") or "*"):
            found |= {path} if path.is_file() else {each for each in path.rglob("*") if each.is_file()}
    return sorted(path for path in found if "__pycache__" not in path.parts and path.suffix != ".pyc")


def content_key(files: Iterable[Path], *, context: Path, extra: Iterable[str] = ()) -> str:
    """A digest of the files' names, modes and content."""
    digest = hashlib.sha256()
    for path in files:
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        executable = bool(path.stat().st_mode & 0o100)
        digest.update(f"{path.relative_to(context)} {executable} {content}\n".encode())
    for text in extra:
        digest.update(f"{text}\n".encode())
    return digest.hexdigest()[:12]


def content_of(image: Image, *, extra: Iterable[str] = ()) -> str:
    """A digest of what its Dockerfile takes from the checkout."""
    if not (CHECKOUT / image.dockerfile).exists():
        raise ClusterError(f"there is no {image.dockerfile} to build {image.name} from")
    return content_key(inputs(CHECKOUT, image.dockerfile), context=CHECKOUT, extra=extra)


@dataclass(frozen=True)
class Built:
    """An image as an archive (`docker save` format), with the digest of what it was built from."""

    name: str
    key: str
    archive: Path


def build_with_buildah(image: Image) -> Built:
    """Build without a Docker engine, on the base made here and with wheels fetched outside of the build."""
    built = key_of(image)
    archive = _archive(image.slug, built)
    if not archive.exists():
        base = _base(image.base)
        with step(f"building {image.name}"):
            _build(image, base=base, built=built)
            if key_of(image) != built:
                return build_with_buildah(image)  # somebody edited the sources meanwhile
            _export(image.name, archive)
            _prune()
    return Built(image.name, built, archive)


def key_of(image: Image) -> str:
    """A digest of all that an image built by buildah is made from."""
    below = key_of(image.base) if image.base else base_image.archive().name
    return content_of(image, extra=(below, base_image.python_version()))


def _build(image: Image, *, base: str, built: str) -> None:
    wheels = []
    if image.lock:
        pyproject = CHECKOUT / image.pyproject if image.pyproject else None
        folder = wheelhouse(CHECKOUT / image.lock, pyproject=pyproject, python=base_image.python_version())
        wheels = ["--build-arg", "PIP_OPTIONS=--no-index --find-links=/wheelhouse"]
        wheels += ["--volume", f"{folder}:/wheelhouse:ro"]
    buildah(
        *("build", "--isolation", "chroot", "--layers", "--pull-never", *wheels),
        *("--tag", image.name, "--label", f"source={built}", "--build-arg", f"BASE={base}"),
        *("--file", image.dockerfile, str(CHECKOUT)),
    )


def base_with_buildah() -> Built:
    """The base itself, for pods that need nothing but Python."""
    built = base_image.archive().stem.rpartition("-")[2]
    archive = _archive(f"base-image-{versions.DEBIAN_SUITE}", built)
    if not archive.exists():
        _base()
        _export(base_image.NAME, archive)
    return Built(base_image.NAME, built, archive)


def _archive(slug: str, built: str) -> Path:
    return cache() / "images" / f"{slug}-{built}.docker.tar"


def _base(image: Image | None = None) -> str:
    """Make the image (None is Python) known to buildah under its name, and return that."""
    if image is not None:
        built = key_of(image)
        if not _known(image.name, f"source={built}"):
            _build(image, base=_base(image.base), built=built)
        return image.name
    files = base_image.archive()
    label = f"source={files.name}"
    if _known(base_image.NAME, label):
        return base_image.NAME
    with step("giving the base to buildah"):
        container = buildah("from", "scratch").strip()
        buildah("add", "--quiet", container, str(files), "/")
        buildah(*("config", "--label", label, "--env", "PATH=/usr/local/bin:/usr/bin:/bin", container))
        buildah("commit", "--quiet", "--rm", container, base_image.NAME)
    return base_image.NAME


def _known(name: str, label: str) -> bool:
    """Whether buildah has the image with exactly this label."""
    found = buildah("images", "--quiet", "--filter", f"label={label}", "--filter", f"reference={name}")
    return bool(found.strip())


def _export(name: str, archive: Path) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    unfinished = archive.with_name(f".{archive.name}")
    unfinished.unlink(missing_ok=True)
    buildah("push", "--quiet", name, f"docker-archive:{unfinished}:{name}")
    unfinished.replace(archive)
    slug = archive.name.rpartition("-")[0]
    older = sorted(
        archive.parent.glob(f"{slug}-????????????.docker.tar"), key=lambda path: -path.stat().st_mtime
    )
    for path in older[KEPT_ARCHIVES:]:
        path.unlink()


def _prune() -> None:
    """Forget builds of the past, and with them the layers that make the next one fast; so not every time."""
    if len(buildah("images", "--quiet", "--filter", "dangling=true").split()) > KEPT_BUILDS:
        buildah("rmi", "--prune", "--force")


def buildah(*arguments: str) -> str:
    """Run buildah on a storage of its own, so that nobody's images are touched."""
    storage = cache() / "buildah"
    storage.mkdir(parents=True, exist_ok=True)
    run_root = cache() / "buildah-run"
    return run(
        *("buildah", "--root", storage, "--runroot", run_root),
        *arguments,
        cwd=CHECKOUT,
        env={"STORAGE_DRIVER": _driver(), "BUILDAH_ISOLATION": "chroot"},
    )


def _driver() -> str:
    """overlay shares layers; it cannot lie on another overlay, as in a container without a volume."""
    shown = run("stat", "--file-system", "--format=%T", cache())
    return "vfs" if shown.strip() == "overlayfs" else "overlay"
