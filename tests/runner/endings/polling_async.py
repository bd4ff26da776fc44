import asyncio

from job_runner import Context, job_handler


@job_handler("it", interrupt=False)
async def it(context: Context) -> dict[str, int]:
    print("busy", flush=True)
    while not context.cancelled:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    return {"done": 7}
