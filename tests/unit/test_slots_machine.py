"""One verdict a slot, never two Jobs for one slot: whatever happens to the operator, Kubernetes and the spec."""

import json
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from hypothesis import note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from scheduledjob_operator.cluster import ApiError
from scheduledjob_operator.models.types import format_time, parse_time
from scheduledjob_operator.schedule import Schedule
from tests.unit.bodies import Body
from tests.unit.chronicle import Chronicle
from tests.unit.fake_cluster import LOST, OVERLOADED, UNREACHABLE, Request, refused
from tests.unit.moments import text
from tests.unit.native import CronJobController, end_job, has_ended
from tests.unit.world import World

SECOND = timedelta(seconds=1)
SCHEDULES = ["*/5 * * * *", "*/7 * * * *", "0,20,21,22 * * * *", "*/15 * * * *"]
SPEC: Body = {"handler": "sync", "timeout": "24h", "pendingTimeout": "24h"}
POLICIES = ["Forbid", "Forbid", "Allow", "Replace"]
CATCH_UPS: list[Body | None] = [
    None,
    {"policy": "Latest"},
    {"policy": "All", "window": "24h"},
    {"policy": "All", "limit": 2},
    {"policy": "All", "window": "10m"},
]
RETRIES: list[Body | None] = [
    None,
    {"limit": 1, "backoff": {"initial": "30s"}},
    {"limit": 2, "backoff": {"initial": "4m"}, "keepAcrossSlots": True},
]
EDITS = st.one_of(
    st.builds(lambda on: {"enabled": on}, st.booleans()),
    st.builds(lambda given: {"catchUp": given}, st.sampled_from(CATCH_UPS)),
    st.builds(lambda given: {"retry": given}, st.sampled_from(RETRIES)),
    st.builds(lambda given: {"concurrencyPolicy": given}, st.sampled_from(POLICIES)),
    st.builds(lambda given: {"startingDeadline": given}, st.sampled_from(["10s", "90s", "10m", "2h"])),
)
SOME_TIME = st.sampled_from([0.3, 2, 7, 31, 61, 130, 299, 305, 610, 1300])
A_LONG_TIME = st.sampled_from([305, 700, 1900, 4000, 11000])
ERRORS: list[Any] = [OVERLOADED, UNREACHABLE, LOST, refused(409, "the object has been modified")]
MISHAPS = st.lists(st.sampled_from([*ERRORS, None]), max_size=4)
MOST_EVENTS = 20_000


class Hours(World):
    """A cluster in which time passes from one thing that happens to the next."""

    def __init__(self) -> None:
        self._shown_from: list[datetime] = []
        self.lateness = timedelta()
        """How long the watches take."""
        super().__init__()
        self.native = CronJobController(self)
        self.lag = timedelta()
        """How long after a slot Kubernetes' controller looks."""
        self.is_up = self.native_is_up = True
        self.is_to_die = False
        self.job_seconds: float | None = None
        """How long a Job takes; None: until somebody ends it."""
        self.exit_code = 0
        self.deaths: set[datetime] = set()
        self.cluster.rule = self._meanwhile

    def _meanwhile(self, _request: Request) -> None:
        """Before each request of the operator, Kubernetes' controller may be sooner."""
        if self.native_is_up and self.is_crowded:
            self.native.sync()

    is_crowded = False
    """Whether Kubernetes' controller looks whenever the operator asks for something."""

    def restart(self) -> None:
        if getattr(self, "is_to_die", False):
            self.is_to_die, self.is_up = False, False
            self.cluster.outcomes.clear()
            self.deaths.add(self.now.replace(microsecond=0))
            self.controller.queue = type(self.controller.queue)(clock=lambda: 0.0)
            return
        super().restart()
        self._stamp()

    def deliver(self, count: int | None = None) -> None:
        self._stamp()
        if count is None:
            shown = sum(since <= self.now for since in self._shown_from)
            count = max(shown - self._seen, 0)
        super().deliver(count)

    def _stamp(self) -> None:
        new = len(self.cluster.changes) - len(self._shown_from)
        self._shown_from += [self.now + self.lateness] * new

    def show_everything(self) -> None:
        """The watches have caught up."""
        self._stamp()
        self._shown_from = [min(since, self.now) for since in self._shown_from]

    def step_back(self, seconds: float) -> None:
        self.show_everything()
        self.now -= timedelta(seconds=seconds)
        self._shown_from = [min(since, self.now) for since in self._shown_from]

    def pass_time(self, seconds: float) -> None:
        """Let time pass, with all that happens by itself."""
        end = self.now + timedelta(seconds=seconds)
        for _ in range(MOST_EVENTS):
            self.act()
            following = min((at for at in self._moments() if self.now < at), default=end)
            if following > end:
                break
            self.now = following
            if following == end:
                break
        else:
            raise AssertionError("time stands still")
        self.now = end
        self.act()

    def act(self) -> None:
        """Everybody does what is due now."""
        for _ in range(10):
            before = len(self.cluster.changes)
            self._end_jobs()
            if self.native_is_up:
                self.native.sync()
            if self.is_up:
                self.settle()
            self._stamp()
            if len(self.cluster.changes) == before:
                return

    def _end_jobs(self) -> None:
        for job in self.unfinished():
            name = job["metadata"]["name"]
            if (end := self._end_of(job)) is not None and end <= self.now:
                end_job(self, name, exit_code=self.exit_code)
        self.obey_deadlines()

    def _end_of(self, job: Body) -> datetime | None:
        if self.job_seconds is None:
            return None
        return parse_time(job["metadata"]["creationTimestamp"]) + timedelta(seconds=self.job_seconds)

    def _moments(self) -> list[datetime]:
        """When something happens by itself."""
        found = [end for job in self.unfinished() if (end := self._end_of(job))]
        if self.native_is_up and (slot := self.native.next_slot()):
            found += [slot + self.lag]
            if (before := self.native.latest_slot()) is not None:
                found.append(before + self.lag)
        if self.is_up:
            found += self.due.values()
            found += [since for since in self._shown_from[self._seen :]]
        return found

    def unfinished(self) -> list[Body]:
        return [job for job in self.cluster.of_kind("Job") if not has_ended(job)]
