"""How long an operation of a run may take."""

import math

from job_runner.context import Context

_RESERVE = 1.0


def longest_wait(context: Context) -> float:
    """Seconds until a little after the deadline: the run is cancelled at it, and does not fail before.

    Infinite for a run without a time limit.
    """
    remaining = context.remaining_seconds
    return math.inf if remaining is None else remaining + _RESERVE
