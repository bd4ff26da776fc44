from job_runner import job_handler


@job_handler("it")
def it() -> None:
    while True:
        pass
