import asyncio

from job_runner import job_handler


@job_handler("it")
async def it() -> dict[str, int]:
    try:
        print("busy", flush=True)
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        return {"done": 7}
    return {}
