"""A cluster in memory in which time passes: Kubernetes, the Jobs and an operator that may be away."""

from contextlib import suppress
from datetime import datetime, timedelta

from scheduledjob_operator.cluster import ApiError
from scheduledjob_operator.models.types import parse_time
from scheduledjob_operator.store import Key
from tests.unit.bodies import Body
from tests.unit.fake_cluster import Request
from tests.unit.native import CronJobController, end_job, has_ended
from tests.unit.world import World

MOST_EVENTS = 20_000


class OperatorDied(Exception):  # noqa: N818  # it is no error
    """In the middle of its work."""


class Hours(World):
    """A cluster in which time passes from one thing that happens to the next."""

    def __init__(self) -> None:
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
        self.deaths: set[datetime] = set()
        self.job_seconds: float | None = None
        """How long a Job takes; None: until somebody ends it."""
        self.exit_code = 0
        self._shown_from: list[datetime] = []
        """When the watches show which change."""
        self.cluster.rule = self._meanwhile

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
            if not self.is_to_die:
                self.show_everything()  # it tries again a while later
                raise
            self.is_up = self.is_to_die = False
            self.cluster.outcomes.clear()
            self.deaths.add(self.now.replace(microsecond=0))
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
            if self.native_is_up:
                self.native.sync()
            if self.is_up:
                self.settle()

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
            found += [*self.due.values(), *self._shown_from[self._seen :]]
        return found

    def unfinished(self) -> list[Body]:
        jobs = [body for (kind, _, _), body in self.cluster.objects.items() if kind == "Job"]
        return [job for job in jobs if not has_ended(job)]
