"""What goes wrong on demand: answers that refuse, come late, end half-way or hold a bad record."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Fault:
    """One thing that goes wrong with the requests whose path begins with `path`."""

    path: str = "/v1"
    query: str = ""
    """What the query contains."""
    method: str | None = None
    times: int | None = None
    """How often; None is until the faults are taken away."""
    after: int = 0
    """How many requests go well before."""
    status: int | None = None
    retry_after: float | str | None = None
    delay_seconds: float = 0
    cut_after_bytes: int | None = None
    """The connection ends after so much of the body."""
    replace_item: int | None = None
    """The place of the item in its collection, counted from 0, that `replacement` stands for."""
    replacement: Any = None
    body: str | None = None
    """Sent in place of the answer, as it is."""

    def concerns(self, method: str, path: str, query: str) -> bool:
        """Whether this request goes wrong; counts it."""
        meant = path.startswith(self.path) and self.query in query and self.method in {None, method}
        if not meant or self.times == 0:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


def from_json(wanted: Mapping[str, Any]) -> Fault:
    """Raises TypeError for a field that no fault has."""
    fields = dict(wanted)
    if "with" in fields:
        fields["replacement"] = fields.pop("with")
    return Fault(**fields)


@dataclass
class Faults:
    """The faults in force, in the order in which they were asked for."""

    _faults: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def of_request(self, method: str, path: str, query: str) -> list[Fault]:
        with self._lock:
            return [fault for fault in self._faults if fault.concerns(method, path, query)]
