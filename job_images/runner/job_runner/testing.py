"""For the tests of your own handlers: runs one as a pod would, in the test's process, without a cluster."""

import json
import logging
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from job_runner import outcome
from job_runner.context import Context
from job_runner.discovery import find, folders_of
from job_runner.execution import call, conclude
from job_runner.outcome import Error, Result
from job_runner.redaction import Redactor, argument_values, environment_values
from job_runner.registry import REGISTRY, Handler, make_handler
from job_runner.signature import HandlerFunction
from job_runner.supervision import GRACE_PERIOD, Cause, Supervisor

__all__ = ["Error", "Outcome", "Result", "run_handler"]


@dataclass(frozen=True, kw_only=True)
class Outcome(outcome.Outcome):
    """How a run ended: `result`, `value`, `error` (None when it succeeded), `exit_code`, `duration_seconds`.

    logs: the messages that were logged, in order.
    """

    logs: list[str] = field(default_factory=list)

    @property
    def termination_message(self) -> dict[str, Any]:
        """The JSON document that the operator reads."""
        document: dict[str, Any] = json.loads(outcome.termination_message(self))
        return document


def run_handler(
    handler: HandlerFunction | str,
    *,
    args: Mapping[str, Any] | None = None,
    slot: datetime | None = None,
    attempt: int | None = 1,
    time_zone: str = "Etc/UTC",
    timeout: float | None = None,
    cancel_after: float | None = None,
) -> Outcome:
    """Run a handler to its end and say how it ended; what it raises is in the outcome and not raised here.

    handler: the function, or the name it is found under, as in `python -m job_runner run`.
    args: its arguments, which go through JSON and validation as those of a manifest do.
    slot: the scheduled time, with a time zone; None makes it a manual run.
    timeout: seconds until it is cancelled as at its time limit; cancel_after: as by a SIGTERM. A handler that
    ignores its cancellation is waited for, as ending it would end the tests.

    Raises UnknownHandler or ConfigurationError for a handler that cannot be had, TypeError for args that are
    no JSON, and RuntimeError from within a running event loop: call it from a plain test function.
    """
    _refuse_running_loop()
    if slot is not None and slot.tzinfo is None:
        raise ValueError(
            "slot has no time zone: write for instance datetime(2026, 11, 22, 3, 35, tzinfo=UTC)"
        )
    chosen = _handler(handler)
    text = json.dumps(args or {})
    started = time.monotonic()
    supervisor = Supervisor(
        timeout=timeout, grace=GRACE_PERIOD, started=started, insist=lambda _: None, listen=False
    )
    deadline = None if timeout is None else datetime.now(tz=UTC) + timedelta(seconds=timeout)
    context = Context(
        name=chosen.name,
        slot=slot.astimezone(UTC) if slot else None,
        trigger="Schedule" if slot else "Manual",
        attempt=attempt,
        time_zone=ZoneInfo(time_zone),
        deadline=deadline,
        supervisor=supervisor,
    )
    secrets = list(environment_values(os.environ))
    errors = Redactor([*secrets, *argument_values(text)])
    with _Recorder() as recorder, _Cancelling(supervisor, cancel_after):
        ended = conclude(
            lambda: call(chosen, text, context),
            supervisor=supervisor,
            started=started,
            values=Redactor(secrets),
            errors=errors,
        )
    return Outcome(**vars(ended.outcome), logs=recorder.messages)


def _handler(handler: HandlerFunction | str) -> Handler:
    if isinstance(handler, str):
        return find(handler, folders_of(os.environ.get("SCHEDULEDJOB_HANDLERS_PATH")))
    return REGISTRY.found_in(handler) or make_handler(handler, handler.__name__)


def _refuse_running_loop() -> None:
    import asyncio  # noqa: PLC0415  (as everywhere in this package: only when it is needed)

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError(
        "run_handler starts an event loop itself: call it from a plain function, not an async one"
    )


class _Cancelling:
    """Supervises the block, and cancels it after a while if asked to."""

    def __init__(self, supervisor: Supervisor, after: float | None) -> None:
        self._supervisor = supervisor
        self._timer = None if after is None else threading.Timer(after, supervisor.cancel, [Cause.SIGTERM])

    def __enter__(self) -> None:
        self._supervisor.start()
        if self._timer:
            self._timer.start()

    def __exit__(self, *_: object) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer.join()
        self._supervisor.stop()


class _Recorder(logging.Handler):
    """Keeps the messages of every logger while the block runs."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []
        self._level = logging.WARNING

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())

    def __enter__(self) -> "_Recorder":
        root = logging.getLogger()
        self._level = root.level
        root.setLevel(min(root.level, logging.INFO))
        root.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)
        logging.getLogger().setLevel(self._level)
