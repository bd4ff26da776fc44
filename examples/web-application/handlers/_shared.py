"""The site's HTTP API, for async handlers that ask it for many things at once."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from job_runner import ConfigurationError, Context, DataError, TryAgain, Unavailable
from job_runner.connections.variables import from_variable

if TYPE_CHECKING:
    import httpx

_ATTEMPTS = 4
_SECONDS = 5.0
"""One answer may take so long."""
_LONGEST_WAIT = 10.0


class Api:
    """Asks the API for things, so many at once as there are places."""

    def __init__(self, client: "httpx.AsyncClient", context: Context, *, places: int) -> None:
        self._client = client
        self._context = context
        self._places = asyncio.Semaphore(places)

    async def get_json(self, path: str) -> Any:
        """What is under `path`; None when there is nothing. What may pass is tried again."""
        import stamina  # noqa: PLC0415  (as every library here: only for the runs that need it)

        limit = self._context.remaining_seconds
        caller = stamina.AsyncRetryingCaller(attempts=_ATTEMPTS, timeout=limit, wait_jitter=0.2)
        async with self._places:
            return await caller(_wait_after, self._asked, path)

    async def _asked(self, path: str) -> Any:
        import httpx  # noqa: PLC0415

        shown = path.partition("?")[0]
        try:
            answer = await self._client.get(path)
        except httpx.TransportError as error:
            raise Unavailable(f"GET {shown}: the API does not answer ({type(error).__name__})") from None
        if answer.status_code == 404:
            return None
        if answer.status_code == 429:
            raise _Busy(shown, answer.headers.get("Retry-After", ""))
        if answer.status_code >= 500:
            raise Unavailable(f"GET {shown}: the API answers {answer.status_code}")
        if answer.status_code in (401, 403):
            raise ConfigurationError(f"GET {shown}: the API answers {answer.status_code}")
        if not answer.is_success:
            raise DataError(f"GET {shown}: the API answers {answer.status_code}")
        try:
            return answer.json()
        except ValueError:
            raise DataError(f"GET {shown}: the answer is not JSON") from None


class _Busy(TryAgain):
    """The API wants to be asked less often."""

    def __init__(self, path: str, retry_after: str) -> None:
        super().__init__(f"GET {path}: the API wants to be asked less often")
        self.seconds = min(float(retry_after), _LONGEST_WAIT) if retry_after.isdigit() else None


def _wait_after(error: Exception) -> bool | float:
    """Whether to try again, or after how many seconds."""
    if isinstance(error, _Busy) and error.seconds is not None:
        return error.seconds
    return isinstance(error, Unavailable | TryAgain)


@asynccontextmanager
async def open_api(context: Context, *, places: int = 4) -> AsyncIterator[Api]:
    """The API whose address is in the variable API_URL."""
    import httpx  # noqa: PLC0415

    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would log each address
    async with httpx.AsyncClient(base_url=from_variable("API_URL"), timeout=_SECONDS) as client:
        yield Api(client, context, places=places)
