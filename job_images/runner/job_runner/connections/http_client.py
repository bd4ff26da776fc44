"""Requests to an HTTP API that are tried again where that is safe, and never outlast the run.

httpx and stamina are imported when a connection is opened: every run imports the files of all handlers.
"""

import json as json_module
import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from job_runner.connections.http_errors import (
    FailedAttempt,
    check_headers,
    failed_request,
    unexpected_status,
)
from job_runner.connections.limits import longest_wait
from job_runner.context import Context
from job_runner.errors import ConfigurationError, DataError, Unavailable

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

SUCCESS = range(200, 300)

_LOG = logging.getLogger(__name__)
_FIRST_WAIT, _LONGEST_WAIT = 0.2, 5.0
_LOOK_EVERY = 0.2
_LAST_SECONDS = 2.0
"""For a request of a run that has to end already, as its handler cleans up."""


@contextmanager
def open_http(
    context: Context,
    *,
    base_url: str = "",
    headers: Mapping[str, str] | None = None,
    timeout: float = 30.0,
    attempts: int = 4,
    max_bytes: int = 16 * 2**20,
    label: str = "",
) -> Iterator["HttpClient"]:
    """A client for the block. TLS is always checked, and redirects are not followed.

    timeout: seconds for one attempt; within a stream, for each wait. max_bytes: of an answer that is kept.
    label: what errors call the address instead of its host and path, for one that is secret itself.
    """
    try:
        import httpx  # noqa: F401, PLC0415
        import stamina  # noqa: F401, PLC0415
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f'{error.name} is not installed: pip install "scheduledjob-job-runner[http]"'
        ) from None
    check_headers(headers)
    _keep_quiet()
    client = _client(base_url, headers or {})
    with client:
        yield HttpClient(
            client, context, timeout=timeout, attempts=attempts, max_bytes=max_bytes, label=label
        )


