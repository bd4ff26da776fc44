"""Starts the runner as a pod does, as a process of its own, and reads what it leaves behind."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PATIENCE = 30.0
"""Seconds after which a test gives up waiting; only a broken runner ever takes them."""


@dataclass(frozen=True)
class Ended:
    """lines: of stdout; errors: stderr; message: the termination message, None when there is none."""

    exit_code: int
    lines: list[str]
    errors: str
    message: dict[str, Any] | None
    seconds: float

    @property
    def records(self) -> list[dict[str, Any]]:
        """The JSON log lines."""
        return [json.loads(line) for line in self.lines if line.startswith("{")]

    @property
    def messages(self) -> list[str]:
        return [record["message"] for record in self.records]


@dataclass
class Running:
    """A runner process that was started; its output is read as it comes."""

    process: "subprocess.Popen[str]"
    termination_log: Path
    started: float
    first_of_namespace: bool = False
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_for_line(self, text: str) -> None:
        """Until a line of the output contains `text`."""
        with self._news:
            found = self._news.wait_for(lambda: any(text in line for line in self.lines), PATIENCE)
        assert found, f"no line with {text!r} in {self.lines}"

    def send(self, number: signal.Signals) -> None:
        os.kill(self._pid(), number)

    def _pid(self) -> int:
        """The runner's own; `unshare` is its parent when it is the first process of a namespace."""
        pid = self.process.pid
        if not self.first_of_namespace:
            return pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text())

    def end(self) -> Ended:
        """Wait for the process to end."""
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        seconds = time.monotonic() - self.started
        self._reader.join(PATIENCE)
        assert self.process.stderr is not None
        with self.process.stderr as stderr:
            errors = stderr.read()
        written = self.termination_log.read_bytes() if self.termination_log.exists() else b""
        message = json.loads(written) if written else None
        return Ended(code, self.lines, errors, message, seconds)

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as stdout:
            for line in stdout:
                with self._news:
                    self.lines.append(line.rstrip("\n"))
                    self._news.notify_all()


class Runner:
    """A folder for handler files, and the runner started on it."""

    def __init__(self, folder: Path) -> None:
        self.handlers = folder / "handlers"
        self.handlers.mkdir()
        self.termination_log = folder / "termination-log"
        self.termination_log.touch()
        self.running: list[Running] = []

    def write(self, name: str, text: str) -> Path:
        """A file in the handler folder, with everything imported that handlers use."""
        path = self.handlers / name
        path.write_text(f"from job_runner import *\n{text}\n")
        return path

    def copy(self, path: str) -> None:
        """A handler file of the tests, `path` relative to this one."""
        shutil.copy(Path(__file__).parent / path, self.handlers)

    def start(
        self, *arguments: str, env: dict[str, str] | None = None, first_of_namespace: bool = False
    ) -> Running:
        """first_of_namespace: as process 1 of a process namespace of its own, as in a container."""
        unshare = ["unshare", "--fork", "--pid", "--kill-child"] if first_of_namespace else []
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        process = subprocess.Popen(
            [*unshare, sys.executable, "-m", "job_runner", *arguments],
            env={
                **inherited,
                "PYTHONUNBUFFERED": "1",
                "SCHEDULEDJOB_HANDLERS_PATH": str(self.handlers),
                "SCHEDULEDJOB_TERMINATION_LOG": str(self.termination_log),
                **(env or {}),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running = Running(process, self.termination_log, time.monotonic(), first_of_namespace)
        self.running.append(running)
        return running

    def run(self, *arguments: str, env: dict[str, str] | None = None) -> Ended:
        return self.start(*arguments, env=env).end()

    def close(self) -> None:
        """End what a failed test left running."""
        for running in self.running:
            if running.process.poll() is None:
                running.process.kill()
                running.process.wait()
