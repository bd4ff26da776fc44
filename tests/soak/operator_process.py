"""The operator as a process that is killed, and started again each time."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.cluster.control_plane import free_port
from tests.cluster.paths import CHECKOUT
from tests.cluster.processes import Processes, start_ticks

NAME = "operator"


def copy_source(folder: Path) -> None:
    """Copy the operator's source, which may be edited meanwhile."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(CHECKOUT / "operator", folder / "operator", dirs_exist_ok=True, ignore=ignored)


class OperatorProcess:
    """One operator at a time. `away`: seconds until the next one starts, one of these at random.

    `name`: of its log; `env`: its settings beside the usual ones.
    """

    def __init__(
        self,
        *,
        processes: Processes,
        folder: Path,
        seed: int,
        away: Sequence[float] = (0.0, 0.0, 0.5, 4.0),
        name: str = NAME,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self._env = dict(env or {})
        self._processes = processes
        self._kubeconfig = folder / f"{name}.kubeconfig"
        self._source = folder / "operator"
        self._away = away
        self._random = random.Random(seed)
        self._lock = asyncio.Lock()
        self._returning: asyncio.Task[None] | None = None
        self._port = free_port()
        self._pid: int | None = None
        self.deaths: list[str] = []
        """What was killed, in order; what was not killed by us is not in it, and is an error."""

    def prepare(self, *, port: int) -> None:
        """Tell it the way to the API server. `port`: of plain HTTP."""
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "soak", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
            "users": [{"name": "soak", "user": {"token": "none"}}],
            "contexts": [{"name": "soak", "context": {"cluster": "soak", "user": "soak"}}],
            "current-context": "soak",
        }
        self._kubeconfig.write_text(json.dumps(document))

    def start(self) -> None:
        env = {
            "KUBECONFIG": str(self._kubeconfig),
            "PYTHONPATH": str(self._source),
            "SCHEDULEDJOB_OPERATOR_HTTP_PORT": str(self._port),
            "SCHEDULEDJOB_OPERATOR_LOG_FORMAT": "text",
            **self._env,
        }
        argv = [sys.executable, "-m", "scheduledjob_operator"]
        self._pid = self._processes.start(self.name, argv, env=env, dies_with_us=True).pid

    @property
    def log(self) -> Path:
        return self._processes.log(self.name)

    async def kill(self, what: str) -> None:
        """SIGKILL, and return when it is dead; it comes back by itself. Twice at once is once."""
        async with self._lock:
            if self._returning is not None and not self._returning.done():
                return
            await self.end()
            self.deaths.append(what)
            self._note(f"killed: {what}")
            self._returning = asyncio.create_task(self._return(self._random.choice(self._away)))

    async def stay_away(self, seconds: float) -> None:
        """Kill it, and start it again after so long."""
        async with self._lock:
            await self._back()
            await self.end()
            self._note(f"killed, for {seconds:.0f} s")
            self._returning = asyncio.create_task(self._return(seconds))
        await self._returning

    async def until_ready(self, *, seconds: float = 60.0) -> None:
        """Return when it is there, and its /readyz is 200."""
        async with asyncio.timeout(seconds):
            await self._back()
            while not await asyncio.to_thread(self._is_ready):
                self._processes.check(self.name)
                await asyncio.sleep(0.1)

    async def stop(self) -> None:
        if self._returning is not None:
            self._returning.cancel()
            await asyncio.gather(self._returning, return_exceptions=True)
        await self.end()

    async def _back(self) -> None:
        if self._returning is not None:
            await self._returning

    async def _return(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.start()

    @property
    def runs(self) -> bool:
        """Whether it was started, and not ended since."""
        return self._pid is not None

    async def end(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send it a signal, and return when it is dead. It does not come back by itself."""
        pid, self._pid = self._pid, None
        if pid is None:
            return
        if start_ticks(pid) is None:
            raise RuntimeError(f"{self.name} ended by itself; see {self.log}")
        os.kill(pid, number)
        while start_ticks(pid) is not None:  # noqa: ASYNC110  # the kernel tells nobody but its parent
            await asyncio.sleep(0.002)

    def _note(self, line: str) -> None:
        with self.log.open("a") as log:
            log.write(f"--- {line}\n")

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/readyz", timeout=5) as answer:
                return int(answer.status) == 200
        except (OSError, urllib.error.HTTPError):
            return False
