"""Tells a monitor in the manner of healthchecks.io that a run has begun, and how it ended."""

import logging
import queue
import threading

from job_runner.connections.http_client import HttpClient, open_http
from job_runner.context import Context
from job_runner.errors import JobError

_LOG = logging.getLogger(__name__)
_ATTEMPTS = 3
_AFTER_CANCELLATION = 2.0
"""Seconds for the last ping of a run that has to end already: less than the process has left."""
_RESERVE = 0.5
"""Seconds before the deadline in which no ping is waited for: a run is not to time out because of one."""


class Monitor:
    """Sends pings from a thread of its own, in order: one that is not answered holds up nothing but the end.

    url: secret, as whoever knows it can send pings too. variable: where it comes from, for the log.
    """

    def __init__(self, context: Context, url: str, *, variable: str, timeout: float) -> None:
        self._context = context
        address, question, query = url.partition("?")
        self._address = address.rstrip("/")
        self._query = question + query
        self._variable = variable
        self._timeout = timeout
        self._warned = False
        self._pings: queue.SimpleQueue[tuple[str, dict[str, object]] | None] = queue.SimpleQueue()
        # A daemon, or a ping that hangs would keep the process.
        self._thread = threading.Thread(target=self._send_all, name="pings", daemon=True)

    def start(self) -> None:
        """The run begins."""
        self._pings.put(("/start", {}))
        self._thread.start()

    def finish(self, suffix: str, body: dict[str, object]) -> None:
        """The run has ended: returns when the monitor knows, or when it was given time enough."""
        self._pings.put((suffix, body))
        self._pings.put(None)
        self._thread.join(self._patience())
        if self._thread.is_alive():
            self._warn("no answer in time")

    def _patience(self) -> float:
        if self._context.cancelled:
            return min(self._timeout, _AFTER_CANCELLATION)
        remaining = self._context.remaining_seconds
        return self._timeout if remaining is None else min(self._timeout, max(remaining - _RESERVE, 0.0))

    def _send_all(self) -> None:
        try:
            with open_http(
                self._context, timeout=self._timeout, attempts=_ATTEMPTS, label=self._variable
            ) as client:
                while (ping := self._pings.get()) is not None:
                    self._send(client, *ping)
        except JobError as error:
            self._warn(error)
        except Exception as error:  # noqa: BLE001  (nothing about the pings may be the run's trouble)
            self._warn(type(error).__name__)

    def _send(self, client: HttpClient, suffix: str, body: dict[str, object]) -> None:
        try:
            client.request("POST", f"{self._address}{suffix}{self._query}", json=body or None)
        except JobError as error:
            self._warn(error)

    def _warn(self, why: object) -> None:
        """Once a run: the first failure tells enough."""
        if not self._warned:
            self._warned = True
            _LOG.warning("the monitor of %s was not told how the run goes: %s", self._variable, why)
