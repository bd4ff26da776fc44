"""The list of slots that had no run, as the status has it. Pure."""

from collections.abc import Sequence
from datetime import datetime

from scheduledjob_operator.models import Unstarted

MOST_ENTRIES = 20
"""Bound of status.unstarted in the custom resource definition."""


def with_verdicts(entries: Sequence[Unstarted], new: Sequence[Unstarted]) -> list[Unstarted]:
    """`status.unstarted`, newest first, with new verdicts, oldest first.

    A verdict that says the same as the newest entry is added to it. Of more than `MOST_ENTRIES` entries the
    oldest go.
    """
    result = list(reversed(entries))
    for verdict in new:
        newest = result[-1] if result else None
        if newest is None or (newest.result, newest.reason) != (verdict.result, verdict.reason):
            result.append(verdict)
            continue
        update = {
            "count": newest.count + verdict.count,
            "first": min(newest.first, verdict.first),
            "last": max(newest.last, verdict.last),
        }
        result[-1] = newest.model_copy(update=update)
    return result[::-1][:MOST_ENTRIES]


def without_slot(entries: Sequence[Unstarted], slot: datetime) -> tuple[list[Unstarted], Unstarted | None]:
    """`status.unstarted` less a slot whose run turned up after all, and the entry that the slot was in.

    The entry is None when none covers the slot: its verdict is not listed any more, or there was none. An
    entry covers all that lies between its first and last slot, so ask once, and only for a run that the
    schedule started: slots that ran or were caught up may lie there too, and were never counted in it.
    """
    result = list(entries)
    for place, entry in enumerate(result):
        if not entry.first <= slot <= entry.last:
            continue
        if entry.count == 1:
            del result[place]
            return result, entry
        first, last = entry.first, entry.last
        if entry.count == 2:  # of more, nobody knows which one is next to the bound
            first, last = (last, last) if slot == first else (first, first) if slot == last else (first, last)
        result[place] = entry.model_copy(update={"count": entry.count - 1, "first": first, "last": last})
        return result, entry
    return result, None
