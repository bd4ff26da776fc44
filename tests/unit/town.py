"""Candidates for one Lease in virtual time, each with a clock and a way to the server of its own."""

import asyncio
import itertools
from collections import deque
from datetime import timedelta
from typing import Any, NamedTuple

from scheduledjob_operator.cluster import ApiError, Body
from scheduledjob_operator.election import Election
from tests.unit.copying import copied
from tests.unit.moments import NOON
from tests.unit.virtual_time import Process, Time


class Fate(NamedTuple):
    """What becomes of a request: seconds to the server and back, and how it ends."""

    there: float = 0.01
    back: float = 0.01
    end: str = "answered"


GOOD = Fate()
LOST = Fate(end="lost")
"""It never arrives, and nobody says so."""
UNANSWERED = Fate(end="unanswered")
"""It is done, and nobody says so."""
BROKEN = Fate(end="broken")
"""It is done, and the connection breaks."""
REFUSED = Fate(end="refused")
FORBIDDEN = Fate(end="forbidden")
DONE = ("answered", "unanswered", "broken")
ERRORS = {
    "broken": (0, "NoAnswer", "connection reset"),
    "refused": (500, "InternalError", "etcdserver: request timed out"),
    "forbidden": (403, "Forbidden", "may not get leases"),
    "absent": (404, "NotFound", "not found"),
    "moved": (409, "Conflict", "the object has been modified"),
}


def error(kind: str) -> ApiError:
    status, reason, message = ERRORS[kind]
    return ApiError(status=status, reason=reason, message=message)


class Server:
    """One Lease, and all that it ever was."""

    def __init__(self) -> None:
        self.lease: Body | None = None
        self.history: list[Body] = []
        self._version = itertools.count(1)

    @property
    def spec(self) -> Body:
        assert self.lease is not None
        spec: Body = self.lease["spec"]
        return spec

    def get(self) -> Body | None:
        return copied(self.lease)

    def put(self, spec: Body, *, over: Body | None) -> Body | ApiError:
        if self.lease is None and over is not None:
            return error("absent")
        if self.lease is not None and (over is None or over["metadata"] != self.lease["metadata"]):
            return error("moved")
        return self.set(spec)

    def set(self, spec: Body) -> Body:
        self.lease = {"metadata": {"resourceVersion": str(next(self._version))}, "spec": copied(spec)}
        self.history.append(copied(spec))
        return copied(self.lease)


class Candidate:
    """A replica: its process, its way to the server, and what it does while it leads."""

    def __init__(
        self, town: "Town", name: str, *, rate: float = 1.0, offset: float = 0.0, ends_in: float = 0.0
    ) -> None:
        self.name = name
        self.ends_in = ends_in
        """How long its work goes on when it is cancelled."""
        self.process = Process(town.time, rate=rate, offset=offset)
        self.fates: deque[Fate] = deque()
        """Of the next requests."""
        self.fate = GOOD
        """Of those after that."""
        self.requests: list[tuple[float, str]] = []
        self.acting = False
        """Whether its work goes on, and has not been told to end."""
        self.fails_in_the_end = False
        self._ended: asyncio.Future[None] = self.process.loop.create_future()
        self.told: list[bool] = []
        self._town = town
        self.election = Election(
            leases=self,
            identity=name,
            clock=self.process.clock,
            now=lambda: NOON + timedelta(seconds=self.process.clock()),
            on_change=self.told.append,
        )
        self.running = self.process.start(self.election.run(lead=self.lead))

    async def lead(self) -> None:
        self.acting = True
        try:
            await asyncio.shield(self._ended)
        finally:
            self.acting = False
            await asyncio.sleep(self.ends_in)
            if self.fails_in_the_end:
                raise ValueError("a bug")

    async def get(self) -> Body | None:
        answer: Body | None = await self._ask("get")
        return answer

    async def put(self, spec: Body, *, over: Body | None) -> Body:
        answer: Body = await self._ask("put", spec, over=over)
        return answer

    async def _ask(self, verb: str, *args: Any, **more: Any) -> Any:
        server, time = self._town.server, self._town.time
        if self._town.closed:
            raise error("broken")
        self.requests.append((time.now, verb))
        fate = self.fates.popleft() if self.fates else self.fate
        answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def arrive() -> None:
            # It does what it does, even if nobody waits for it any more.
            done = getattr(server, verb)(*args, **more) if fate.end in DONE else error(fate.end)
            time.after(fate.back, lambda: answer(error("broken") if fate.end == "broken" else done))

        def answer(result: Any) -> None:
            if fate.end == "unanswered" or answered.done() or self.process.dead:
                return
            if isinstance(result, ApiError):
                answered.set_exception(result)
            else:
                answered.set_result(result)

        if fate.end != "lost":
            time.after(fate.there, arrive)
        return await answered

    @property
    def leads(self) -> bool:
        return not self.process.dead and self.election.leading

    def fail(self, bug: Exception | None) -> None:
        """Its work ends by itself."""
        if bug:
            self._ended.set_exception(bug)
        else:
            self._ended.set_result(None)

    def heal(self) -> None:
        """Nothing is wrong with it any more."""
        self.fates.clear()
        self.fate = GOOD
        self.process.stopped_until = 0.0

    def quit(self) -> None:
        """SIGTERM."""
        self.process.loop.call_soon(self.running.cancel)

    def kill(self) -> None:
        """SIGKILL."""
        self.process.dead = True
        self.acting = False

    def restarted(self) -> "Candidate":
        """The next process of the same Pod, on the same machine."""
        self.kill()
        rate, offset = self.process.rate, self.process.offset
        return self._town.candidate(self.name, rate=rate, offset=offset, ends_in=self.ends_in)


class Town:
    """Candidates and a server. Whatever happens, never do two of them lead."""

    def __init__(self) -> None:
        self.time = Time()
        self.server = Server()
        self.candidates: list[Candidate] = []
        self.closed = False
        self.time.check = self._one_leads

    def candidate(self, name: str, **more: float) -> Candidate:
        self.candidates.append(Candidate(self, name, **more))
        return self.candidates[-1]

    def leader(self, name: str = "a", **more: float) -> Candidate:
        """A candidate that leads already."""
        candidate = self.candidate(name, **more)
        self.pass_(0.1)
        assert candidate.leads
        return candidate

    def pass_(self, seconds: float) -> None:
        self.time.pass_(seconds)

    def until_leads(self, candidate: Candidate, *, within: float) -> float:
        """How long it took."""
        start = self.time.now
        while not candidate.leads:
            assert self.time.now - start <= within, f"{candidate.name} does not lead"
            self.pass_(0.01)
        return self.time.now - start

    def _one_leads(self) -> None:
        leaders = [candidate.name for candidate in self.candidates if candidate.leads]
        assert len(leaders) <= 1, f"at {self.time.now} all of {leaders} lead"
        acting = [
            candidate.name for candidate in self.candidates if candidate.acting and candidate.process.is_awake
        ]
        assert len(acting) <= 1, f"at {self.time.now} all of {acting} act"

    def close(self) -> None:
        self.closed = True
        for candidate in self.candidates:
            candidate.ends_in = 0.0
            candidate.fate = GOOD
        self.time.check = lambda: None
        self.time.close()
