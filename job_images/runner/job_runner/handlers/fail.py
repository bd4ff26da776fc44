import sys

from job_runner import Context, job_handler


@job_handler("fail")
def fail(
    context: Context,
    message: str = "as it was asked to",
    exit_code: int | None = None,
    until_attempt: int = 0,
) -> dict[str, int]:
    """Logs a message and fails, with an exit code if given, up to the attempt before `until_attempt`."""
    if context.attempt is not None and 0 < until_attempt <= context.attempt:
        return {"attempt": context.attempt}
    context.logger.error("failing: %s", message)
    if exit_code is not None:
        sys.exit(exit_code)
    raise RuntimeError("failed on purpose")
