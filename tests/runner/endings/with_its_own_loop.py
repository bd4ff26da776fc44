import asyncio

from job_runner import Cancelled, job_handler


@job_handler("it")
def it() -> dict[str, int]:
    try:
        asyncio.run(sleep())
    except Cancelled:
        return {"done": 7}
    return {}


async def sleep() -> None:
    print("busy", flush=True)
    await asyncio.sleep(60)
