import signal
from pathlib import Path

from job_runner import ConfigurationError, Context, DataError, JobError, job_handler
from job_runner.commands.lines import Lines
from job_runner.commands.program import run_program
from job_runner.supervision import GRACE_RESERVE, TIMEOUT_PATIENCE, Cause

_RESERVE = 1.5
"""Seconds, of those until the process is ended, that remain after the program's end."""


class CommandFailed(JobError):  # noqa: N818  (people read this name in the status)
    """The program ended with an exit code that was not expected: it becomes the run's."""

    def __init__(self, exit_code: int, *, lines: int) -> None:
        number = exit_code - 128
        signalled = number in {one.value for one in signal.Signals}
        how = (
            f"was ended by {signal.Signals(number).name}"
            if signalled
            else f"ended with exit code {exit_code}"
        )
        super().__init__(f"the command {how} (lines of output: {lines})")
        self.exit_code = exit_code  # type: ignore[misc]  # each program has its own


@job_handler("command", interrupt=False)
def command(
    context: Context,
    command: list[str],
    directory: str | None = None,
    expected_exit_codes: list[int] | None = None,
    lines_logged: int = 10_000,
) -> dict[str, int]:
    """Runs a program, without a shell: its output becomes log lines, its exit code the run's."""
    if not command or not command[0] or any("\0" in word for word in command):
        raise DataError('command names no program: write for instance ["python", "sync.py"]')
    if directory is not None and not Path(directory).is_dir():
        raise ConfigurationError("there is no such directory: it has to be in the image, or be mounted")
    lines = Lines(context.logger, limit=lines_logged)
    exit_code = run_program(
        command, directory=directory, take=lines.take, patience=lambda: _patience(context)
    )
    lines.finish()
    expected = [0] if expected_exit_codes is None else expected_exit_codes
    if exit_code not in expected and not context.cancelled:
        raise CommandFailed(exit_code, lines=lines.count)
    return {"exitCode": exit_code, "lines": lines.count}


def _patience(context: Context) -> float | None:
    """Seconds that the program has to end itself, once the run has to end; None before."""
    cause = context.supervisor.cause
    if cause is None:
        return None
    if cause is Cause.TIMEOUT:
        return TIMEOUT_PATIENCE - _RESERVE
    patience = max(context.supervisor.grace - GRACE_RESERVE - _RESERVE, 0.5)
    remaining = context.remaining_seconds
    return patience if remaining is None else min(patience, remaining + TIMEOUT_PATIENCE - _RESERVE)
