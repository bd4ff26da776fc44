"""The two programs that are compared, as real processes: the operator, and the Go controller in `peer`."""

from __future__ import annotations

import asyncio
import json
import os
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.bench.audit import Tail
from tests.bench.rig import OPERATOR, PEER, Rig, user
from tests.cluster.control_plane import free_port

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
WORKERS = 8
"""Requests at once, for both: the operator's default."""


@dataclass(frozen=True)
class Memory:
    """Memory of one process, in MB (10^6 bytes)."""

    pss: float
    """Resident, with pages that are shared with other processes counted in part."""
    rss: float
    peak: float


@dataclass
class Program:
    """A started program; its requests since the start are in `tail`."""

    rig: Rig
    name: str
    pid: int
    port: int
    tail: Tail

    async def stop(self) -> None:
        """SIGTERM, as Kubernetes would, and wait."""
        await asyncio.to_thread(self.rig.plane.processes.stop, self.name, timeout=30.0)

    def check(self) -> None:
        """Raise with the end of its log when it has died."""
        self.rig.plane.processes.check(self.name)

    @property
    def cpu(self) -> float:
        return cpu_seconds(self.pid)

    @property
    def memory(self) -> Memory:
        return memory(self.pid)

    async def until_ready(self, *, seconds: float = 300.0) -> None:
        """Return when /readyz is 200."""
        async with asyncio.timeout(seconds):
            while await asyncio.to_thread(self._page, "/readyz") is None:
                self.check()
                await asyncio.sleep(0.05)

    async def metrics(self, *names: str) -> tuple[float, ...]:
        """Samples of /metrics without labels; 0 where there is none yet."""
        page = await asyncio.to_thread(self._page, "/metrics")
        found = (re.search(rf"^{name} (\S+)$", page or "", re.MULTILINE) for name in names)
        return tuple(float(match[1]) if match else 0.0 for match in found)

    def _page(self, path: str) -> str | None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                text: str = answer.read().decode()
                return text
        except (OSError, urllib.error.HTTPError):
            return None


def start_operator(
    rig: Rig, *, python: Path, source: Path, settings: Mapping[str, str] | None = None
) -> Program:
    """Start the operator as it is started in its image. `source`: the folder with its package.

    `settings`: further ones, without the prefix that they have in common.
    """
    port = free_port()
    basic = {"HTTP_PORT": str(port), "CONNECTIONS": str(WORKERS), "LOG_LEVEL": "INFO"}
    env = {
        "KUBECONFIG": str(rig.kubeconfig(OPERATOR)),
        "PYTHONPATH": str(source),
        **{f"SCHEDULEDJOB_OPERATOR_{name}": value for name, value in {**basic, **(settings or {})}.items()},
    }
    argv = [str(python), "-m", "scheduledjob_operator"]
    return _started(rig, OPERATOR, argv, name="operator", env=env, port=port)


def start_peer(rig: Rig, *, executable: Path, template: dict[str, object]) -> Program:
    """Start the Go controller. `template`: a CronJob that the operator would apply, for it to fill in."""
    path = rig.folder / "template.json"
    path.write_text(json.dumps(template))
    flags = {"kubeconfig": rig.kubeconfig(PEER), "template": path, "workers": WORKERS}
    argv = [str(executable), *(f"-{name}={value}" for name, value in flags.items())]
    return _started(rig, PEER, argv, name="peer", env={}, port=0)


def _started(
    rig: Rig, account: str, argv: list[str], *, name: str, env: dict[str, str], port: int
) -> Program:
    tail = Tail(rig.audit, user=user(account))
    record = rig.plane.processes.start(name, argv, env=env)
    return Program(rig=rig, name=name, pid=record.pid, port=port, tail=tail)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and the children it has waited for; see proc(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / CLOCK_TICKS


def memory(pid: int) -> Memory:
    def megabytes(name: str, text: str) -> float:
        found = re.search(rf"^{name}:\s+(\d+) kB$", text, re.MULTILINE)
        return round(int(found[1]) * 1024 / 1e6, 1) if found else 0.0

    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return Memory(
        pss=megabytes("Pss", rollup),
        rss=megabytes("Rss", rollup),
        peak=megabytes("VmHWM", Path(f"/proc/{pid}/status").read_text()),
    )
