import asyncio

from job_runner import Context, job_handler


@job_handler("it")
async def it(context: Context) -> list[str]:
    done = []
    try:
        with context.shield():
            print("busy", flush=True)
            while not context.cancelled:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            done.append("whole")
        await asyncio.sleep(60)
        done.append("too far")
    except asyncio.CancelledError:
        return done
    return []
