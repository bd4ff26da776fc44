import threading

from job_runner import job_handler


@job_handler("it")
def it() -> None:
    threading.Timer(0.2, lambda: print("late", flush=True)).start()
