import time

from job_runner import job_handler


@job_handler("it")
async def it() -> None:
    print("busy", flush=True)
    time.sleep(60)  # noqa: ASYNC251
