import subprocess

from job_runner import job_handler


@job_handler("it")
def it() -> None:
    subprocess.run(["sleep", "60"], check=True)
