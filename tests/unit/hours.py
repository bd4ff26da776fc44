"""A cluster in memory in which time passes: Kubernetes, the Jobs and an operator that may be away."""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

from scheduledjob_operator.cluster import ApiError
from scheduledjob_operator.models.types import parse_time
from scheduledjob_operator.store import Key
from tests.unit.bodies import Body
from tests.unit.fake_cluster import Request
from tests.unit.kubernetes import KEY
from tests.unit.native import CronJobController, end_job, has_ended
from tests.unit.world import World

MOST_EVENTS = 20_000
LONGEST_REIGN = timedelta(seconds=20)
"""So long after it was deposed an operator may still act."""
MOST_DEEDS = 5
"""Of an operator that was deposed, at one moment."""


class OperatorDied(Exception):  # noqa: N818  # it is no error
    """In the middle of its work."""


class Deposed:
    """The operator of a world as it was, which sees nothing new any more but what its own writes answer."""

    def __init__(self, world: World) -> None:
        self._reconciler, self._clockwork = world.reconciler, world.clockwork
        self._world = world
        self._due: datetime | None = world.due.get(KEY)

    def due_moments(self) -> list[datetime]:
        """When it does something by itself."""
        return list(filter(None, [self._due, self._clockwork.next_due]))

    def act(self) -> None:
        """Do what is due now, and what comes of it."""
        for _ in range(MOST_DEEDS):
            shot = self._clockwork.take(hold=lambda _: True)
            if shot is None and (self._due is None or self._due > self._world.now):
                return
            with suppress(ApiError):
                if shot is None or asyncio.run(self._reconciler.fire(shot)):
                    self._due = None
                    self._due = asyncio.run(self._reconciler.reconcile(KEY))


class Hours(World):
    """A cluster in which time passes from one thing that happens to the next."""

    def __init__(self) -> None:
        self.deaths: set[datetime] = set()
        """When an operator was ended, to the second."""
        self.deposed: Deposed | None = None
        self.rivalries: list[tuple[datetime, datetime]] = []
        """From when to when there was another operator."""
        super().__init__()
        self.native = CronJobController(self)
        self.lag = timedelta()
        """How long after a slot Kubernetes' controller looks."""
        self.lateness = timedelta()
        """How long the watches take."""
        self.is_crowded = False
        """Whether Kubernetes' controller looks whenever the operator asks for something."""
        self.is_up = self.native_is_up = True
        self.is_to_die = False
        """Whether the next error ends the operator."""
        self.job_seconds: float | None = None
        """How long a Job takes; None: until somebody ends it."""
        self.exit_code = 0
        self._shown_from: list[datetime] = []
        """When the watches show which change."""
        self.cluster.rule = self._meanwhile

    def restart(self) -> None:
        """A new operator in the place of the one that may still have been there."""
        self.deaths.add(self.now.replace(microsecond=0))
        super().restart()

    def end_operator(self) -> None:
        """It is ended between two deeds."""
        self.is_up = False
        self.deaths.add(self.now.replace(microsecond=0))

    def start_native(self) -> None:
        """Kubernetes' controller is there, or there again."""
        if not self.native_is_up:
            self.native.look_afresh()
        self.native_is_up = True

    def depose(self) -> None:
        """Another operator takes over, and the one before goes on, for it does not know yet."""
        self.deposed = Deposed(self)
        self.rivalries.append((self.now, self.now + LONGEST_REIGN))
        self.restart()

    def end_deposed(self) -> None:
        """The operator that was deposed knows it by now."""
        if self.deposed:
            self.deposed = None
            self.rivalries[-1] = self.rivalries[-1][0], self.now

    def _meanwhile(self, _request: Request) -> None:
        if self.native_is_up and self.is_crowded:
            self.native.sync()

    def deliver(self, count: int | None = None) -> None:
        """Show the operator the next changes, or those that the watches have shown by now."""
        self._stamp()
        if count is None:
            count = max(sum(since <= self.now for since in self._shown_from) - self._seen, 0)
        super().deliver(count)

    def _stamp(self) -> None:
        new = len(self.cluster.changes) - len(self._shown_from)
        self._shown_from += [self.now + self.lateness] * new

    def show_everything(self) -> None:
        """The watches have caught up."""
        self._stamp()
        self._shown_from = [min(since, self.now) for since in self._shown_from]

    def step_back(self, seconds: float) -> None:
        """All clocks are put back."""
        self.now -= timedelta(seconds=seconds)
        self.show_everything()

    def settle(self) -> list[Request]:
        """Show what the watches show, and reconcile until nothing is left to do or the operator dies."""
        before = len(self.cluster.writes)
        with suppress(OperatorDied):
            super().settle()
        return self.cluster.writes[before:]

    def _reconcile(self, key: Key) -> None:
        try:
            super()._reconcile(key)
        except ApiError as error:
            self._die_of(error)
            raise

    def _fire(self) -> bool:
        before = len(self.errors)
        fired = super()._fire()
        if len(self.errors) > before:
            self._die_of(self.errors[-1])
        return fired

    def _die_of(self, error: ApiError) -> None:
        """Die, if that is what the error is for."""
        if not self.is_to_die:
            self.show_everything()  # it tries again a while later
            return
        self.is_to_die = False
        self.cluster.outcomes.clear()
        self.end_operator()
        raise OperatorDied from error

    def pass_time(self, seconds: float) -> None:
        """Let time pass, with all that happens by itself."""
        end = self.now + timedelta(seconds=seconds)
        for _ in range(MOST_EVENTS):
            self.act()
            following = min((at for at in self._moments() if self.now < at), default=end)
            self.now = min(following, end)
            if following >= end:
                self.act()
                return
        raise AssertionError("time stands still")

    def act(self) -> None:
        """Everybody does what is due now."""
        before = -1
        while before < len(self.cluster.changes):
            before = len(self.cluster.changes)
            self._end_jobs()
            if self.native_is_up and not self._native_is_late():
                self.native.sync()
            if self.is_up:
                self.settle()
            self._let_deposed_act()

    def _native_is_late(self) -> bool:
        """Whether a slot has come that Kubernetes' controller has not turned to yet."""
        slot = self.native.next_slot(self.now - self.lag)
        return slot is not None and slot + self.lag > self.now >= slot

    def _let_deposed_act(self) -> None:
        if self.deposed and self.now > self.rivalries[-1][1]:
            self.end_deposed()
        if self.deposed:
            self.deposed.act()

    def _end_jobs(self) -> None:
        for job in self.unfinished():
            if (end := self._end_of(job)) is not None and end <= self.now:
                end_job(self, job["metadata"]["name"], exit_code=self.exit_code)
        self.obey_deadlines()

    def _end_of(self, job: Body) -> datetime | None:
        if self.job_seconds is None:
            return None
        return parse_time(job["metadata"]["creationTimestamp"]) + timedelta(seconds=self.job_seconds)

    def _moments(self) -> list[datetime]:
        """When something happens by itself."""
        found = [end for job in self.unfinished() if (end := self._end_of(job))]
        if self.native_is_up and (slot := self.native.next_slot(self.now - self.lag)):
            found.append(slot + self.lag)
        if self.is_up:
            self._stamp()
            found += [*self._due_moments(), *self._shown_from[self._seen :]]
        if self.deposed:
            found += self.deposed.due_moments()
        return found

    def unfinished(self) -> list[Body]:
        jobs = [body for (kind, _, _), body in self.cluster.objects.items() if kind == "Job"]
        return [job for job in jobs if not has_ended(job)]
