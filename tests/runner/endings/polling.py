import time

from job_runner import Context, job_handler


@job_handler("it", interrupt=False)
def it(context: Context) -> dict[str, int]:
    print("busy", flush=True)
    while not context.cancelled:
        time.sleep(0.01)
    return {"done": 7}
