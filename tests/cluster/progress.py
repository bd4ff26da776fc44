"""A line when a step begins, its duration when it ends: a cold start takes minutes and must not look hung."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


def say(text: str) -> None:
    print(f"cluster: {text}", file=sys.stderr, flush=True)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Say what is being done now, and how long it took."""
    say(f"{text} ...")
    began = time.monotonic()
    yield
    say(f"{text}: {time.monotonic() - began:.1f} s")


class ClusterError(RuntimeError):
    """The cluster cannot be had; the message is a sentence that says what to do about it."""
