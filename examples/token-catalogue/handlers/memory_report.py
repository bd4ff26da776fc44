"""The hourly look at the memory.

The old job forced a garbage collection first. Here each run is a process of its own: when it ends, all it had
is free again, and the peak stands in its record.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from job_runner import Context, DataError, job_handler
from job_runner.connections.http_client import open_http

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")
_FILES = (
    ("memory.current", "memory.max"),
    ("memory/memory.usage_in_bytes", "memory/memory.limit_in_bytes"),
)
"""Where a container finds what it uses and may use, with version 2 of control groups and with version 1."""
_NO_LIMIT = 1 << 60
"""Version 1 has no word for it, but a number that no machine has."""
_UNITS = {
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "m": 1e-3,
}


@job_handler("memory_report")
def memory_report(context: Context) -> dict[str, Any]:
    """Reports the memory of the node, of this container, and what the namespace's Pods have set aside."""
    report = {"node": node_memory(), "container": container_memory(), "namespace": None}
    if (_ACCOUNT / "token").exists():
        report["namespace"] = memory_of_pods(_pods(context))
    context.logger.info("memory", extra=report)
    return report


def node_memory() -> dict[str, int]:
    """In bytes, of the machine below: /proc/meminfo is the same in every container."""
    lines = (line.split() for line in _text(_MEMINFO).splitlines())
    kibibytes = {words[0].rstrip(":"): int(words[1]) for words in lines}
    return {
        "totalBytes": kibibytes["MemTotal"] * 1024,
        "availableBytes": kibibytes["MemAvailable"] * 1024,
    }


def container_memory() -> dict[str, int | None]:
    """In bytes; None for what is not limited or not known."""
    for used, limit in _FILES:
        if (_CGROUP / used).exists():
            most = _text(_CGROUP / limit)
            limited = most != "max" and int(most) < _NO_LIMIT
            return {"usedBytes": int(_text(_CGROUP / used)), "limitBytes": int(most) if limited else None}
    return {"usedBytes": None, "limitBytes": None}


def memory_of_pods(pods: Iterable[dict[str, Any]]) -> dict[str, int]:
    """What the Pods that have not ended request, and what they are limited to where they are, in bytes."""
    alive = [pod for pod in pods if pod["status"].get("phase") in ("Pending", "Running")]
    resources = [one.get("resources", {}) for pod in alive for one in pod["spec"]["containers"]]
    return {
        "pods": len(alive),
        "requestedBytes": sum(quantity(one.get("requests", {}).get("memory", "0")) for one in resources),
        "limitBytes": sum(quantity(one.get("limits", {}).get("memory", "0")) for one in resources),
    }


def quantity(text: str) -> int:
    """Bytes of a quantity as Kubernetes writes them: 64Mi, 1G, 1e6, 5000."""
    unit = next((unit for unit in _UNITS if text.endswith(unit)), "")
    try:
        return int(float(text.removesuffix(unit)) * _UNITS.get(unit, 1))
    except ValueError:
        raise DataError(f"{text!r} is not a quantity of memory") from None


def _pods(context: Context) -> list[dict[str, Any]]:
    """The Pods of this namespace, asked for as the run's ServiceAccount, which may list them."""
    token, namespace = _text(_ACCOUNT / "token"), _text(_ACCOUNT / "namespace")
    headers = {"Authorization": f"Bearer {token}"}
    with open_http(context, base_url="https://kubernetes.default.svc", headers=headers) as api:
        pods: list[dict[str, Any]] = []
        query = {"limit": "200"}
        while True:
            page = api.get_json(f"/api/v1/namespaces/{namespace}/pods", params=query)
            pods += page["items"]
            if not page["metadata"].get("continue"):
                return pods
            query["continue"] = page["metadata"]["continue"]


def _text(path: Path) -> str:
    return path.read_text(encoding="ascii").strip()
