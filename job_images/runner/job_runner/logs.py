"""Log lines: one JSON object each on stdout, or plain text on a terminal.

The standard library's own logging does it: a package's JSON formatter would double the time of the import.
"""

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

from job_runner.failures import Redact, traceback_text
from job_runner.redaction import Redactor
from job_runner.values import plain

_STANDARD = {*vars(logging.makeLogRecord({})), "message", "asctime"}


def configure(
    *, level: str, fields: Mapping[str, object], values: Redactor, errors: Redactor, stream: TextIO
) -> None:
    """Send every logger's lines to `stream`; `fields` are added to each.

    level: a name such as INFO, which stands for any unknown one. values: hides values of the environment in
    every line; errors: those of the arguments too, in tracebacks.
    """
    human = stream.isatty()
    handler = logging.StreamHandler(stream)
    formatter = HumanFormatter if human else JsonFormatter
    handler.setFormatter(formatter(fields=fields, values=values, errors=errors))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.getLevelNamesMapping().get(level.upper(), logging.INFO))


class JsonFormatter(logging.Formatter):
    """time, level, logger, message, the run's fields, what `extra=` gave, `exception` with the traceback."""

    def __init__(self, *, fields: Mapping[str, object], values: Redact, errors: Redact) -> None:
        super().__init__()
        self._fields = {name: value for name, value in fields.items() if value not in (None, "")}
        self._values = values
        self._errors = errors

    def format(self, record: logging.LogRecord) -> str:
        document: dict[str, Any] = {
            "time": _time(record).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self.text(record),
            **self._fields,
            **self.extra_fields(record),
        }
        if trace := self.trace(record):
            document["exception"] = trace
        return json.dumps(plain(document), ensure_ascii=False)

    def extra_fields(self, record: logging.LogRecord) -> dict[str, Any]:
        """What the caller passed as `extra=`."""
        extra = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        try:
            return {name: plain(value, self._values) for name, value in extra.items()}
        except Exception as error:  # noqa: BLE001  (somebody else's objects must not lose the line)
            return {"extra": f"cannot be written: {type(error).__name__}"}

    def text(self, record: logging.LogRecord) -> str:
        """The message. One that does not fit its arguments comes without them: logging would print both."""
        try:
            return self._values(record.getMessage())
        except Exception:  # noqa: BLE001  (a wrong line must not be lost either)
            return self._values(f"{record.msg} (its arguments do not fit)")

    def trace(self, record: logging.LogRecord) -> str:
        """The traceback of `exc_info=`, if any."""
        error = record.exc_info[1] if record.exc_info else None
        return traceback_text(error, self._errors) if error else ""


class HumanFormatter(JsonFormatter):
    """`12:30:01 INFO     message  rows=5` for a terminal, in local time."""

    def format(self, record: logging.LogRecord) -> str:
        extra = "".join(f"  {name}={value}" for name, value in self.extra_fields(record).items())
        clock = _time(record).astimezone().strftime("%H:%M:%S")
        line = f"{clock} {record.levelname:<8} {self.text(record)}{extra}"
        trace = self.trace(record)
        return f"{line}\n{trace}" if trace else line


def _time(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, tz=UTC)
