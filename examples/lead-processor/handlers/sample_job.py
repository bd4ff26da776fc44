import time

from job_runner import Context, job_handler


@job_handler("sample-job")
def sample_job(context: Context, seconds: float = 0.0) -> dict[str, str]:
    """Does nothing for a while, and says for which slot."""
    time.sleep(seconds)
    return {"slot": context.slot.isoformat() if context.slot else "none"}
