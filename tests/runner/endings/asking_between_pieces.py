import time

from job_runner import Cancelled, Context, job_handler


@job_handler("it", interrupt=False)
def it(context: Context) -> dict[str, int]:
    print("busy", flush=True)
    try:
        while True:
            context.raise_if_cancelled()
            time.sleep(0.01)
    except Cancelled:
        return {"done": 7}
