import json
import os
from dataclasses import replace
from typing import Any

from job_runner import Context, DataError, job_handler
from job_runner.connections.variables import from_variable
from job_runner.discovery import find, folders_of
from job_runner.errors import ExitCode
from job_runner.execution import call
from job_runner.failures import exit_code_of
from job_runner.outcome import Result
from job_runner.pings.monitor import Monitor
from job_runner.supervision import Cause


@job_handler("ping")
def ping(
    context: Context,
    *,
    handler: str,
    handler_args: dict[str, Any] | None = None,
    url_variable: str = "PING_URL",
    timeout: float = 10.0,
) -> object:
    """Runs another handler, and tells a monitor such as healthchecks.io how it goes."""
    if not timeout > 0:
        raise DataError("timeout is not above 0: give seconds")
    monitor = Monitor(context, from_variable(url_variable), variable=url_variable, timeout=timeout)
    monitor.start()
    raised: BaseException | None = None
    try:
        chosen = find(handler, folders_of(os.environ.get("SCHEDULEDJOB_HANDLERS_PATH")))
        # On a laptop a run is called like its handler, and this run is the other one's.
        named = context if os.environ.get("SCHEDULEDJOB_NAME") else replace(context, name=handler)
        return call(chosen, json.dumps(handler_args or {}), named)
    except BaseException as error:
        raised = error
        raise
    finally:
        with context.supervisor.uninterrupted():
            suffix, result, exit_code = _ending(raised, context.supervisor.cause)
            monitor.finish(suffix, {"result": str(result), "exitCode": int(exit_code)})


def _ending(raised: BaseException | None, cause: Cause | None) -> tuple[str, Result, int]:
    """(what is put behind the monitor's address, the run's result, its exit code)"""
    if cause is not None:
        result = Result.TIMED_OUT if cause is Cause.TIMEOUT else Result.CANCELLED
        return "/fail", result, cause.value
    exit_code = ExitCode.OK if raised is None else exit_code_of(raised)
    if exit_code == ExitCode.OK:
        return "", Result.SUCCEEDED, exit_code
    return f"/{int(exit_code)}", Result.FAILED, exit_code
