import time
from collections.abc import Callable

from _services import open_service

from job_runner import ConfigurationError, Context, JobError, Unavailable, job_handler
from job_runner.connections.postgresql import open_postgresql
from job_runner.connections.smtp import open_smtp


@job_handler("health-check")
def health_check(context: Context) -> dict[str, float]:
    """Tries the database, the CRM and the mail server, all of them, and says how long each took to answer."""
    seconds: dict[str, float] = {}
    faults: dict[str, JobError] = {}
    for name, check in CHECKS.items():
        started = time.monotonic()
        try:
            check(context)
        except JobError as error:
            faults[name] = error
        else:
            seconds[name] = round(time.monotonic() - started, 3)
    if not faults:
        return seconds
    sentence = "; ".join(f"{name}: {error}" for name, error in faults.items())
    if all(isinstance(error, ConfigurationError) for error in faults.values()):
        raise ConfigurationError(sentence)
    raise Unavailable(sentence)


def _database(context: Context) -> None:
    with open_postgresql(context) as connection:
        connection.execute("SELECT 1")


def _crm(context: Context) -> None:
    # One look, and no long one: the mail server has to have its turn, too.
    with open_service(context, variable="CRM_URL", timeout=5, attempts=1) as crm:
        crm.request("GET", "/healthz")


def _mail(context: Context) -> None:
    with open_smtp(context):
        pass


CHECKS: dict[str, Callable[[Context], None]] = {"database": _database, "crm": _crm, "mail": _mail}
