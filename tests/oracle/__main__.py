"""`python -m tests.oracle --cases 1000000`: compare for longer than the unit tests do."""

import argparse
import random
import sys
import time

from tests.oracle.cases import random_cases
from tests.oracle.comparison import compare
from tests.oracle.program import OracleError, build


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.oracle", description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000, help="how many (default: %(default)s)")
    parser.add_argument(
        "--seed", type=int, default=random.SystemRandom().randrange(2**32), help="to repeat a run"
    )
    options = parser.parse_args()
    try:
        program = build()
        began = time.monotonic()
        print(f"comparing {options.cases} cases with robfig/cron, seed {options.seed}", flush=True)
        tally = compare(program, random_cases(options.cases, seed=options.seed))
    except OracleError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{tally} (in {time.monotonic() - began:.0f} s)")
    for line in tally.differences[:20]:
        print(line)
    return 1 if tally.differences else 0


if __name__ == "__main__":
    sys.exit(main())
