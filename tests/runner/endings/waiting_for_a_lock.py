import threading

from job_runner import job_handler


@job_handler("it")
def it() -> None:
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()
