"""Reading the API server's audit log: what was asked by whom, counted on the API server's side."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `began` and `ended` are seconds since the epoch, by the API server's clock."""

    user: str
    verb: str
    resource: str
    """With its subresource: `scheduledjobs/status`."""
    namespace: str
    name: str
    code: int
    began: float
    ended: float
    next_page: bool
    """A page of a list after the first one."""

    @property
    def is_write(self) -> bool:
        return self.verb in WRITES

    @property
    def what(self) -> str:
        return f"{self.verb} {self.resource}"


class AuditLog:
    """The log of one API server, which it goes on writing."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def end(self) -> int:
        """Where the log ends now, in bytes: pass it to `Tail` to read only what comes after."""
        return self.path.stat().st_size if self.path.exists() else 0


class Tail:
    """What one user has asked for since a moment."""

    def __init__(self, log: AuditLog, *, user: str) -> None:
        self._log = log
        self._user = user
        self._offset = log.end()
        self._watches: set[str] = set()
        self.requests: list[Request] = []

    def read(self) -> list[Request]:
        """Take in what was added; all requests since the moment, oldest first."""
        if not self._log.path.exists():
            return self.requests
        with self._log.path.open("rb") as file:
            file.seek(self._offset)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            self._take(json.loads(line))
        return self.requests

    def _take(self, event: dict[str, object]) -> None:
        identity = str(event["auditID"])
        if event["stage"] == "ResponseStarted":
            self._watches.add(identity)
        elif identity in self._watches:
            return  # the end of a watch whose start was counted
        request = _parsed(event)
        if request.user == self._user:
            self.requests.append(request)


def _parsed(event: dict[str, object]) -> Request:
    target = event.get("objectRef")
    reference: dict[str, str] = target if isinstance(target, dict) else {}
    user, answer = event["user"], event.get("responseStatus")
    resource = reference.get("resource") or urlsplit(str(event["requestURI"])).path
    if subresource := reference.get("subresource"):
        resource = f"{resource}/{subresource}"
    return Request(
        user=user["username"] if isinstance(user, dict) else "",
        verb=str(event["verb"]),
        resource=resource,
        namespace=reference.get("namespace", ""),
        name=reference.get("name", ""),
        code=int(answer.get("code", 0)) if isinstance(answer, dict) else 0,
        began=_seconds(event["requestReceivedTimestamp"]),
        ended=_seconds(event["stageTimestamp"]),
        next_page="continue" in parse_qs(urlsplit(str(event["requestURI"])).query),
    )


def _seconds(timestamp: object) -> float:
    return datetime.fromisoformat(str(timestamp)).timestamp()


def tally(requests: Iterable[Request]) -> dict[str, int]:
    """How often each was asked for: `patch scheduledjobs/status` -> number, the most frequent first."""
    return dict(Counter(request.what for request in requests).most_common())


def writes(requests: Iterable[Request]) -> list[Request]:
    return [request for request in requests if request.is_write]


def next_pages(requests: Iterable[Request]) -> int:
    """Pages of lists beyond the first one of each: they grow with the number of objects."""
    return sum(request.next_page for request in requests)
