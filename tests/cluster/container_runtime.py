"""containerd for the node: its configuration, the pod network's, and the import of image archives."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import shutil
import subprocess
import tarfile
import time
from pathlib import Path

from tests.cluster.commands import attempt, run
from tests.cluster.debian import CNI_PLUGINS
from tests.cluster.paths import RUN, STATE, cache
from tests.cluster.processes import Processes
from tests.cluster.progress import ClusterError

SOCKET = RUN / "containerd.sock"
PAUSE = "scheduledjob.dev/pause:1"
PAUSE_SOURCE = Path(__file__).resolve().parent / "pause.c"

CONFIG = """\
version = 2
root = "{state}/containerd"
state = "{run}/containerd"
oom_score = 0
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.devmapper"]
[grpc]
  address = "{socket}"
[ttrpc]
  address = "{socket}.ttrpc"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true
  disable_tcp_service = true
  netns_mounts_under_state_dir = true
  max_concurrent_downloads = 1
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{state}/cni/net.d"
"""


def pod_network(pods: str) -> dict[str, object]:
    """The CNI configuration. Point-to-point links, not a bridge: packets between two pods are routed, so that
    answers through a Service's address find their way back without the br_netfilter module.
    """
    ipam = {
        "type": "host-local",
        "dataDir": str(STATE / "cni/leases"),
        "ranges": [[{"subnet": pods}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    link = {"type": "ptp", "ipMasq": False, "mtu": 1500, "ipam": ipam}
    return {"cniVersion": "0.4.0", "name": "scheduledjob-testcluster", "plugins": [link]}


def start(processes: Processes, *, pods: str) -> None:
    """Start containerd, wait for its socket and give it the pause image."""
    network = STATE / "cni/net.d/10-testcluster.conflist"
    network.parent.mkdir(parents=True, exist_ok=True)
    network.write_text(json.dumps(pod_network(pods), indent=1))
    RUN.mkdir(parents=True, exist_ok=True)
    config = STATE / "containerd.toml"
    config.write_text(CONFIG.format(state=STATE, run=RUN, socket=SOCKET, pause=PAUSE, plugins=CNI_PLUGINS))
    containerd = shutil.which("containerd") or "containerd"
    processes.start("containerd", [containerd, "--config", str(config), "--log-level", "warn"])
    deadline = time.monotonic() + 30
    while _ctr("version").returncode:
        processes.check("containerd")
        if time.monotonic() > deadline:
            raise ClusterError("containerd does not answer on its socket after 30 s")
        time.sleep(0.1)
    import_archive(pause_archive())


def _ctr(*arguments: str) -> subprocess.CompletedProcess[str]:
    return attempt("ctr", "--address", SOCKET, "--namespace", "k8s.io", *arguments)


def import_archive(archive: Path) -> None:
    """Give the node an image (docker-archive or OCI archive). No registry is involved."""
    done = _ctr("images", "import", str(archive))
    if done.returncode:
        raise ClusterError(f"containerd refused {archive}: {done.stderr.strip()}")


def image_names() -> set[str]:
    return set(_ctr("images", "list", "--quiet").stdout.split())


def pause_archive() -> Path:
    """An image of one static program, as an archive that `docker save` would write; made once per machine."""
    archive = cache() / "images" / "pause-1.tar"
    if archive.exists():
        return archive
    archive.parent.mkdir(parents=True, exist_ok=True)
    program = archive.with_suffix(".program")
    run("gcc", "-static", "-Os", "-s", "-o", program, PAUSE_SOURCE)
    archive.write_bytes(one_program_image(program.read_bytes(), path="pause", name=PAUSE))
    program.unlink()
    return archive


def one_program_image(content: bytes, *, path: str, name: str) -> bytes:
    """A `docker save` archive of an image whose only file is the program `path`, run as nobody (65535)."""
    layer = tar({path: (content, 0o755)})
    config = {
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": {"Entrypoint": [f"/{path}"], "User": "65535:65535"},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    return tar(
        {
            "config.json": (json.dumps(config).encode(), 0o644),
            "layer.tar": (layer, 0o644),
            "manifest.json": (json.dumps(manifest).encode(), 0o644),
        }
    )


def tar(files: dict[str, tuple[bytes, int]]) -> bytes:
    """A tar archive of the files (content, mode), the same bytes for the same files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, (content, mode) in files.items():
            info = tarfile.TarInfo(path)
            info.size, info.mode = len(content), mode
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()
