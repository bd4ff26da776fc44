import asyncio
import signal

from job_runner import job_handler


@job_handler("it")
async def it() -> None:
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR2, print)
    print("busy", flush=True)
    await asyncio.sleep(60)
