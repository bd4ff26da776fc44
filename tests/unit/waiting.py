"""Waiting for a condition inside a running loop."""

import asyncio
from collections.abc import Callable


async def until(condition: Callable[[], bool], *, seconds: float = 20.0) -> None:
    """Return as soon as the condition holds. Raises TimeoutError when it does not come to that."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # what is waited for is not an Event
            await asyncio.sleep(0.001)
