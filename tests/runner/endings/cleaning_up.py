import time

from job_runner import Cancelled, job_handler


@job_handler("it")
def it(seconds: float) -> str:
    try:
        print("busy", flush=True)
        time.sleep(60)
    except Cancelled:
        print("cleaning", flush=True)
        time.sleep(seconds)
    return "clean"
