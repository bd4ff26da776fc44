"""Copies of what the fakes hold: properties that run through thousands of requests spend half their time here."""

import pickle
from typing import TypeVar

T = TypeVar("T")


def copied(body: T) -> T:
    """As `copy.deepcopy` gives it, in a fifth of the time."""
    copy: T = pickle.loads(pickle.dumps(body, pickle.HIGHEST_PROTOCOL))
    return copy
