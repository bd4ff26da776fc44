"""Makes the service compute its anchors anew."""

from job_runner import Context, job_handler
from job_runner.connections.redis_server import open_redis, remove_matching


@job_handler("anchor-refresh")
def anchor_refresh(context: Context) -> dict[str, int]:
    """Drops what is cached of the anchors."""
    with open_redis(context) as cache:
        return {"invalidated": remove_matching(cache, "anchor:*")}
