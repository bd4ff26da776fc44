"""The run in a process of its own: settings of the environment, log, termination message, exit code."""

import faulthandler
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from job_runner import logs
from job_runner.context import Context, context_from
from job_runner.discovery import find, folders_of
from job_runner.errors import Cancelled, ConfigurationError, JobError
from job_runner.execution import Ended, call, conclude, cut_off
from job_runner.outcome import Outcome, Result, termination_message
from job_runner.redaction import Redactor, argument_values, environment_values
from job_runner.supervision import GRACE_PERIOD, STUCK_AFTER, Cause, Supervisor

DEFAULT_TERMINATION_LOG = "/dev/termination-log"

_LOG = logging.getLogger("job_runner")


def run_process(
    name: str, environment: Mapping[str, str], *, arguments: str | None, timeout: float | None, started: float
) -> int:
    """Run the handler `name` and report how it ended; answers the exit code.

    arguments: JSON text; None: SCHEDULEDJOB_ARGS. timeout: seconds; None: SCHEDULEDJOB_TIMEOUT_SECONDS.
    started: time.monotonic() when the process began. It is to exit right after, and is supervised until then.
    """
    text = environment.get("SCHEDULEDJOB_ARGS") or "{}" if arguments is None else arguments
    run = _Run(name, environment, arguments=text, started=started)
    problem: JobError | None = None
    grace = GRACE_PERIOD
    try:
        grace = _seconds(environment, "SCHEDULEDJOB_GRACE_PERIOD_SECONDS") or GRACE_PERIOD
        if timeout is None:
            timeout = _seconds(environment, "SCHEDULEDJOB_TIMEOUT_SECONDS")
    except ConfigurationError as error:
        problem = error
    supervisor = Supervisor(timeout=timeout, grace=grace, started=started, insist=run.insist)
    run.supervise(supervisor)

    def task() -> object:
        if problem is not None:
            raise problem
        context = context_from(environment, supervisor, handler=name, now=datetime.now(tz=UTC))
        run.configure_logs(context)
        handler = find(name, folders_of(environment.get("SCHEDULEDJOB_HANDLERS_PATH")))
        _LOG.info("Running job '%s'", context.name)
        return call(handler, text, context)

    ended = conclude(task, supervisor=supervisor, started=started, values=run.values, errors=run.errors)
    run.end(ended)
    return ended.outcome.exit_code


