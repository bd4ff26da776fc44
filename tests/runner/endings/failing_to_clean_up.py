import time

from job_runner import job_handler


@job_handler("it")
def it() -> None:
    try:
        time.sleep(60)
    finally:
        raise ValueError("clean-up")
