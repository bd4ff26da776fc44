"""One server process on a port of 127.0.0.1, ended with the tests that started it."""

from __future__ import annotations

import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from tests.waiting import wait_until

UNPRIVILEGED = "nobody"
"""PostgreSQL refuses to run as root; so servers of a test session of root's run as this user."""


PORTS = range(15_000, 30_000)
"""Below those that the kernel gives to outgoing connections, of which one may come before the server does."""


def free_port() -> int:
    """A port that nothing listens on now."""
    for port in random.sample(PORTS, 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError(f"no port of 127.0.0.1 from {PORTS.start} to {PORTS.stop} is free")


def answers(port: int) -> bool:
    """Whether somebody accepts connections on the port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def plain_http(method: str, url: str, *, json: object = None) -> Any:
    """The JSON that a server of the tests answers with.

    Nothing is verified, as there is no TLS: reading the authorities' certificates takes longer than the rest.
    """
    return httpx.request(method, url, json=json, verify=False).raise_for_status().json()


def user() -> str | None:
    """The user that servers run as; None for our own."""
    return UNPRIVILEGED if os.geteuid() == 0 else None


@contextmanager
def server_folder(name: str, *, owner: str | None) -> Iterator[Path]:
    """A folder for a server's data, which belongs to the user it runs as; None is us.

    Not one of pytest's: nobody but their owner gets into those.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"scheduledjob-{name}-"))
    if owner is not None:
        account = pwd.getpwnam(owner)
        os.chown(folder, account.pw_uid, account.pw_gid)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class ServerProcess:
    """A program that serves a port; it may be stopped and started again."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        ready: Callable[[], bool],
        stop_signal: signal.Signals = signal.SIGTERM,
        environment: Mapping[str, str] | None = None,
        as_user: str | None = None,
    ) -> None:
        self._command = list(command)
        self._folder = folder
        self._ready = ready
        self._stop_signal = stop_signal
        self._environment = {**os.environ, **(environment or {})}
        self._user = as_user
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it serves. The kernel ends it when the tests end without doing so."""
        # The death signal is asked for after the change of user, which would have cleared it.
        survives_us_not = ("setpriv", "--pdeathsig", self._stop_signal.name.removeprefix("SIG"), "--")
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*(survives_us_not if shutil.which("setpriv") else ()), *self._command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=self._folder,
                env=self._environment,
                user=self._user,
                extra_groups=[] if self._user else None,
            )
        wait_until(self._is_ready, timeout=30, describe=f"{self._command[0]} serves")

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.send_signal(self._stop_signal)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        self._process = None

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """The server is gone while the block runs, and back afterwards on the same port."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """The server is there while the block runs, and answers nothing."""
        os.killpg(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self.pid, signal.SIGCONT)

    def _is_ready(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError(f"{self._command[0]} ended:\n{self._log()}")
        return self._ready()

    def _log(self) -> str:
        return (self._folder / "server.log").read_text(errors="replace")[-2000:]