class _Run:
    """What the main thread and the supervisor's both need to bring a run to its end, whoever does it."""

    def __init__(self, name: str, environment: Mapping[str, str], *, arguments: str, started: float) -> None:
        secrets = list(environment_values(environment))
        self.values = Redactor(secrets)
        self.errors = Redactor([*secrets, *argument_values(arguments)])
        self._handler = name
        self._name = environment.get("SCHEDULEDJOB_NAME") or name
        self._environment = environment
        self._started = started
        self._supervisor: Supervisor | None = None
        self._main = threading.get_ident()
        self._finished: Outcome | None = None
        self._writing = threading.Lock()
        self.configure_logs(None)

    def supervise(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        supervisor.start()
        faulthandler.enable()
        threading.excepthook = _log_threads_end
        if supervisor.deadline is not None and sys.__stderr__ is not None:
            left = max(supervisor.deadline + STUCK_AFTER - time.monotonic(), 0.001)
            faulthandler.dump_traceback_later(left, file=sys.__stderr__)

    def configure_logs(self, context: Context | None) -> None:
        """Lines carry the run's fields; those of the context as soon as it is known."""
        fields: dict[str, object] = {"scheduledjob": self._name, "handler": self._handler}
        if context is not None:
            slot = context.slot and context.slot.isoformat().replace("+00:00", "Z")
            fields |= {
                "namespace": context.namespace,
                "job": context.job_name,
                "trigger": context.trigger,
                "slot": slot,
                "attempt": context.attempt,
            }
        logs.configure(
            level=self._environment.get("SCHEDULEDJOB_LOG_LEVEL") or "INFO",
            fields=fields,
            values=self.values,
            errors=self.errors,
            stream=sys.stdout,
        )

    def end(self, ended: Ended) -> None:
        """Write the termination message, then the last log line."""
        with self._writing:
            self._finished = ended.outcome
            self._write(ended.outcome)
        self._log_end(ended.outcome, raised=ended.raised)
        lingering = [
            thread.name
            for thread in threading.enumerate()
            if not thread.daemon and thread.ident != self._main
        ]
        if lingering:
            _LOG.info("the process ends when these threads have ended: %s", ", ".join(lingering))

    def insist(self, cause: Cause) -> None:
        """End the process now. Called from the supervisor's thread when the run did not end when asked to."""
        assert self._supervisor is not None
        self._writing.acquire(timeout=0.5)
        outcome = self._finished
        if outcome is None or outcome.result is Result.SUCCEEDED:
            outcome = cut_off(
                cause, timeout=self._supervisor.timeout, finished=outcome, started=self._started
            )
            self._write(outcome)
            # The log may be what the run is stuck in: it gets half a second of another thread's time.
            last_words = threading.Thread(target=self._log_cut_off, args=[outcome], daemon=True)
            last_words.start()
            last_words.join(0.5)
        os._exit(outcome.exit_code)

    def _log_cut_off(self, outcome: Outcome) -> None:
        frame = sys._current_frames().get(self._main)  # noqa: SLF001  (there is no public way to another thread's stack)
        self._log_end(outcome, stack="".join(traceback.format_stack(frame)) if frame else None)
        sys.stdout.flush()

    def _write(self, outcome: Outcome) -> None:
        setting = self._environment.get("SCHEDULEDJOB_TERMINATION_LOG")
        path = Path(setting or DEFAULT_TERMINATION_LOG)
        if not setting and not path.exists():
            return  # not in a pod
        try:
            path.write_bytes(termination_message(outcome))
        except OSError as error:
            _LOG.warning("the termination message cannot be written to %s: %s", path, error.strerror)

    def _log_end(
        self, outcome: Outcome, *, raised: BaseException | None = None, stack: str | None = None
    ) -> None:
        extra = {
            "result": str(outcome.result),
            "exitCode": int(outcome.exit_code),
            "durationSeconds": round(outcome.duration_seconds, 3),
            "peakMemoryBytes": outcome.peak_memory_bytes,
        }
        extra |= {} if outcome.value is None else {"value": outcome.value}
        extra |= {"stack": stack} if stack else {}
        if outcome.error is None:
            _LOG.info("Job '%s' completed successfully", self._name, extra=extra)
            return
        cancelled = outcome.result is Result.CANCELLED
        _LOG.log(
            logging.WARNING if cancelled else logging.ERROR,
            "Job '%s' %s: %s",
            self._name,
            "cancelled" if cancelled else "failed",
            f"{outcome.error.type}: {outcome.error.message}",
            extra=extra,
            exc_info=raised if raised is not None and _is_telling(raised, outcome) else None,
        )


def _log_threads_end(ended: threading.ExceptHookArgs) -> None:
    """In place of a traceback on stderr, where nothing is redacted."""
    if ended.exc_value is None or isinstance(ended.exc_value, SystemExit):
        return
    _LOG.error(
        "thread %s ended with %s",
        ended.thread.name if ended.thread else "",
        ended.exc_type.__name__,
        exc_info=ended.exc_value,
    )


def _is_telling(raised: BaseException, outcome: Outcome) -> bool:
    """Whether the traceback says more than the error's line: for a bug, or for where the time was lost."""
    if outcome.result is Result.TIMED_OUT:
        return True
    if isinstance(raised, JobError):
        return raised.__cause__ is not None
    return not isinstance(raised, Cancelled | SystemExit) and outcome.result is Result.FAILED


def _seconds(environment: Mapping[str, str], name: str) -> float | None:
    text = environment.get(name)
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        raise ConfigurationError(f"{name} is not a number of seconds") from None
    if not 0 < seconds < float("inf"):
        raise ConfigurationError(f"{name} is not a positive number of seconds")
    return seconds
