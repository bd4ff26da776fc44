"""An async handler: many pages are on their way at once, and one that fails holds up no other."""

import asyncio
import json
from typing import Any
from urllib.parse import quote

from _shared import Api, open_api

from job_runner import ConfigurationError, Context, DataError, JobError, TryAgain, job_handler
from job_runner.connections.redis_server import open_redis


@job_handler("warm_cache")
async def warm_cache(context: Context, pages: int = 20, minutes: int = 15) -> dict[str, int]:
    """Puts the most visited pages into the cache; those that are gone leave it."""
    if pages < 1 or minutes < 1:
        raise DataError("pages and minutes have to be at least 1")
    with open_redis(context) as redis:
        names = [str(name) for name in redis.zrange("visits", 0, pages - 1, desc=True)]
        answers = await _fetched(context, names)
        warm = {name: page for name, page in answers.items() if isinstance(page, dict)}
        gone = [name for name, page in answers.items() if page is None]
        with redis.pipeline() as pipeline:
            for name, page in warm.items():
                pipeline.set(f"page:{name}", json.dumps(page), ex=minutes * 60)
            for name in gone if warm else ():  # where nothing is found, it is the address that is wrong
                pipeline.unlink(f"page:{name}")
                pipeline.zrem("visits", name)
            pipeline.execute()
    _complain_of({name: error for name, error in answers.items() if isinstance(error, JobError)}, len(names))
    if gone and not warm:
        raise ConfigurationError(f"the API has none of {len(gone)} pages: is API_URL its address?")
    return {"warm": len(warm), "gone": len(gone)}


async def _fetched(context: Context, names: list[str]) -> dict[str, Any]:
    """What the API says about each page: the page, None when it is gone, or the error."""
    async with open_api(context, places=8) as api, asyncio.TaskGroup() as group:
        tasks = {name: group.create_task(_page_or_error(api, name)) for name in names}
    return {name: task.result() for name, task in tasks.items()}


async def _page_or_error(api: Api, name: str) -> Any:
    try:
        page = await api.get_json(f"/v1/pages/{quote(name, safe='')}")
    except JobError as error:
        return error
    return page if page is None or isinstance(page, dict) else DataError(f"page {name} is not an object")


def _complain_of(errors: dict[str, JobError], asked: int) -> None:
    """Raise what went wrong, if anything did: the first error of all the pages, or one that names some."""
    if len(errors) == asked and errors:
        raise next(iter(errors.values()))
    if errors:
        raise TryAgain(f"{len(errors)} of {asked} pages were not to be had: {', '.join(errors)}")
