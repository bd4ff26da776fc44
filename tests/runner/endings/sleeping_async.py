import asyncio

from job_runner import job_handler


@job_handler("it")
async def it() -> None:
    await asyncio.sleep(60)
