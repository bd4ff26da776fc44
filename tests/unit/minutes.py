"""The Jobs of one minute after the other, told by the number of their minute after noon."""

from typing import Any

from tests.unit import bodies
from tests.unit.bodies import Body
from tests.unit.ledger import Assessment, Ledger, observe
from tests.unit.moments import after_noon


def job(number: int, *, status: Body | None = None, **given: Any) -> Body:
    """The Job of the n-th minute after noon."""
    slot = after_noon(60 * number)
    return bodies.job(f"job-{number}", created=slot, slot=slot, status=status, **given)


def pod(number: int, exit_code: int, *, attempt: int = 1, seconds: float = 10, **given: Any) -> Body:
    start = 60 * number + 20 * (attempt - 1)
    status = bodies.ended(exit_code, started=after_noon(start), finished=after_noon(start + seconds), **given)
    name = f"job-{number}-p{attempt}"
    return bodies.pod(name, job_name=f"job-{number}", created=after_noon(start), status=status)


def ran(number: int, *exit_codes: int, seconds: float = 10) -> tuple[Body, list[Body]]:
    """The Job of the n-th minute, which ended with the last exit code, and its Pods."""
    codes = enumerate(exit_codes, start=1)
    pods = [pod(number, code, attempt=attempt, seconds=seconds) for attempt, code in codes]
    start = after_noon(60 * number)
    end = after_noon(60 * number + 20 * (len(pods) - 1) + seconds)
    if exit_codes[-1] == 0:
        status = {**bodies.complete(start, end), "failed": len(pods) - 1}
    else:
        status = bodies.failed(start, end, pods=len(pods))
    return job(number, status=status), pods


def see(ledger: Ledger, *runs: tuple[Body, list[Body]], **given: Any) -> Assessment:
    """What the ledger makes of these Jobs and their Pods, long after."""
    jobs, pods = [run[0] for run in runs], [body for run in runs for body in run[1]]
    return ledger.see(observe(jobs=jobs, pods=pods, **{"now": after_noon(3000), **given}))
