import asyncio

from job_runner import job_handler


@job_handler("it")
async def it() -> None:
    while True:
        try:
            await asyncio.sleep(60)
        except BaseException:  # noqa: BLE001
            continue
