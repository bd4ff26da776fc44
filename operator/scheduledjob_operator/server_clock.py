"""What time it is by the API server's clock, which its answers tell to the second."""

import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

EVERY = 1.0
"""Seconds between two looks: the clocks do not drift apart faster than that."""


class ServerClock:
    """Follows the `Date` of the answers; until there is one it is our own clock."""

    def __init__(self) -> None:
        self._ahead = timedelta()
        self._noted = -EVERY

    @property
    def now(self) -> datetime:
        """The time there, up to a second and the way of the last answer behind."""
        return datetime.now(UTC) + self._ahead

    def note(self, date: str | None) -> None:
        """Take in the `Date` header of an answer that has just come."""
        monotonic = time.monotonic()
        if date is None or monotonic - self._noted < EVERY:
            return
        self._noted = monotonic
        try:
            self._ahead = parsedate_to_datetime(date) - datetime.now(UTC)
        except ValueError:  # something between us and it has written its own
            return
