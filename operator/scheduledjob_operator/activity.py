"""When some run was active, as far as slots are concerned. Pure."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate

SETTLING = timedelta(seconds=10)
"""How long Kubernetes may take to turn to a later slot, and the Job of a slot to be seen."""
PUNCTUAL = timedelta(minutes=1) + SETTLING
"""A run that starts sooner after its slot is one that Kubernetes was late with when many were due at once."""
_FOR_EVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A run, as far as slots are concerned."""

    slot: datetime | None
    start: datetime
    end: datetime | None
    """None while active."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """When some run was active. Of the runs in the order of their beginnings, up to each the latest end."""

    begins: Sequence[datetime]
    ends: Sequence[datetime]

    @classmethod
    def during(cls, spans: Sequence[Span]) -> "Activity":
        lasting = [span for span in spans if span.end is None or span.end > span.start]
        runs = sorted((_begin(span), span.end or _FOR_EVER) for span in lasting)
        return cls(begins=[begin for begin, _ in runs], ends=list(accumulate((end for _, end in runs), max)))

    def at(self, slot: datetime) -> bool:
        """Whether a run that began before a slot ended after it."""
        before = bisect_left(self.begins, slot)
        return before > 0 and self.ends[before - 1] > slot


def _begin(span: Span) -> datetime:
    """Since when a run kept Kubernetes from starting others: it decides, and creates the Job a little later.

    A run of an older slot, such as a backfill or one that is caught up, does so from its start.
    """
    if span.slot is None or span.start >= span.slot + PUNCTUAL:
        return span.start
    return min(span.slot, span.start)
