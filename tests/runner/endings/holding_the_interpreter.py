from job_runner import job_handler


@job_handler("it")
def it() -> int:
    return sum(range(10**12))
