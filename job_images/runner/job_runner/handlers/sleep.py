import time

from job_runner import Cancelled, Context, DataError, job_handler


@job_handler("sleep")
def sleep(context: Context, seconds: float = 10.0) -> dict[str, float]:
    """Sleeps, and says how long it slept even when it is woken early."""
    if seconds < 0:
        raise DataError("seconds is below 0")
    start = time.monotonic()
    try:
        time.sleep(seconds)
    except Cancelled:
        context.logger.info("woken early")
    return {"sleptSeconds": round(time.monotonic() - start, 3)}
