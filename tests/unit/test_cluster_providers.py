"""The cluster comes from where it was asked for, else from what the machine has, or the reasons are told."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster import binaries, debian, network, providers
from tests.cluster.__main__ import parse
from tests.cluster.existing import ExistingCluster
from tests.cluster.images import SERVERS
from tests.cluster.kind import KindProvider
from tests.cluster.local import LocalProvider
from tests.cluster.progress import ClusterError

Programs = Callable[..., Path]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Make the PATH hold nothing but the given shell scripts (name=script)."""

    def only(**scripts: str) -> Path:
        for name, script in scripts.items():
            path = tmp_path / name.replace("_", "-")
            path.write_text(f"#!/bin/sh\n{script}\n")
            path.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        return tmp_path

    return only


def test_kind_is_taken_where_a_docker_engine_answers(programs: Programs) -> None:
    programs(docker="echo 29.0")
    assert providers.choose(environment={}).name == "kind"


def test_without_a_docker_engine_and_without_root_the_reasons_are_told(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs(docker="echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ClusterError) as told:
        providers.choose(environment={})
    assert "Cannot connect to the Docker daemon" in str(told.value)
    assert "needs root" in str(told.value)
    assert "SCHEDULEDJOB_TEST_PROVIDER=kubeconfig" in str(told.value)


def test_root_on_a_machine_without_apt_gets_the_names_of_what_is_missing(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    reason = LocalProvider().why_not()
    assert reason is not None
    assert "containerd" in reason
    assert "debootstrap" in reason


def test_the_environment_chooses_the_provider(programs: Programs) -> None:
    programs(docker="echo 29.0", apt_get="true")
    chosen = providers.choose(environment={providers.CHOICE: "kind"})
    assert isinstance(chosen, KindProvider)


def test_an_argument_wins_over_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "config"
    chosen = providers.choose(kubeconfig=file, environment={providers.CHOICE: "kind", "KUBECONFIG": "/other"})
    assert chosen.name == "kubeconfig"
    assert chosen.why_not() == f"{file} is no kubeconfig file"


def test_a_kubeconfig_in_the_environment_alone_does_not_hijack_somebodys_cluster(programs: Programs) -> None:
    programs(docker="echo 29.0")
    assert providers.choose(environment={"KUBECONFIG": "/home/somebody/production"}).name == "kind"


def test_an_unknown_provider_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ClusterError, match="kind, local, kubeconfig"):
        providers.choose(environment={providers.CHOICE: "minikube"})


def test_missing_packages_are_named_once_each(programs: Programs) -> None:
    programs(runc="true")
    wanted = {
        "containerd": "containerd",
        "ctr": "containerd",
        "runc": "runc",
        "/no/such/file": "some-package",
    }
    assert debian.missing(wanted) == ["containerd", "some-package"]


def test_who_may_not_install_packages_is_told_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ClusterError, match=r"sudo apt-get install .* containerd runc"):
        debian.install(["containerd", "runc"])


@pytest.mark.parametrize(
    ("shown", "version"),
    [
        ("go version go1.26.8 linux/amd64", (1, 26)),
        ("go version go1.19 linux/arm64", (1, 19)),
        ("go version devel go1.28-a1b2c3 linux/amd64", (1, 28)),
        ("command not found", None),
    ],
)
def test_the_version_of_go_is_read(shown: str, version: tuple[int, int] | None) -> None:
    assert binaries.parse_go_version(shown) == version


def test_a_machine_without_go_is_told_what_to_install(programs: Programs) -> None:
    programs()
    with pytest.raises(ClusterError, match=r"there is no `go`: install Go from https://go.dev/dl/"):
        binaries.check_go()


def test_a_go_too_old_to_fetch_a_newer_one_is_named(programs: Programs) -> None:
    programs(go="echo go version go1.19.8 linux/amd64")
    with pytest.raises(ClusterError, match=r"too old \(go version go1.19.8"):
        binaries.check_go()


def test_the_first_free_pair_of_networks_is_taken() -> None:
    assert network.choose(["192.0.2.0/24"]).node == "10.253.0.1"


@pytest.mark.parametrize("used", ["10.253.0.0/16", "10.244.1.7", "10.240.0.0/12"])
def test_networks_that_the_machine_uses_are_avoided(used: str) -> None:
    chosen = network.choose([used])
    assert (chosen.node, chosen.pods) == ("172.31.253.1", "172.31.240.0/22")


def test_a_machine_inside_the_service_network_is_refused_with_a_sentence() -> None:
    with pytest.raises(ClusterError, match=r"10\.96\.7\.0/24, which overlaps the Service network"):
        network.choose(["10.96.7.0/24"])


def test_the_default_route_and_ipv6_take_no_network() -> None:
    assert network.choose(["0.0.0.0/0", "fd00::/64"]).node == "10.253.0.1"


@pytest.mark.parametrize("action", ["up", "down", "status", "images", "kubeconfig"])
def test_every_action_of_the_command_takes_the_same_options(action: str) -> None:
    chosen = parse([action, "--kubeconfig", "some/file"])
    assert (chosen.action, chosen.kubeconfig) == (action, Path("some/file"))


def test_a_cluster_of_somebody_elses_finds_the_images_of_systems_where_they_were_pushed_to(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cluster = ExistingCluster(tmp_path / "kubeconfig")
    monkeypatch.delenv("SCHEDULEDJOB_TEST_IMAGES", raising=False)
    with pytest.raises(ClusterError, match="push them as examples/servers:dev, and set"):
        cluster.load_image(SERVERS)
    monkeypatch.setenv("SCHEDULEDJOB_TEST_IMAGES", "host:5000/team/")
    assert cluster.load_image(SERVERS) == "host:5000/team/examples/servers:dev"
    assert cluster.load_images().runner == "host:5000/team/job-runner:dev"
