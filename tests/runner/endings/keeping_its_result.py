import time

from job_runner import Cancelled, job_handler


@job_handler("it")
def it() -> dict[str, int]:
    try:
        print("busy", flush=True)
        time.sleep(60)
    except Cancelled:
        return {"done": 7}
    return {}
