"""The programs of the cluster, built from their Go modules once per machine and version."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import paths, versions
from tests.cluster.commands import attempt
from tests.cluster.progress import ClusterError, step

# From this version on `go` fetches a newer tool chain by itself when a module asks for one.
OLDEST_GO = (1, 21)

_K8S = versions.KUBERNETES
_K8S_FLAGS = " ".join(
    f"-X {package}.{name}={value}"
    for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    for name, value in {
        "gitVersion": f"v{_K8S}",
        "gitMajor": _K8S.split(".")[0],
        "gitMinor": _K8S.split(".")[1],
        "gitTreeState": "clean",
    }.items()
)


@dataclass(frozen=True)
class Tool:
    """One program: its version, the package it is built from and the folder of its module under `go/`."""

    name: str
    version: str
    module: str
    package: str
    flags: str = ""

    @property
    def path(self) -> Path:
        return paths.cache() / "bin" / f"{self.name}-{self.version}"


def _kubernetes(name: str) -> Tool:
    return Tool(name, _K8S, "kubernetes", f"k8s.io/kubernetes/cmd/{name}", _K8S_FLAGS)


CONTROL_PLANE = (
    Tool("etcd", versions.ETCD, "etcd", "go.etcd.io/etcd/server/v3"),
    _kubernetes("kube-apiserver"),
    _kubernetes("kube-controller-manager"),
    _kubernetes("kube-scheduler"),
)
NODE = (_kubernetes("kubelet"), _kubernetes("kube-proxy"))
KUBECTL = _kubernetes("kubectl")
HELM = Tool(
    "helm",
    versions.HELM,
    "helm",
    "helm.sh/helm/v4/cmd/helm",
    f"-X helm.sh/helm/v4/internal/version.version=v{versions.HELM}",
)
KIND = Tool("kind", versions.KIND, "kind", "sigs.k8s.io/kind")
TOOLS = {tool.name: tool for tool in (*CONTROL_PLANE, *NODE, KUBECTL, HELM, KIND)}


def binary(name: str) -> str:
    """The path of a program of the cluster, as a string for a command line."""
    return str(TOOLS[name].path)


def parse_go_version(text: str) -> tuple[int, int] | None:
    """`go version go1.26.8 linux/amd64` -> (1, 26)."""
    match = re.search(r"\bgo(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2])) if match else None


def check_go() -> None:
    """Raise, naming what to install, when there is no Go that can build the modules."""
    hint = "install Go from https://go.dev/dl/ (1.21 or newer; it fetches the exact version it needs)"
    go = shutil.which("go")
    if not go:
        raise ClusterError(f"the cluster's programs are built from Go modules, and there is no `go`: {hint}")
    shown = attempt(go, "version").stdout
    found = parse_go_version(shown)
    if not found or found < OLDEST_GO:
        raise ClusterError(f"{go} is too old ({shown.strip() or 'it does not run'}): {hint}")


def build(*tools: Tool) -> None:
    """Build the tools that the cache lacks. Killed in the middle, the next call goes on where it stopped."""
    missing = [tool for tool in tools if not tool.path.exists()]
    if missing:
        check_go()
    for tool in missing:
        with step(f"building {tool.name} {tool.version} (once per machine, minutes when Go's cache is cold)"):
            _build(tool)


def _build(tool: Tool) -> None:
    tool.path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = tool.path.with_name(f".{tool.path.name}.{os.getpid()}")
    done = attempt(
        *("go", "build", "-trimpath", "-mod=readonly", "-ldflags", f"-s -w {tool.flags}"),
        *("-o", unfinished, tool.package),
        cwd=paths.GO_MODULES / tool.module,
        env={"CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false", "GOTOOLCHAIN": "auto", "GOWORK": "off"},
    )
    if done.returncode:
        unfinished.unlink(missing_ok=True)
        raise ClusterError(f"`go build` of {tool.name} {tool.version} failed:\n{done.stderr[-3000:]}")
    unfinished.replace(tool.path)


def link(bin_folder: Path = paths.OUTPUT / "bin") -> None:
    """Give people `kubectl` and `helm` in one folder that they can put on their PATH."""
    bin_folder.mkdir(parents=True, exist_ok=True)
    for name, target in (("kubectl", KUBECTL.path), ("helm", helm())):
        shortcut = bin_folder / name
        if not (shortcut.is_symlink() and shortcut.readlink() == target):
            shortcut.unlink(missing_ok=True)
            shortcut.symlink_to(target)


def helm() -> Path:
    """Helm 4 that is installed will do; ours is built where there is none."""
    installed = shutil.which("helm", path=_path_without_ours())
    if installed and attempt(installed, "version", "--short").stdout.startswith("v4."):
        return Path(installed)
    return HELM.path


def _path_without_ours() -> str:
    folders = os.environ.get("PATH", "").split(os.pathsep)
    return os.pathsep.join(folder for folder in folders if Path(folder) != paths.OUTPUT / "bin")


def build_clients() -> None:
    """What a person or a test needs to talk to any cluster."""
    build(KUBECTL, *([HELM] if helm() == HELM.path else []))
