"""Processes that outlive the command that started them, and are ended only when they are provably ours."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.cluster.progress import ClusterError

PROC = Path("/proc")
DIES_WITH_PARENT = ("setpriv", "--pdeathsig", "KILL", "--")

# Children of a process that lives on (pytest, a benchmark) must be reaped, or they stay as zombies.
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Record:
    """A process as it was started. The kernel re-uses pids; pid, start time and boot together it does not."""

    name: str
    pid: int
    start_ticks: int
    boot_id: str
    argv: list[str]


def boot_id() -> str:
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def parse_stat(stat: str) -> tuple[str, int, int]:
    """State, parent pid and start time (clock ticks after boot) from `/proc/PID/stat`; see proc(5).

    The command name is in parentheses and may itself contain spaces and parentheses.
    """
    fields = stat.rpartition(")")[2].split()
    return fields[0], int(fields[1]), int(fields[19])


def start_ticks(pid: int) -> int | None:
    """When the process started, in clock ticks after boot; None when it is gone or a zombie."""
    if child := _children.get(pid):
        child.poll()
    try:
        state, _, ticks = parse_stat((PROC / str(pid) / "stat").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if state in "ZX" else ticks


def command_line(pid: int) -> list[str]:
    try:
        raw = (PROC / str(pid) / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [part.decode(errors="replace") for part in raw.split(b"\0")[:-1]]


def is_ours(record: Record) -> bool:
    """Whether the recorded process still runs, and is not another one that got its pid."""
    return (
        record.boot_id == boot_id()
        and start_ticks(record.pid) == record.start_ticks
        and command_line(record.pid) == record.argv
    )


@dataclass(frozen=True)
class Processes:
    """The processes of one folder: `pids/NAME.json` and `logs/NAME.log` in it."""

    folder: Path

    def start(
        self,
        name: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        dies_with_us: bool = False,
    ) -> Record:
        """Start `argv` in a session of its own, logging to `logs/NAME.log`, and record it.

        With `dies_with_us` the kernel kills it when the thread that called this ends, however that comes.
        """
        log = self.log(name)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as out:
            child = subprocess.Popen(
                [*(DIES_WITH_PARENT if dies_with_us else ()), *argv],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd="/",
                env={**os.environ, **env} if env else None,
            )
        _children[child.pid] = child
        ticks = start_ticks(child.pid)
        record = Record(name, child.pid, ticks or -1, boot_id(), list(argv))
        deadline = time.monotonic() + 1.0
        while command_line(child.pid) != record.argv and time.monotonic() < deadline:
            time.sleep(0.001)  # the kernel shows the new command line a moment after exec has succeeded
        pids = self.folder / "pids"
        pids.mkdir(parents=True, exist_ok=True)
        (pids / f"{name}.json").write_text(json.dumps(asdict(record)))
        return record

    def log(self, name: str) -> Path:
        return self.folder / "logs" / f"{name}.log"

    def records(self) -> list[Record]:
        """Every recorded process; a record that was cut short by a crash is no record."""
        found = []
        for path in sorted((self.folder / "pids").glob("*.json")):
            with contextlib.suppress(ValueError, TypeError, OSError):
                found.append(Record(**json.loads(path.read_text())))
        return found

    def running(self) -> list[Record]:
        return [record for record in self.records() if is_ours(record)]

    def stop(self, *names: str, timeout: float = 10.0) -> None:
        """End the named processes (all without names), the last started first, and forget them."""
        chosen = [record for record in self.records() if not names or record.name in names]
        chosen.sort(key=lambda record: -record.start_ticks)
        end([record.pid for record in chosen if is_ours(record)], timeout=timeout)
        for record in chosen:
            (self.folder / "pids" / f"{record.name}.json").unlink(missing_ok=True)

    def send(self, name: str, number: signal.Signals) -> None:
        """Send a signal to the named process if it is ours: SIGKILL, or SIGSTOP and SIGCONT for a hang."""
        for record in self.running():
            if record.name == name:
                os.kill(record.pid, number)

    def check(self, name: str) -> None:
        """Raise with the end of its log when the named process has died."""
        if not any(record.name == name for record in self.running()):
            lines = self.log(name).read_text(errors="replace").splitlines()[-15:]
            raise ClusterError(f"{name} ended. The end of {self.log(name)}:\n" + "\n".join(lines))


def end(pids: Iterable[int], *, timeout: float = 10.0) -> None:
    """SIGTERM to all at once, SIGKILL to those that still live after `timeout` seconds."""
    live = {pid: ticks for pid in pids if (ticks := start_ticks(pid)) is not None}
    for sent, patience in ((signal.SIGTERM, timeout), (signal.SIGKILL, 5.0)):
        for pid in live:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sent)
        deadline = time.monotonic() + patience
        while live and time.monotonic() < deadline:
            live = {pid: ticks for pid, ticks in live.items() if start_ticks(pid) == ticks}
            time.sleep(0.02 if live else 0)
        if not live:
            return
    raise ClusterError(f"processes {sorted(live)} do not end, not even on SIGKILL")


def program(executable: str) -> str:
    """`/cache/bin/etcd-3.6.6` -> `etcd`: also an earlier version's process is recognized."""
    return re.sub(r"-v?\d+(\.\d+)+$", "", Path(executable).name)


def naming(paths: Iterable[Path], *, programs: Iterable[str]) -> list[int]:
    """Pids of the given programs (or `python -m` modules) whose command line names one of our paths.

    They are ours although no record of them is left.
    """
    wanted = set(programs)
    ours = tuple(str(path) for path in paths)
    found = []
    for entry in PROC.iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        argv = command_line(int(entry.name))
        known = bool(argv) and not wanted.isdisjoint({program(argv[0]), *argv[1:3]})
        if known and any(path in word for word in argv for path in ours):
            found.append(int(entry.name))
    return found
