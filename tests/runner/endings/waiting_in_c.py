import ctypes

from job_runner import job_handler


@job_handler("it")
def it() -> None:
    mutex = ctypes.create_string_buffer(64)
    lock = ctypes.CDLL(None).pthread_mutex_lock
    lock(mutex)
    lock(mutex)
