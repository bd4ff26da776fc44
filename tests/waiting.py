"""Waiting for a condition instead of sleeping: tests end as soon as it holds, and say what they last saw."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
INTERVAL = 0.075
"""Seconds between two looks."""


def wait_until(
    predicate: Callable[[], T], *, timeout: float = 30.0, describe: str = "", interval: float = INTERVAL
) -> T:
    """Call `predicate` until it returns something true, and return that.

    interval: seconds between two looks; more of them where each starts a program.
    An AssertionError raised by it counts as "not yet", so a test can wait for a group of assertions.
    Raises AssertionError with the last value, or the last assertion's message, after `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while True:
        last: object
        try:
            value = predicate()
        except AssertionError as failed:
            last = failed
        else:
            if value:
                return value
            last = value
        if time.monotonic() >= deadline:
            what = describe or getattr(predicate, "__name__", "the condition")
            raise AssertionError(f"after {timeout:g} s still not: {what}; last seen: {last!r}")
        time.sleep(interval)
