"""The test cluster itself: what every other test on it takes for granted."""

from __future__ import annotations

from typing import Any

from tests.cluster.access import Cluster
from tests.cluster.images import ImageNames
from tests.waiting import wait_until


def python_pod(
    name: str, image: str, program: str, *, labels: dict[str, str] | None = None
) -> dict[str, Any]:
    """A pod that restricted Pod Security admits, running a Python program once."""
    container = {
        "name": "program",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-u", "-c", program],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    security = {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {"restartPolicy": "Never", "securityContext": security, "containers": [container]},
    }


def finished(cluster: Cluster, namespace: str, name: str) -> str:
    """The log of a pod that has ended; its failure is the test's."""

    def ended() -> str:
        phase: str = cluster.get("pod", name, f"--namespace={namespace}")["status"]["phase"]
        return phase if phase in {"Succeeded", "Failed"} else ""

    phase = wait_until(ended, timeout=60, describe=f"pod {name} has ended")
    log = cluster.kubectl("logs", name, f"--namespace={namespace}").stdout
    assert phase == "Succeeded", log
    return log


def test_a_restricted_pod_reaches_the_api_server_by_address_and_by_name(
    cluster: Cluster, namespace: str, images: ImageNames
) -> None:
    program = """
import ssl, urllib.request
authority = ssl.create_default_context(cafile="/var/run/secrets/kubernetes.io/serviceaccount/ca.crt")
for host in ("10.96.0.1", "kubernetes.default.svc"):
    with urllib.request.urlopen(f"https://{host}:443/version", context=authority, timeout=10) as answer:
        print(host, answer.status)
"""
    cluster.apply(python_pod("caller", images.python, program), namespace=namespace)
    assert finished(cluster, namespace, "caller").split("\n")[:2] == [
        "10.96.0.1 200",
        "kubernetes.default.svc 200",
    ]


def test_pods_find_each_other_through_service_names(
    cluster: Cluster, namespace: str, images: ImageNames
) -> None:
    server = "import http.server as h; h.HTTPServer(('', 8080), h.SimpleHTTPRequestHandler).serve_forever()"
    cluster.apply(python_pod("server", images.python, server, labels={"app": "server"}), namespace=namespace)
    for name, more in {"web": {}, "headless": {"clusterIP": "None"}}.items():
        spec = {"selector": {"app": "server"}, "ports": [{"name": "http", "port": 8080}], **more}
        service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}
        cluster.apply(service, namespace=namespace)
    client = f"""
import socket, time, urllib.request
def patiently(call):
    for _ in range(100):
        try:
            return call()
        except OSError as error:
            last = error
            time.sleep(0.1)
    raise last
for host in ("web", "web.{namespace}", "headless.{namespace}.svc.cluster.local"):
    url = f"http://{{host}}:8080/etc/hostname"
    print(host, patiently(lambda: urllib.request.urlopen(url, timeout=2).read()).decode())
try:
    print(socket.gethostbyname("nobody.{namespace}.svc.cluster.local"))
except socket.gaierror:
    print("no such name")
"""
    cluster.apply(python_pod("client", images.python, client), namespace=namespace)
    log = finished(cluster, namespace, "client")
    assert log.count("server") == 3, log
    assert log.rstrip().endswith("no such name"), log


def test_a_pod_that_asks_for_privileges_is_refused(
    cluster: Cluster, namespace: str, images: ImageNames
) -> None:
    where = f"--namespace={namespace}"
    done = cluster.kubectl("run", "x", f"--image={images.python}", "--privileged", where, check=False)
    assert done.returncode != 0
    assert "restricted" in done.stderr
