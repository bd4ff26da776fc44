from job_runner import DataError, job_handler

_MEBIBYTE = 1024 * 1024


@job_handler("allocate_memory")
def allocate_memory(mebibytes: int = 64) -> dict[str, int]:
    """Fills memory, to see it in the run's record or to be ended for it."""
    if mebibytes < 1:
        raise DataError("mebibytes is below 1")
    pieces = [b"\xff" * _MEBIBYTE for _ in range(mebibytes)]
    return {"bytes": sum(map(len, pieces))}
