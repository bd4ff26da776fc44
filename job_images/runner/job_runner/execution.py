"""One run of one handler, from its JSON arguments to its outcome: in a pod, and in the testing module."""

import inspect
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from job_runner.arguments import validated
from job_runner.context import Context
from job_runner.errors import Cancelled, ExitCode
from job_runner.failures import Redact, error_of, exit_code_of
from job_runner.outcome import Error, Outcome, Result
from job_runner.registry import Handler
from job_runner.resources import peak_memory_bytes
from job_runner.supervision import Cause, Supervisor
from job_runner.values import Json, plain

_LOG = logging.getLogger(__name__)
_RESULTS = {
    Cause.TIMEOUT: Result.TIMED_OUT,
    Cause.SIGTERM: Result.CANCELLED,
    Cause.SIGINT: Result.CANCELLED,
}


@dataclass(frozen=True, kw_only=True)
class Ended:
    """An outcome and the exception behind it, for the log."""

    outcome: Outcome
    raised: BaseException | None


def call(handler: Handler, arguments: str, context: Context) -> object:
    """Validate the JSON arguments and call the handler, plain or async. Belongs inside `Supervisor.run`."""
    values = validated(handler, arguments)
    if handler.signature.context is not None:
        values[handler.signature.context] = context
    if handler.interrupt:
        return _called(handler, values, context.supervisor)
    with context.supervisor.uninterrupted():
        return _called(handler, values, context.supervisor)


def conclude(
    task: Callable[[], object],
    *,
    supervisor: Supervisor,
    started: float,
    values: Redact,
    errors: Redact,
) -> Ended:
    """Run `task` to its end, whatever that is. values, errors: redact the result's texts, the error's."""
    value: object = None
    raised: BaseException | None = None
    try:
        value = supervisor.run(task)
    except BaseException as error:  # noqa: BLE001  (every end is reported, SystemExit and KeyboardInterrupt too)
        raised = error
    result, exit_code, described = _verdict(raised, supervisor, errors)
    written, truncated = _written(value, values)
    outcome = Outcome(
        result=result,
        exit_code=exit_code,
        value=written,
        error=described,
        duration_seconds=time.monotonic() - started,
        peak_memory_bytes=peak_memory_bytes(),
        truncated=truncated,
    )
    return Ended(outcome=outcome, raised=raised)


def cut_off(cause: Cause, *, timeout: float | None, finished: Outcome | None, started: float) -> Outcome:
    """The outcome of a run that did not end when asked to. finished: what it had reported before that."""
    what = (
        "its handler returned, but threads of it still ran" if finished else "it did not stop when cancelled"
    )
    return Outcome(
        result=_RESULTS[cause],
        exit_code=int(cause.value),
        value=finished.value if finished else None,
        error=Error(str(_RESULTS[cause]), f"{reason(cause, timeout)}; {what}"),
        duration_seconds=time.monotonic() - started,
        peak_memory_bytes=peak_memory_bytes(),
        truncated=finished.truncated if finished else False,
    )


def reason(cause: Cause, timeout: float | None) -> str:
    """Why a run is being ended, as a person reads it."""
    if cause is Cause.TIMEOUT:
        return f"did not end within {timeout:g} s"
    return f"stopped by {cause.name}"


def _called(handler: Handler, values: dict[str, Any], supervisor: Supervisor) -> object:
    result = handler.function(**values)
    return supervisor.run_coroutine(result) if inspect.iscoroutine(result) else result


def _verdict(
    raised: BaseException | None, supervisor: Supervisor, errors: Redact
) -> tuple[Result, int, Error | None]:
    cause = supervisor.cause
    if cause is not None:
        result = _RESULTS[cause]
        own = (
            raised is not None
            and not isinstance(raised, Cancelled)
            and type(raised).__name__ != "CancelledError"
        )
        error = (
            error_of(raised, errors)
            if own and raised
            else Error(str(result), reason(cause, supervisor.timeout))
        )
        return result, int(cause.value), error
    if raised is None or (exit_code := exit_code_of(raised)) == ExitCode.OK:
        return Result.SUCCEEDED, 0, None
    return Result.FAILED, int(exit_code), error_of(raised, errors)


def _written(value: object, redact: Redact) -> tuple[Json, bool]:
    """(the value as plain JSON, whether it was left out)"""
    try:
        return plain(value, redact, warn=True), False
    except Exception as error:  # noqa: BLE001  (a value that cannot be written must not fail the job)
        _LOG.warning("the handler's result is left out: %s", type(error).__name__)
        return None, True
