"""What went wrong with Redis, as the error that chooses the exit code."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from job_runner.connections.quotations import without_quotations
from job_runner.errors import ConfigurationError, DataError, JobError, TryAgain, Unavailable

if TYPE_CHECKING:
    import redis

_MARKS = "\"'`"

# How Redis begins, or goes on with, an answer that is an error.
_MEANINGS: tuple[tuple[str, type[JobError], str], ...] = (
    (r"max number of clients", TryAgain, "Redis has too many clients"),
    (r"NOPERM|no permissions", ConfigurationError, "the user of Redis may not do this"),
    (r"DB index is out of range", ConfigurationError, "Redis has no database of that number"),
    (r"LOADING|loading the dataset", Unavailable, "Redis is still loading its data"),
    (r"MASTERDOWN|CLUSTERDOWN|READONLY|read only replica|MISCONF", Unavailable, "Redis takes no writes now"),
    (r"OOM|used memory > ", TryAgain, "Redis has no memory left for this"),
    (r"BUSY ", TryAgain, "Redis is busy with a script"),
    (
        r"LFU maxmemory policy is selected",
        ConfigurationError,
        "this Redis has an LFU policy (maxmemory-policy): it does not know how long keys have been idle",
    ),
    (r"unknown command", ConfigurationError, "this Redis does not know a command that is needed"),
)


@contextmanager
def translated(variable: str) -> Iterator[None]:
    """Failures of the connection with the address in `variable`, and of commands, as errors of job_runner."""
    import redis  # noqa: PLC0415

    try:
        yield
    except redis.RedisError as error:
        raise _job_error(error, variable) from None


def _job_error(error: "redis.RedisError", variable: str) -> JobError:
    import redis  # noqa: PLC0415

    text = str(error)
    if isinstance(error, redis.AuthenticationError) or re.search(r"NOAUTH|WRONGPASS", text):
        return _wrong_user(variable)
    for pattern, kind, meaning in _MEANINGS:
        if re.search(pattern, text):
            return kind(meaning)
    if isinstance(error, redis.TimeoutError):
        return Unavailable(f"Redis does not answer in time: the server of {variable}")
    if isinstance(error, redis.ConnectionError):
        return Unavailable(f"Redis does not answer: no connection with {variable}")
    return DataError(f"Redis refuses a command: {without_quotations(text, marks=_MARKS)}")


def _wrong_user(variable: str) -> JobError:
    return ConfigurationError(
        f"Redis refuses the connection: the user or the password of {variable} is wrong"
    )
