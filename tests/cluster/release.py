"""The operator on a cluster: its images and its chart, installed as a user installs them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.cluster.access import Cluster
from tests.cluster.images import ImageNames
from tests.cluster.paths import CHECKOUT
from tests.waiting import wait_until

RELEASE = "scheduledjob-operator"
NAMESPACE = "scheduledjob-system"
CHART = CHECKOUT / "charts" / RELEASE
CONTENT = "podAnnotations.scheduledjob\\.dev/content"
"""The digest of the images, among the pod's annotations: the tag stays, and a new image must restart it."""


def image_values(prefix: str, name: str) -> dict[str, str]:
    """`HOST/PATH/operator:dev` -> the chart's values `PREFIX.registry`, `.repository`, `.tag`."""
    path, _, tag = name.rpartition(":")
    registry, _, repository = path.partition("/")
    return {f"{prefix}.registry": registry, f"{prefix}.repository": repository, f"{prefix}.tag": tag}


@dataclass(frozen=True)
class Operator:
    """The installed operator. Tests that stop it start it again."""

    cluster: Cluster
    images: ImageNames
    namespace: str = NAMESPACE
    name: str = RELEASE

    def logs(self, *, lines: int = -1) -> str:
        """The log of the running operator; the last `lines` lines, or all."""
        where = (f"deployment/{self.name}", f"--namespace={self.namespace}", f"--tail={lines}")
        return self.cluster.kubectl("logs", *where).stdout

    def pods(self) -> list[str]:
        """Names of the operator's pods, also of those that are ending."""
        selector = f"--selector=app.kubernetes.io/instance={self.name}"
        found = self.cluster.items("pods", f"--namespace={self.namespace}", selector)
        return [pod["metadata"]["name"] for pod in found]

    def stop(self) -> None:
        """Scale to nothing and return when no pod is left."""
        self._scale(0)
        wait_until(lambda: not self.pods(), timeout=60, describe="the operator's pod is gone")

    def start(self) -> None:
        """Scale to one and return when it is available."""
        self._scale(1)
        self.wait_available()

    def _scale(self, replicas: int) -> None:
        where = (f"deployment/{self.name}", f"--namespace={self.namespace}")
        self.cluster.kubectl("scale", *where, f"--replicas={replicas}")

    def wait_available(self, *, timeout: int = 120) -> None:
        where = (f"deployment/{self.name}", f"--namespace={self.namespace}")
        done = self.cluster.kubectl("rollout", "status", *where, f"--timeout={timeout}s", check=False)
        if done.returncode:
            state = self.cluster.kubectl("describe", "pods", f"--namespace={self.namespace}").stdout
            log = self.cluster.kubectl("logs", *where, "--tail=50", check=False).stdout
            raise AssertionError(f"the operator does not become available: {done.stderr}\n{state}\n{log}")
        wait_until(lambda: len(self.pods()) == self._replicas(), timeout=60, describe="the old pod is gone")

    def _replicas(self) -> int:
        found = self.cluster.get("deployment", self.name, f"--namespace={self.namespace}")
        return int(found["spec"]["replicas"])


def forget_interrupted(cluster: Cluster) -> None:
    """A Helm that was killed leaves its revision as pending, and the next one would refuse to begin."""
    selector = (
        f"--selector=owner=helm,name={RELEASE},status in (pending-install,pending-upgrade,pending-rollback)"
    )
    cluster.kubectl("delete", "secrets", f"--namespace={NAMESPACE}", selector)


def install(cluster: Cluster, images: ImageNames, *, values: Mapping[str, str] | None = None) -> Operator:
    """Install or upgrade the chart with the given images and return when the operator is available."""
    chosen = {
        **image_values("image", images.operator),
        **image_values("runner.image", images.runner),
        CONTENT: images.key,
    }
    arguments = [f"--set-string={key}={value}" for key, value in chosen.items()]
    arguments += [f"--set={key}={value}" for key, value in (values or {}).items()]
    where = (f"--namespace={NAMESPACE}", "--create-namespace")
    forget_interrupted(cluster)
    # what somebody applied by hand on this cluster, such as the definition, becomes the chart's
    owner = ("--take-ownership", "--force-conflicts")
    cluster.helm("upgrade", RELEASE, str(CHART), "--install", *where, *owner, *arguments)
    operator = Operator(cluster, images)
    operator.wait_available()
    return operator
