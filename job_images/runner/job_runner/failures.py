"""Exceptions as people read them, in the status and in the log, and as Kubernetes does: an exit code."""

import traceback
from collections.abc import Callable

from job_runner.arguments import validation_text
from job_runner.errors import Cancelled, ExitCode, JobError
from job_runner.outcome import Error

Redact = Callable[[str], str]

_CAUSE = "\nThe above exception was the direct cause of the following exception:\n\n"
_CONTEXT = "\nDuring handling of the above exception, another exception occurred:\n\n"


def error_of(error: BaseException, redact: Redact = str) -> Error:
    """Name and text of an exception. A pydantic error never shows the input, `redact` covers the rest."""
    return Error(type=type(error).__name__, message=redact(_text(error)))


def exit_code_of(error: BaseException) -> int:
    """The exit code for an exception a handler let through; a group counts as its members when they agree."""
    match error:
        case JobError():
            return error.exit_code if 0 < error.exit_code < 256 else ExitCode.SOFTWARE
        case SystemExit(code=None):
            return ExitCode.OK
        case SystemExit(code=int() as code):
            return code & 0xFF
        case SystemExit():
            return 1
        case Cancelled():
            return ExitCode.SOFTWARE  # raised by the handler itself: nobody has asked it to stop
        case KeyboardInterrupt():
            return ExitCode.INTERRUPTED
        case BaseExceptionGroup(exceptions=members):
            codes = {exit_code_of(member) for member in members}
            return codes.pop() if len(codes) == 1 else ExitCode.SOFTWARE
    return ExitCode.SOFTWARE if validation_text(error) is None else ExitCode.DATA


def first_line(error: BaseException) -> str:
    """`ValueError: what it says`, without the rest of a long message."""
    text = next(iter(_text(error).splitlines()), "")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def traceback_text(error: BaseException, redact: Redact = str) -> str:
    """The whole traceback, with causes, contexts and group members, each message as in `error_of`.

    traceback.format_exception would print str(error), and with it the input of any pydantic error in it.
    """
    return redact("".join(_chain(error, set()))).rstrip("\n")


def _chain(error: BaseException, seen: set[int]) -> list[str]:
    seen.add(id(error))
    lines: list[str] = []
    if error.__cause__ is not None and id(error.__cause__) not in seen:
        lines += [*_chain(error.__cause__, seen), _CAUSE]
    elif (
        error.__context__ is not None and not error.__suppress_context__ and id(error.__context__) not in seen
    ):
        lines += [*_chain(error.__context__, seen), _CONTEXT]
    if error.__traceback__ is not None:
        lines += ["Traceback (most recent call last):\n", *traceback.format_tb(error.__traceback__)]
    lines.append(f"{type(error).__name__}: {_text(error)}\n")
    lines += [f"{note}\n" for note in getattr(error, "__notes__", ())]
    if isinstance(error, BaseExceptionGroup):
        for number, member in enumerate(error.exceptions, start=1):
            inner = "".join([f"---- {number} ----\n", *_chain(member, seen)])
            lines += [f"  {line}\n" for line in inner.splitlines()]
    return lines


def _text(error: BaseException) -> str:
    if (invalid := validation_text(error)) is not None:
        return invalid
    if isinstance(error, SystemExit) and (error.code is None or isinstance(error.code, int)):
        return f"exit code {exit_code_of(error)}"
    try:
        text = str(error)
    except Exception:  # noqa: BLE001  (a broken __str__ must not hide that there was an error)
        return "(its text cannot be read)"
    if isinstance(error, BaseExceptionGroup):
        return f"{text}: " + "; ".join(first_line(member) for member in error.exceptions)
    return text
