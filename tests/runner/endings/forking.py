import multiprocessing
import time

from job_runner import job_handler


@job_handler("it")
def it() -> int | None:
    worker = multiprocessing.get_context("fork").Process(target=time.sleep, args=[60])
    worker.start()
    worker.terminate()
    worker.join()
    return worker.exitcode