class HttpClient:
    """Usable from several threads at once. Every failure is a JobError that names no query and no header."""

    def __init__(
        self,
        client: "httpx.Client",
        context: Context,
        *,
        timeout: float,
        attempts: int,
        max_bytes: int,
        label: str,
    ) -> None:
        self._client = client
        self._context = context
        self._timeout = timeout
        self._attempts = attempts
        self._max_bytes = max_bytes
        self._label = label

    def request(
        self,
        method: str,
        url: str,
        *,
        json: object = None,
        content: bytes | None = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        expected: Collection[int] = SUCCESS,
    ) -> "httpx.Response":
        """The whole answer; its `extensions["attempts"]` says how many it took.

        Tried again: what never reached the server, 429 and 503 (after their Retry-After), and with a method
        that may be repeated also 502, 504, timeouts and broken connections.
        """
        check_headers(headers)
        place = self._place(method, url)
        parts: dict[str, Any] = {"json": json, "content": content, "params": params, "headers": headers}

        def attempt(number: int) -> "httpx.Response":
            ends = time.monotonic() + self._limit()
            with closing(self._opened(method, url, place=place, expected=expected, **parts)) as response:
                whole = self._whole(response, place=place, ends=ends)
            whole.extensions["attempts"] = number
            return whole

        return self._repeated(attempt, place=place)

    def get_json(self, url: str, *, params: Mapping[str, Any] | None = None) -> Any:
        """What a GET answers. Raises DataError when that is no JSON."""
        response = self.request("GET", url, params=params)
        try:
            return json_module.loads(response.content)
        except (ValueError, RecursionError):
            raise DataError(f"{self._place('GET', url)}: the answer is not JSON") from None

    @contextmanager
    def stream(
        self, method: str, url: str, *, params: Mapping[str, Any] | None = None
    ) -> Iterator["httpx.Response"]:
        """An answer of any length, to be read in the block, for instance by its `iter_lines()`.

        Only its beginning is tried again. What breaks off later is Unavailable.
        """
        import httpx  # noqa: PLC0415

        place = self._place(method, url)
        response = self._repeated(
            lambda _: self._opened(method, url, place=place, params=params), place=place
        )
        try:
            yield response
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise failed_request(error, method=method, place=place).error from None
        finally:
            response.close()

    def _opened(
        self, method: str, url: str, *, place: str, expected: Collection[int] = SUCCESS, **parts: Any
    ) -> "httpx.Response":
        """An answer whose body is still to be read. Raises FailedAttempt."""
        import httpx  # noqa: PLC0415

        from job_runner.connections.inflating import inflated  # noqa: PLC0415

        try:
            request = self._client.build_request(method, url, timeout=self._limit(), **parts)
            response = self._client.send(request, stream=True)
            if response.status_code in expected:
                return inflated(response)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise failed_request(error, method=method, place=place) from None
        response.close()
        raise unexpected_status(response, place=place)

    def _whole(self, response: "httpx.Response", *, place: str, ends: float) -> "httpx.Response":
        """The same answer with its body, decompressed. Raises FailedAttempt."""
        import httpx  # noqa: PLC0415

        method = response.request.method
        body = bytearray()
        try:
            for piece in response.iter_bytes():
                body += piece
                if len(body) > self._max_bytes:
                    too_large = f"{place}: the answer is larger than {self._max_bytes} bytes"
                    raise FailedAttempt(DataError(too_large))
                if time.monotonic() > ends:
                    raise httpx.ReadTimeout("")
        except httpx.HTTPError as error:
            raise failed_request(error, method=method, place=place) from None
        return httpx.Response(
            response.status_code, headers=response.headers, content=bytes(body), request=response.request
        )

    def _repeated(self, attempt: Callable[[int], T], *, place: str) -> T:
        import stamina  # noqa: PLC0415

        number = 0

        def again(error: Exception) -> float | bool:
            if not isinstance(error, FailedAttempt) or number >= self._attempts:
                return False
            return 0.0 if self._has_waited(error, number) else False  # 0.0: nothing is left to wait

        try:
            for one in stamina.retry_context(on=again, attempts=self._attempts, timeout=None):
                number = one.num
                with one:
                    return attempt(number)
        except FailedAttempt as failed:
            tried = f" ({number} attempts)" if number > 1 else ""
            raise type(failed.error)(f"{failed.error}{tried}") from None
        raise Unavailable(f"{place}: no attempt was made")

    def _has_waited(self, failed: FailedAttempt, number: int) -> bool:
        """Wait before the next attempt; False when there is to be none.

        Here and not in stamina's sleep, so that threads, which no Cancelled reaches, do not keep the run.
        """
        import random  # noqa: PLC0415

        seconds = failed.wait
        if seconds is None:
            seconds = random.uniform(0.5, 1.0) * min(_FIRST_WAIT * 2**number, _LONGEST_WAIT)  # noqa: S311
        remaining = self._context.remaining_seconds
        if not failed.again or (remaining is not None and seconds >= remaining):
            return False
        _LOG.info("%s, trying again in %.1f s", failed.error, seconds, extra={"attempt": number})
        ends = time.monotonic() + seconds
        while not self._context.cancelled:
            left = ends - time.monotonic()
            if left <= 0:
                return True
            time.sleep(min(left, _LOOK_EVERY))
        return False

    def _limit(self) -> float:
        """Seconds for an attempt that begins now."""
        if self._context.cancelled:
            return min(self._timeout, _LAST_SECONDS)
        return min(self._timeout, longest_wait(self._context))

    def _place(self, method: str, url: str) -> str:
        import httpx  # noqa: PLC0415

        if self._label:
            return f"{method} {self._label}"
        try:
            full = self._client.build_request(method, url).url
        except httpx.InvalidURL:
            return method
        path = full.raw_path.partition(b"?")[0]
        return f"{method} {full.netloc.decode('ascii')}{path.decode('ascii')}"


def _client(base_url: str, headers: Mapping[str, str]) -> "httpx.Client":
    import httpx  # noqa: PLC0415

    from job_runner.connections.certificates import verifying_context  # noqa: PLC0415
    from job_runner.connections.inflating import ACCEPTED  # noqa: PLC0415

    try:
        client = httpx.Client(base_url=base_url, verify=verifying_context())
    except (ValueError, httpx.InvalidURL):  # both quote the address, a proxy's with its password
        raise ConfigurationError(
            "the base address, or that of a proxy in HTTP_PROXY, HTTPS_PROXY or ALL_PROXY, is none that can "
            "be used"
        ) from None
    except ImportError:
        raise ConfigurationError(
            "the proxy in HTTP_PROXY, HTTPS_PROXY or ALL_PROXY is one for SOCKS: give one for HTTP"
        ) from None
    client.headers["Accept-Encoding"] = ACCEPTED
    client.headers.update(headers)
    return client


def _keep_quiet() -> None:
    """The libraries log whole addresses, the headers of answers, and retries a second time."""
    for name in ("httpx", "httpcore"):
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, logging.WARNING))
    logging.getLogger("stamina").addFilter(_is_not_ours)


def _is_not_ours(record: logging.LogRecord) -> bool:
    return not str(vars(record).get("stamina.caused_by")).startswith(FailedAttempt.__name__)
