"""Names of the Jobs that the operator makes. Pure.

The name is what keeps one run from being made twice, so equal things get equal names, also after a restart,
and different things different ones. Only the name of a slot's Job ends in bare digits: from these the
runner reads the slot.
"""

import hashlib
from datetime import datetime

LONGEST = 61
"""Longest name of a Job: its Pods carry it as a label of 63, and one with an index needs two for that."""
LONGEST_SUFFIX = 40
_HASH_LENGTH = 6


def fit(base: str, suffix: str) -> str:
    """`base-suffix`; when that is longer than 61 characters, the beginning of the base and a hash of it.

    `base` is the name of an object; `suffix` letters and digits, at most 40 of them, else ValueError.
    """
    if len(suffix) > LONGEST_SUFFIX or not suffix.isalnum():
        raise ValueError("a suffix has 1 to 40 letters and digits")
    if len(base) + 1 + len(suffix) <= LONGEST:
        return f"{base}-{suffix}"
    digest = hashlib.sha256(base.encode()).hexdigest()[:_HASH_LENGTH]
    head = base[: LONGEST - len(suffix) - len(digest) - 2].rstrip("-.")
    return f"{head}-{digest}-{suffix}"


def slot_job(name: str, slot: datetime, *, by_operator: bool = False) -> str:
    """The Job of a slot.

    Of one that Kubernetes fires as the CronJob controller names it, which therefore makes no second one: in
    minutes, and never shortened, for a ScheduledJob's name has at most 52 characters. In seconds of one that
    only the operator fires.
    """
    return fit(name, str(int(slot.timestamp()))) if by_operator else f"{name}-{_minutes(slot)}"


def attempt_job(run_id: str, number: int) -> str:
    """The Job of a later attempt of a run."""
    return fit(run_id, f"r{number}")


def request_job(name: str, request_id: str) -> str:
    """The Job of a run that was asked for. The letter keeps an identity of digits from reading as a slot."""
    return fit(name, f"m{request_id}")


def backfill_job(name: str, slot: datetime, request_id: str) -> str:
    """The Job of one slot of a backfill."""
    number = int(slot.timestamp()) if slot.second else _minutes(slot)
    return fit(f"{name}-{number}", f"b{request_id[:6]}")


def retry_job(run_id: str, request_id: str) -> str:
    """The Job of a run that tries a dead letter again; `run_id` is the dead letter's."""
    return fit(run_id, f"t{request_id}")


def probe_job(name: str, due: datetime) -> str:
    """The Job of the run that is tried while the schedule is paused."""
    return fit(name, f"p{int(due.timestamp())}")


def _minutes(slot: datetime) -> int:
    return int(slot.timestamp()) // 60
