import time

from job_runner import job_handler


@job_handler("it")
def it() -> None:
    while True:
        try:
            time.sleep(60)
        except BaseException:  # noqa: BLE001
            continue
