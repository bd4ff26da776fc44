"""A system of examples/ is applied as a user would, but for its images and for what would disturb a test."""

from typing import Any

import yaml

from tests.cluster.images import SERVERS, of_system
from tests.cluster.paths import CHECKOUT
from tests.examples.system import rendered

MANIFESTS = f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: redis}}
spec: {{template: {{spec: {{containers: [{{name: redis, image: "{SERVERS.name}"}}]}}}}}}
---
---
apiVersion: scheduledjob.dev/v1alpha1
kind: ScheduledJob
metadata: {{name: sync}}
spec: {{every: 5m, handler: sync, image: somebody/else:1, priority: high, retry: {{limit: 3}}}}
"""


def specs(changes: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    bodies = rendered(MANIFESTS, images={SERVERS.name: "host/servers:dev"}, changes=changes)
    return [body["spec"] for body in bodies]


def test_nothing_fires_and_nothing_is_tried_again_while_a_test_looks() -> None:
    _, job = specs({})
    assert (job["enabled"], job["retry"], job["priority"]) == (False, {"limit": 0}, "high")


def test_a_test_may_want_it_otherwise() -> None:
    _, job = specs({"sync": {"enabled": True, "retry": {"limit": 1}, "priority": None}})
    assert (job["enabled"], job["retry"]) == (True, {"limit": 1})
    assert "priority" not in job


def test_images_are_those_of_the_cluster_and_others_stay() -> None:
    server, job = specs({})
    assert server["template"]["spec"]["containers"][0]["image"] == "host/servers:dev"
    assert job["image"] == "somebody/else:1"


def test_every_system_has_what_its_image_is_built_from() -> None:
    folders = [path.parent for path in (CHECKOUT / "examples").glob("*/kustomization.yaml")]
    assert folders
    for folder in folders:
        dockerfile = CHECKOUT / of_system(folder.name).dockerfile
        assert f"COPY examples/{folder.name}/handlers/ /handlers/" in dockerfile.read_text()
        kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
        assert all((folder / path).exists() for path in kustomization.get("components", []))
