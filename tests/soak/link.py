"""The way of one replica to the API server: a record of its writes, and bad weather on demand."""

from __future__ import annotations

import asyncio
import json
import random
import ssl
import time
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

import aiohttp
from aiohttp import web

from tests.soak.forwarding import Forwarder, broken
from tests.soak.writes import kind_of

LEASES = "leases"


class Fate(StrEnum):
    """What happens to a request."""

    HELD = "held"
    """It reaches the API server up to 20 seconds late, whether or not somebody still waits for its answer."""
    DROPPED = "dropped"
    """The connection breaks, and the API server never sees it."""
    LOST = "answer lost"
    """The API server has done it; the connection breaks before the answer."""
    CUT_OFF = "cut off"
    """It was sent while the replica was cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """How likely each request meets a fate, and how bad a cut is."""

    held: float = 0.0
    dropped: float = 0.0
    lost: float = 0.0
    broken_watches: float = 0.0
    """How likely a watch breaks off at an event."""
    longest_hold: float = 20.0
    late_delivery: float = 0.0
    """How likely a request sent while cut off arrives when that is over, instead of never."""


FAIR = Weather()


@dataclass(slots=True, kw_only=True)
class Write:
    """A request that writes. Times are of the monotonic clock."""

    kind: str
    name: str
    began: float
    fate: Fate | None = None
    sent: float | None = None
    """When it went on to the API server; None when it never did."""
    status: int = 0
    """The API server's answer; 0 when there was none."""

    @property
    def is_work(self) -> bool:
        """Whether it has changed what there is, the Lease aside."""
        return 200 <= self.status < 300 and LEASES not in self.kind


class Link(Forwarder):
    """Fair at first."""

    def __init__(self, *, server: str, tls: ssl.SSLContext, seed: int) -> None:
        super().__init__(server=server, tls=tls)
        self._random = random.Random(seed)
        self._cut: asyncio.Event | None = None
        """Set when the cut is over."""
        self._wanted = ""
        self._released = asyncio.Event()
        self.held: Write | None = None
        """The write that `hold` was for."""
        self.weather = FAIR
        self.writes: list[Write] = []
        self.fates: Counter[Fate] = Counter()

    def cut(self) -> None:
        """Nothing goes through from now on, and nobody is told so: it is silent."""
        self._cut = self._cut or asyncio.Event()

    def mend(self) -> None:
        """All goes through again."""
        if self._cut is not None:
            self._cut.set()
            self._cut = None

    def hold(self, kind: str) -> None:
        """Hold the next write of a kind until `release`, and cut off whatever comes after it."""
        self._wanted = kind

    def release(self) -> None:
        """Let the API server have the write that is held."""
        self._released.set()

    def first_work(self, *, since: float) -> float | None:
        """When the first write that began after a moment was done."""
        found = (write.sent for write in self.writes if write.began > since and write.is_work)
        return min((sent for sent in found if sent is not None), default=None)

    async def stop(self) -> None:
        self.mend()
        self.release()
        await super().stop()

    async def _answer(self, request: web.Request, *, data: bytes) -> web.StreamResponse:
        write = self._noted(request, data=data)
        if write is not None and write.kind == self._wanted:
            self._wanted, self.held = "", write
            self.cut()
            await self._released.wait()
            return await self._pass(request, data=data, write=write)
        fate = self._fate()
        if write is not None:
            write.fate = fate
        if fate is Fate.HELD:
            await asyncio.sleep(self._random.uniform(0.5, self.weather.longest_hold))
        if fate is Fate.CUT_OFF and not await self._arrives_late():
            return broken(request)
        if fate is Fate.DROPPED:
            return broken(request)
        response = await self._pass(request, data=data, write=write)
        if fate is not Fate.LOST and self._cut is not None:
            await self._cut.wait()  # so is what was under way
        return broken(request) if fate in (Fate.LOST, Fate.CUT_OFF) else response

    async def _pass(self, request: web.Request, *, data: bytes, write: Write | None) -> web.Response:
        if write is not None:
            write.sent = time.monotonic()
        try:
            response = await self._ask(request, data=data)
        except aiohttp.ClientError:
            return broken(request)
        if write is not None:
            write.status = response.status
        return response

    async def _arrives_late(self) -> bool:
        late = self._random.random() < self.weather.late_delivery
        if self._cut is not None:
            await self._cut.wait()
        return late

    def _fate(self) -> Fate | None:
        weather, dice = self.weather, self._random.random()
        fate = None
        if self._cut is not None:
            fate = Fate.CUT_OFF
        elif dice < weather.held:
            fate = Fate.HELD
        elif dice < weather.held + weather.dropped:
            fate = Fate.DROPPED
        elif dice < weather.held + weather.dropped + weather.lost:
            fate = Fate.LOST
        if fate is not None:
            self.fates[fate] += 1
        return fate

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        if self._cut is not None:
            await self._cut.wait()
            return broken(request)
        return await super()._stream(request)

    async def _may_pass(self, request: web.Request) -> None:
        if self._cut is not None:
            await self._cut.wait()
            raise ConnectionError
        if self._random.random() < self.weather.broken_watches:
            broken(request)
            raise ConnectionError

    def _noted(self, request: web.Request, *, data: bytes) -> Write | None:
        content_type = request.headers.get("Content-Type", "")
        kind = kind_of(request.method, request.path, content_type=content_type, data=data)
        if kind is None:
            return None
        name = request.path.removesuffix("/status").rpartition("/")[2]
        if request.method == "POST":
            name = json.loads(data)["metadata"].get("name", "")
        write = Write(kind=kind, name=name, began=time.monotonic())
        self.writes.append(write)
        return write
