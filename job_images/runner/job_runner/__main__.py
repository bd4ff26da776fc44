"""`python -m job_runner`, the entry point of the image."""

import time

STARTED = time.monotonic()

import os  # noqa: E402  (the clock of the time limit starts before anything else is loaded)
import sys  # noqa: E402

from job_runner.cli import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ, started=STARTED))
