import time

from job_runner import Cancelled, Context, job_handler


@job_handler("it")
def it(context: Context) -> list[str]:
    done = []
    try:
        with context.shield():
            print("busy", flush=True)
            while not context.cancelled:
                time.sleep(0.01)
            done.append("whole")
        done.append("too far")
    except Cancelled:
        return done
    return []
