"""The time of the verbs that wait: a clock that tests can turn, and when to look again."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Protocol

import click

BETWEEN_LOOKS = 0.25
"""Seconds between the first looks."""
MOST_BETWEEN_LOOKS = 2.0


class Clock(Protocol):
    """Which time it is, and how it passes."""

    def now(self) -> datetime: ...

    def monotonic(self) -> float:
        """Seconds since whenever."""
        ...

    def sleep(self, seconds: float) -> None: ...


class Interrupted(click.ClickException):
    """Ctrl-C while a verb waited: click's own "Aborted!" would sound as if what is waited for had ended."""

    exit_code = 130


class SystemClock:
    """The machine's own."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def looks(clock: Clock, *, patience: float | None) -> Iterator[None]:
    """Once for each look at something that takes its time, ever more seldom; ends after `patience` seconds.

    The last look comes when they are over; None: there is no last one.
    """
    began, pause = clock.monotonic(), BETWEEN_LOOKS
    while True:
        yield
        elapsed = clock.monotonic() - began
        if patience is not None and elapsed >= patience:
            return
        clock.sleep(pause if patience is None else min(pause, patience - elapsed))
        pause = min(pause * 1.1, MOST_BETWEEN_LOOKS)
