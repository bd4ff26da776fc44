"""Takes over the metrics of all corridors from the network."""

import math
from itertools import chain
from typing import Any

from _shared import open_network, pages

from job_runner import Context, DataError, job_handler
from job_runner.connections.redis_server import open_redis, remove_matching, scan_batches

METRICS = "network:corridor:"
CACHES = "corridor:*"
FIGURES = ("successRate", "volumeUsd", "settlementSeconds")


@job_handler("corridor-refresh")
def corridor_refresh(
    context: Context, page_size: int = 5, request_timeout: float = 10.0, allow_none: bool = False
) -> dict[str, int]:
    """Writes the metrics of all corridors to Redis, then drops what was computed from the old ones.

    allow_none: whether it is true that there are none any more; else an empty list is taken for a mistake.
    """
    with open_network(context, request_timeout=request_timeout) as network:
        found = list(pages(network, "/v1/corridors", limit=page_size))
    corridors = [_checked(item, number) for number, item in enumerate(chain(*found), start=1)]
    keys = {METRICS + corridor["id"] for corridor in corridors}
    with open_redis(context) as cache, context.shield():  # old metrics and new caches never stand together
        gone = {key for batch in scan_batches(cache, f"{METRICS}*") for key in batch} - keys
        if gone and not keys and not allow_none:
            raise DataError(
                "the network lists no corridor at all: nothing is changed; allow_none lets all go"
            )
        with cache.pipeline(transaction=True) as writing:
            for corridor in corridors:
                writing.hset(METRICS + corridor["id"], mapping=corridor)
            if gone:
                writing.unlink(*gone)
            writing.execute()
        invalidated = remove_matching(cache, CACHES)
    return {"corridors": len(corridors), "pages": len(found), "gone": len(gone), "invalidated": invalidated}


def _checked(item: Any, number: int) -> dict[str, Any]:
    """The fields that are kept. Nothing is written when one corridor is not what was promised."""
    if not isinstance(item, dict) or not isinstance(item.get("id"), str):
        raise DataError(f"corridor {number} of /v1/corridors has no id")
    for figure in FIGURES:
        value = item.get(figure)
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < math.inf:
            raise DataError(f"corridor {number} of /v1/corridors: {figure} is not a number")
    return {name: item[name] for name in ("id", *FIGURES)}
