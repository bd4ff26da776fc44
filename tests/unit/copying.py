"""Copies of what the fakes hold: half the time of the long properties of the operator is spent on them."""

import pickle
from typing import TypeVar

T = TypeVar("T")


def copied(body: T) -> T:
    """As `copy.deepcopy` gives it, in a fifth of the time."""
    copy: T = pickle.loads(pickle.dumps(body, pickle.HIGHEST_PROTOCOL))
    return copy
