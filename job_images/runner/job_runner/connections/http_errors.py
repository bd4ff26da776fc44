"""What went wrong with a request, as an error that chooses the exit code.

The texts are our own: those of the library quote header values and whole addresses.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

from job_runner.connections.sentences import NO_SUCH_HOST, not_trusted
from job_runner.errors import ConfigurationError, DataError, JobError, TryAgain, Unavailable

if TYPE_CHECKING:
    import httpx

E = TypeVar("E", bound=BaseException)

_REPEATABLE = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"}
_TOO_MANY = 429
_NOT_NOW = 503
LONGEST_RETRY_AFTER = 60.0
"""Seconds that a run waits because a server says so: for more there is the next attempt of the job."""
_GATEWAY = {502, 504}
_SETTINGS = {401, 403, 404}
_REDIRECTS = {301, 302, 303, 307, 308}


class FailedAttempt(Exception):  # noqa: N818  (never seen outside the client)
    """One attempt failed. error: what to raise when it was the last; again: whether another one may help.

    wait: seconds that the server asked for, if it did.
    """

    def __init__(self, error: JobError, *, again: bool = False, wait: float | None = None) -> None:
        super().__init__(type(error).__name__)
        self.error = error
        self.again = again
        self.wait = wait


def unexpected_status(response: "httpx.Response", *, place: str) -> FailedAttempt:
    """The failure that an answer with a status nobody expected stands for."""
    code = response.status_code
    text = f"{place}: answered {_status(code)}"
    if code in (_TOO_MANY, _NOT_NOW):
        wait = _retry_after(response.headers)
        if wait is not None and wait > LONGEST_RETRY_AFTER:
            return FailedAttempt(TryAgain(f"{text}, to be asked again in {wait:.0f} s"))
        kind = TryAgain if code == _TOO_MANY else Unavailable
        return FailedAttempt(kind(text), again=True, wait=wait)
    if code >= 500:
        again = code in _GATEWAY and response.request.method in _REPEATABLE
        return FailedAttempt(Unavailable(text), again=again)
    if code in _SETTINGS:
        return FailedAttempt(ConfigurationError(text))
    if code in _REDIRECTS:
        return FailedAttempt(DataError(f"{text}: give the address that it leads to"))
    return FailedAttempt(DataError(text))


def failed_request(error: Exception, *, method: str, place: str) -> FailedAttempt:
    """The failure behind an exception of httpx, when there was no answer or it did not come to its end."""
    import ssl  # noqa: PLC0415  (handler files import this module, and few of them are run)

    import httpx  # noqa: PLC0415

    if (certificate := _cause(error, ssl.SSLCertVerificationError)) is not None:
        return FailedAttempt(not_trusted(place, certificate.verify_message))
    repeatable = method.upper() in _REPEATABLE
    match error:
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            return FailedAttempt(Unavailable(f"{place}: no connection in time"), again=True)
        case httpx.ConnectError() | httpx.ProxyError():
            return FailedAttempt(Unavailable(f"{place}: no connection{_why(error)}"), again=True)
        case httpx.TimeoutException():
            return FailedAttempt(Unavailable(f"{place}: no answer in time"), again=repeatable)
        case httpx.NetworkError() | httpx.RemoteProtocolError():
            return FailedAttempt(Unavailable(f"{place}: the connection broke{_why(error)}"), again=repeatable)
        case httpx.DecodingError():
            return FailedAttempt(
                DataError(f"{place}: the answer is not compressed in the way it says, or was asked for")
            )
        case httpx.UnsupportedProtocol() | httpx.InvalidURL():
            return FailedAttempt(
                ConfigurationError(f"{place}: that is no address: write for instance https://host/path")
            )
    return FailedAttempt(
        ConfigurationError(f"{place}: HTTP does not allow such a request ({type(error).__name__})")
    )


def check_headers(headers: Mapping[str, str] | None) -> None:
    """Raise ConfigurationError for what cannot be sent; the library's own errors quote the value."""
    for name, value in (headers or {}).items():
        if not (name.isascii() and name.replace("-", "").replace("_", "").isalnum()):
            raise ConfigurationError(f"{name!r} is no name of a header: write for instance X-Api-Key")
        if not (value.isascii() and value.isprintable()):
            raise ConfigurationError(
                f"header {name} cannot be sent: its value has line breaks or letters beyond ASCII in it"
            )


def _status(code: int) -> str:
    from http import HTTPStatus  # noqa: PLC0415

    try:
        return f"{code} {HTTPStatus(code).phrase}"
    except ValueError:
        return str(code)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from a Retry-After header, which gives them or a date."""
    from datetime import UTC, datetime  # noqa: PLC0415
    from email.utils import parsedate_to_datetime  # noqa: PLC0415

    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max((moment - datetime.now(tz=UTC)).total_seconds(), 0.0)


def _why(error: BaseException) -> str:
    """Such as `: Connection refused`, in the words of the operating system."""
    import socket  # noqa: PLC0415

    if _cause(error, socket.gaierror) is not None:
        return f": {NO_SUCH_HOST}"
    cause = next((one for one in _chain(error) if isinstance(one, OSError) and one.strerror), None)
    return f": {cause.strerror}" if cause else ""


def _cause(error: BaseException, kind: type[E]) -> E | None:
    return next((one for one in _chain(error) if isinstance(one, kind)), None)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
