"""The `local` provider: one node on this machine, where no Docker engine is."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict
from pathlib import Path

from tests.cluster import binaries, container_runtime, debian, kubeconfig, leftovers, network, node
from tests.cluster.control_plane import ControlPlane
from tests.cluster.images import (
    IMAGES,
    OPERATOR,
    PYTHON,
    RUNNER,
    Built,
    Image,
    ImageNames,
    base_with_buildah,
    build_with_buildah,
    key_of,
)
from tests.cluster.locks import alone, others_use_it, use
from tests.cluster.network import Addresses
from tests.cluster.paths import GO_MODULES, KUBECONFIG, STATE
from tests.cluster.processes import Processes, boot_id
from tests.cluster.progress import ClusterError, say, step

DESCRIPTION = STATE / "cluster.json"
GIVEN = STATE / "images.json"
PROCESSES = (
    *("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"),
    *("containerd", "kubelet", "kube-proxy", "dns"),
)
PORT = 6443

# What the cluster is made from. Another checkout with the same files may use the running cluster as it is.
_RECIPE = ("versions", "certificates", "control_plane", "container_runtime", "network", "node", "dns")
_ANOTHER_RECIPE = "it was made by another version of this recipe"

CONTROLLER_MANAGER = (
    # at the default 20 requests a second, the namespaces of a test session take minutes to go
    *("--kube-api-qps=100", "--kube-api-burst=200", "--concurrent-cron-job-syncs=20"),
    *("--concurrent-namespace-syncs=20", "--concurrent-gc-syncs=40"),
)


def fingerprint() -> str:
    """A digest of everything the running cluster was made from."""
    digest = hashlib.sha256()
    for name in _RECIPE:
        digest.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    for module in ("kubernetes", "etcd"):
        digest.update((GO_MODULES / module / "go.mod").read_bytes())
    digest.update(repr(CONTROLLER_MANAGER).encode())
    return digest.hexdigest()[:16]


def control_plane(address: str) -> ControlPlane:
    return ControlPlane(
        folder=STATE,
        address=address,
        port=PORT,
        node=node.NAME,
        controller_manager_flags=CONTROLLER_MANAGER,
        scheduler_flags=(),
    )


class LocalProvider:
    name = "local"

    def why_not(self) -> str | None:
        return debian.why_no_local_node()

    def up(self) -> Path:
        """Make the cluster, or find it healthy; a cluster that is not is made anew."""
        with alone():
            found = self.trouble()
            if found is None:
                say("the local cluster is up")
            elif found == _ANOTHER_RECIPE and others_use_it():
                say(f"the local cluster is up; {found}, but somebody uses it now, so it stays")
            else:
                say(f"making the local cluster ({found})")
                self._create()
            self._hand_out()
            use()
        return KUBECONFIG

    def trouble(self) -> str | None:
        """Why the cluster that is there cannot be used; None when it is healthy."""
        try:
            described = json.loads(DESCRIPTION.read_text())
        except (OSError, ValueError):
            return "there are left-overs of an earlier one" if leftovers.present() else "there is none"
        running = {record.name for record in Processes(STATE).running()}
        if lacking := [name for name in PROCESSES if name not in running]:
            return f"{', '.join(lacking)} of it does not run"
        try:
            node.wait_ready(control_plane(described["node"]), timeout=3.0)
        except (ClusterError, OSError) as error:
            return f"it does not answer: {error}"
        return None if described["fingerprint"] == fingerprint() else _ANOTHER_RECIPE

    def _create(self) -> None:
        debian.install(debian.missing({**debian.NODE_PROGRAMS, **debian.IMAGE_PROGRAMS}))
        binaries.build(*binaries.CONTROL_PLANE, *binaries.NODE)
        binaries.build_clients()
        if found := leftovers.present():
            say(f"there is something of an earlier cluster: {', '.join(found)}")
            with step("removing it"):
                leftovers.clean(wait=False)
        STATE.mkdir(parents=True, mode=0o700)
        addresses = network.choose(network.in_use())
        began = time.monotonic()
        with step(f"starting etcd and Kubernetes {binaries.KUBECTL.version} on {addresses.node}:{PORT}"):
            network.create(addresses)
            plane = control_plane(addresses.node)
            plane.start()
        with step("starting containerd, kubelet and kube-proxy"):
            node.start(Processes(STATE), plane, addresses)
            node.wait_ready(plane)
        _describe(addresses, seconds=time.monotonic() - began)

    def _hand_out(self) -> None:
        described = json.loads(DESCRIPTION.read_text())
        plane = control_plane(described["node"])
        kubeconfig.write(KUBECONFIG, server=plane.server, pki=plane.pki, user="admin")
        binaries.build_clients()
        binaries.link()

    def down(self) -> None:
        """Remove every trace of the cluster. The cache of binaries and images stays."""
        with alone():
            if found := leftovers.present():
                say(f"there is something of a cluster: {', '.join(found)}")
                with step("removing it"):
                    leftovers.clean()
            node.remove_network()
            KUBECONFIG.unlink(missing_ok=True)

    def status(self) -> str | None:
        return self.trouble()

    def load_images(self) -> ImageNames:
        """Give the node what it lacks of: the project's images, and plain Python."""
        with alone():
            given = _given()
            built = [base_with_buildah(), *map(build_with_buildah, IMAGES)]
            for each in built:
                if given.get(each.name) != each.key:
                    _give(each)
        keys = sorted((each.name, each.key) for each in built)
        digest = hashlib.sha256(repr(keys).encode()).hexdigest()[:12]
        return ImageNames(OPERATOR.name, RUNNER.name, PYTHON, key=digest)

    def load_image(self, image: Image) -> str:
        with alone():
            if _given().get(image.name) != key_of(image):
                built = build_with_buildah(image)
                _give(built)
                # its layers are kept by buildah: the archive is made again in a second for the next node
                built.archive.unlink()
        return image.name


def _give(built: Built) -> None:
    with step(f"giving the node {built.name}"):
        container_runtime.import_archive(built.archive)
    GIVEN.write_text(json.dumps({**_given(), built.name: built.key}))


def _given() -> dict[str, str]:
    """The digests of the images that the node has, by name."""
    try:
        return dict(json.loads(GIVEN.read_text()))
    except (OSError, ValueError):
        return {}


def _describe(addresses: Addresses, *, seconds: float) -> None:
    """Written last: a cluster without this file was never finished."""
    content = {
        "fingerprint": fingerprint(),
        "kubernetes": binaries.KUBECTL.version,
        "boot": boot_id(),
        "seconds": round(seconds, 1),
        **asdict(addresses),
    }
    unfinished = DESCRIPTION.with_suffix(".new")
    unfinished.write_text(json.dumps(content, indent=1))
    unfinished.replace(DESCRIPTION)
