import threading
import time

from job_runner import job_handler


@job_handler("it")
def it() -> dict[str, int]:
    threading.Thread(target=time.sleep, args=[60]).start()
    return {"done": 7}
