"""Runs a program to its end, or ends it: nothing of its process group is left when the call returns."""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from job_runner.errors import ConfigurationError

_LOOK_EVERY = 0.1
_LEFT_BEHIND = 0.5
"""Seconds that processes have which the program leaves behind: to write their last words, then to end."""
_PIECE = 65536


def run_program(
    words: Sequence[str],
    *,
    directory: str | None,
    take: Callable[[str, bytes], None],
    patience: Callable[[], float | None],
) -> int:
    """Run it without a shell and without input; answers its exit code as a shell would, 128 + signal.

    take: gets `stdout` or `stderr` and a piece of it. patience: asked all the time; as soon as it answers a
    number, the group gets a SIGTERM, and SIGKILL after so many seconds if any of it is left then. Raises
    ConfigurationError.
    """
    process = _started(words, directory)
    killed = False
    try:
        killed = _follow(process, take=take, patience=patience)
    finally:
        if not killed:
            _end_group(process.pid)
    code = process.wait()
    return code if code >= 0 else 128 - code


def _started(words: Sequence[str], directory: str | None) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(
            words,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:  # its own text quotes the program
        raise ConfigurationError(
            f"the command's program cannot be started: {error.strerror}; it has to be in the image, on PATH"
        ) from None


def _follow(
    process: "subprocess.Popen[bytes]",
    *,
    take: Callable[[str, bytes], None],
    patience: Callable[[], float | None],
) -> bool:
    """Until the program has ended and its output is read. Answers whether all its group was killed."""
    kill_at: float | None = None
    leave_at: float | None = None
    killed = False
    assert process.stdout is not None
    assert process.stderr is not None
    with selectors.DefaultSelector() as selector, process.stdout, process.stderr:
        selector.register(process.stdout, selectors.EVENT_READ, "stdout")
        selector.register(process.stderr, selectors.EVENT_READ, "stderr")
        while leave_at is None or (selector.get_map() and time.monotonic() < leave_at):
            _read(selector, take)
            if kill_at is None and (seconds := patience()) is not None:
                _signal_group(process.pid, signal.SIGTERM)
                kill_at = time.monotonic() + seconds
            if kill_at is not None and not killed and time.monotonic() >= kill_at:
                killed = _signal_group(process.pid, signal.SIGKILL)
            if leave_at is None and process.poll() is not None and not _cleans_up(process.pid, kill_at):
                leave_at = time.monotonic() + _LEFT_BEHIND
    return killed


def _read(selector: selectors.BaseSelector, take: Callable[[str, bytes], None]) -> None:
    for key, _ in selector.select(_LOOK_EVERY):
        if piece := os.read(key.fd, _PIECE):
            take(key.data, piece)
        else:
            selector.unregister(key.fileobj)


def _cleans_up(group: int, kill_at: float | None) -> bool:
    """Whether processes of the group, which were asked to end, still have time to do so.

    A shell ends at once, and what it has started may have much to do.
    """
    return kill_at is not None and time.monotonic() < kill_at and _is_there(group)


def _end_group(group: int) -> None:
    _signal_group(group, signal.SIGTERM)
    until = time.monotonic() + _LEFT_BEHIND
    while _is_there(group):
        if time.monotonic() >= until:
            _signal_group(group, signal.SIGKILL)
            return
        time.sleep(_LOOK_EVERY / 10)


def _is_there(group: int) -> bool:
    with suppress(ChildProcessError):  # orphans become ours where the runner is process 1
        while os.waitpid(-group, os.WNOHANG)[0]:
            pass
    return _signal_group(group, 0)


def _signal_group(group: int, number: int) -> bool:
    """Whether there is anybody in the group."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True
