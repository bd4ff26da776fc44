import threading
import time
from collections.abc import Callable

from _services import open_service

from job_runner import Cancelled, ConfigurationError, Context, JobError, Unavailable, job_handler
from job_runner.connections.postgresql import open_postgresql
from job_runner.connections.smtp import open_smtp

PATIENCE = 15.0
"""Seconds until a server that has not answered counts as gone, whatever its own protocol allows."""


class Check(threading.Thread):
    """Tries a server in a thread of its own, which nobody has to wait for: it ends with the process."""

    def __init__(self, check: Callable[[Context], None], context: Context) -> None:
        super().__init__(daemon=True)
        self._check = check
        self._context = context
        self.seconds = 0.0
        self.error: Exception | None = Unavailable("no answer yet")

    def run(self) -> None:
        started = time.monotonic()
        try:
            self._check(self._context)
        except Exception as error:  # noqa: BLE001  (the handler raises it, or names it)
            self.error = error
        else:
            self.seconds = round(time.monotonic() - started, 3)
            self.error = None


@job_handler("health-check")
def health_check(context: Context) -> dict[str, float]:
    """Tries the database, the CRM and the mail server at once, and says how long each took to answer.

    All that fail are named, and those that have said nothing after 15 seconds, or when the run is to end.
    """
    checks = {name: Check(check, context) for name, check in CHECKS.items()}
    for check in checks.values():
        check.start()
    ends = time.monotonic() + PATIENCE
    try:
        for check in checks.values():
            check.join(max(ends - time.monotonic(), 0))
    except Cancelled:
        context.logger.warning("stopped early")
    faults = {name: check.error for name, check in checks.items() if check.error is not None}
    _complain(faults)
    return {name: check.seconds for name, check in checks.items()}


def _complain(faults: dict[str, Exception]) -> None:
    for error in faults.values():
        if not isinstance(error, JobError):
            raise error
    sentence = "; ".join(f"{name}: {error}" for name, error in faults.items())
    if faults and all(isinstance(error, ConfigurationError) for error in faults.values()):
        raise ConfigurationError(sentence)
    if faults:
        raise Unavailable(sentence)


def _database(context: Context) -> None:
    with open_postgresql(context) as connection:
        connection.execute("SELECT 1")


def _crm(context: Context) -> None:
    with open_service(context, variable="CRM_URL", timeout=5, attempts=1) as crm:
        crm.request("GET", "/healthz")


def _mail(context: Context) -> None:
    with open_smtp(context):
        pass


CHECKS: dict[str, Callable[[Context], None]] = {"database": _database, "crm": _crm, "mail": _mail}
