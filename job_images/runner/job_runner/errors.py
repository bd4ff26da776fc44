"""The ways a run can end badly, each with its exit code."""

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """Exit codes of the runner: sysexits.h, timeout(1) and the shell's 128 + signal."""

    OK = 0
    USAGE = 64
    DATA = 65
    UNAVAILABLE = 69
    SOFTWARE = 70
    TRY_AGAIN = 75
    CONFIGURATION = 78
    TIMED_OUT = 124
    INTERRUPTED = 130
    TERMINATED = 143


class JobError(Exception):
    """A failure with a meaning. Raise one of the subclasses from a handler to choose the exit code.

    A subclass of your own may set `exit_code` to another code from 1 to 255.
    """

    exit_code: ClassVar[int] = ExitCode.SOFTWARE


class UsageError(JobError):
    """The command line asks for something that does not exist."""

    exit_code = ExitCode.USAGE


class UnknownHandler(UsageError):  # noqa: N818  (people read this name in the status)
    """No handler is registered under this name."""


class DataError(JobError):
    """The arguments, or the data the job works on, are wrong; running it again will not help."""

    exit_code = ExitCode.DATA


class Unavailable(JobError):  # noqa: N818
    """A service the job needs does not answer."""

    exit_code = ExitCode.UNAVAILABLE


class TryAgain(JobError):  # noqa: N818
    """Nothing is wrong but the moment: another attempt later may well succeed."""

    exit_code = ExitCode.TRY_AGAIN


class ConfigurationError(JobError):
    """The image or its settings are wrong: a missing variable, a broken handler file, a name used twice."""

    exit_code = ExitCode.CONFIGURATION


class Cancelled(KeyboardInterrupt):
    """Raised inside a handler that has to end now: its time is up, or the pod is being stopped.

    It derives from KeyboardInterrupt because that is what libraries already let through: `except Exception`
    does not swallow it, and an event loop that a plain handler runs by itself hands it on.
    """
