"""The kind provider against a `docker` and a `kind` that only write down what they were asked."""

import json
from pathlib import Path

import pytest

from tests.cluster import binaries, versions
from tests.cluster.images import of_system
from tests.cluster.kind import KindProvider

KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:6443"}}],
    "users": [{"name": "u", "user": {"token": "t"}}],
    "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    "current-context": "c",
}
KIND = """
echo "kind $*" >> {log}
case "$1 $2" in
"get clusters") cat {made} 2>/dev/null || true ;;
"create cluster") echo scheduledjob > {made}; cp {template} {kubeconfig} ;;
"export kubeconfig") cp {template} {kubeconfig} ;;
"delete cluster") rm {made} ;;
esac
"""
DOCKER = """
echo "docker $*" >> {log}
case "$*" in
"build"*)
    name=$(echo "$*" | sed 's/.*--tag [^ ]*\\/\\([a-z-]*\\):dev.*/\\1/')
    echo "$*" | sed 's/.*--label [^ =]*=\\([^ ]*\\).*/\\1/' > {images}-$name ;;
"image inspect --format"*:dev) cat {images}-$(echo "$*" | sed 's/.*\\/\\([a-z-]*\\):dev$/\\1/') 2>/dev/null ;;
"image inspect"*) echo sha256:python ;;
"inspect"*) cat {made} ;;
esac
"""


class Machine:
    """A machine with fake programs; `asked` is what they were asked since the last look."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.provider = KindProvider(folder / "output")
        places = {
            "log": self.log,
            "made": folder / "made",
            "template": folder / "template",
            "images": folder / "image",
            "kubeconfig": self.provider.kubeconfig,
        }
        places["template"].write_text(json.dumps(KUBECONFIG))
        self.program(folder / "path/docker", DOCKER.format(**places))
        self.program(folder / "path/helm", "echo v4.3.1")
        self.program(binaries.KIND.path, KIND.format(**places))
        self.program(binaries.KUBECTL.path, f'echo "kubectl $*" >> {self.log}')

    @staticmethod
    def program(path: Path, script: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def asked(self, word: str) -> list[str]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line for line in lines if word in line]

    def forget(self) -> None:
        self.log.unlink(missing_ok=True)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setenv("SCHEDULEDJOB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path}/path:/usr/bin:/bin")
    return Machine(tmp_path)


def test_up_makes_the_cluster_with_the_pinned_node_image(machine: Machine) -> None:
    assert machine.provider.up() == machine.provider.kubeconfig
    [create] = machine.asked("create cluster")
    assert f"--image={versions.KIND_NODE_IMAGE}" in create
    assert f"--kubeconfig={machine.provider.kubeconfig}" in create


def test_a_second_up_uses_the_cluster_that_is_there(machine: Machine) -> None:
    machine.provider.up()
    machine.forget()
    machine.provider.up()
    assert machine.asked("create cluster") == []
    assert machine.asked("wait --for=condition=Ready")


def test_another_checkout_finds_the_cluster_and_gets_its_own_kubeconfig(machine: Machine) -> None:
    machine.provider.up()
    machine.provider.kubeconfig.unlink()
    machine.provider.up()
    assert machine.provider.kubeconfig.exists()
    assert len(machine.asked("create cluster")) == 1


def test_a_cluster_whose_node_is_not_ready_is_made_anew(machine: Machine) -> None:
    machine.provider.up()
    machine.program(binaries.KUBECTL.path, "echo timed out waiting for the condition >&2; exit 1")
    machine.provider.up()
    assert machine.asked("delete cluster")
    assert len(machine.asked("create cluster")) == 2


def test_images_are_built_and_loaded_once_for_the_same_sources(machine: Machine) -> None:
    machine.provider.up()
    first = machine.provider.load_images()
    assert len(machine.asked("docker build")) == 2
    assert len(machine.asked("load docker-image")) == 3
    machine.forget()
    assert machine.provider.load_images() == first
    assert machine.asked("docker build") == []
    assert machine.asked("load docker-image") == []


def test_a_new_cluster_is_given_the_images_again(machine: Machine) -> None:
    machine.provider.up()
    machine.provider.load_images()
    machine.provider.down()
    machine.forget()
    machine.provider.up()
    machine.provider.load_images()
    assert machine.asked("docker build") == []
    assert len(machine.asked("load docker-image")) == 3


def test_the_image_of_a_system_is_built_on_the_runner_and_loaded_once(machine: Machine) -> None:
    machine.provider.up()
    system = of_system("market-data-caches")
    assert machine.provider.load_image(system) == "scheduledjob.dev/examples/market-data-caches:dev"
    runner, built = machine.asked("docker build")
    assert "BASE=" not in runner
    assert "--build-arg BASE=scheduledjob.dev/job-runner:dev" in built
    [loaded] = machine.asked("load docker-image")
    assert system.name in loaded
    machine.forget()
    machine.provider.load_image(system)
    assert machine.asked("docker build") == machine.asked("load docker-image") == []


def test_down_without_a_cluster_is_no_error(machine: Machine) -> None:
    machine.provider.down()
    assert machine.asked("delete cluster") == []


def test_down_removes_the_cluster_and_its_kubeconfig(machine: Machine) -> None:
    machine.provider.up()
    machine.provider.down()
    assert machine.asked("delete cluster")
    assert not machine.provider.kubeconfig.exists()
