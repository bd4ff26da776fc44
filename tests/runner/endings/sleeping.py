import time

from job_runner import job_handler


@job_handler("it")
def it() -> None:
    print("busy", flush=True)
    time.sleep(60)
