"""One verdict a slot, never two Jobs for one: whatever happens to the operator, Kubernetes and the spec."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from scheduledjob_operator.cluster import ApiError
from scheduledjob_operator.models.types import format_time, parse_time
from scheduledjob_operator.schedule import Schedule
from scheduledjob_operator.store import Key
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
A_LONG_TIME = st.sampled_from([305, 700, 1900, 4000, 7300])
RUNS_KEPT = 40
"""More than end between two writes of the status."""
MOST_UNFINISHED = 12
ERRORS: list[Any] = [OVERLOADED, UNREACHABLE, LOST, refused(409, "the object has been modified")]
MISHAPS = st.builds(
    lambda before, how: [None] * before + how,
    st.integers(0, 4),
    st.lists(st.sampled_from(ERRORS), max_size=2),
)
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


class Life(RuleBasedStateMachine):
    """One ScheduledJob among people, Kubernetes, and an operator that comes and goes."""

    def __init__(self) -> None:
        super().__init__()
        self.world = Hours()
        self.chronicle = Chronicle(self.world)
        self.chronicle.deaths = self.world.deaths
        self.number = 0
        self.asked: dict[str, Body] = {}
        self.latest = self.world.now
        """The latest time that the clocks have shown."""

    @initialize(
        schedule=st.sampled_from(SCHEDULES),
        policy=st.sampled_from(POLICIES),
        catch_up=st.sampled_from(CATCH_UPS),
        retry=st.sampled_from(RETRIES),
        kept=st.sampled_from([1, 3]),
        exit_code=st.sampled_from([0, 3]),
        seconds=st.sampled_from([None, 1, 100]),
        lag=st.sampled_from([0, 1, 2]),
        lateness=st.sampled_from([0, 0, 1, 2]),
        staleness=st.sampled_from([0, 2, 2]),
        is_crowded=st.booleans(),
    )
    def begin(
        self,
        schedule: str,
        policy: str,
        catch_up: Body | None,
        retry: Body | None,
        kept: int,
        exit_code: int,
        seconds: float | None,
        lag: float,
        lateness: float,
        staleness: float,
        is_crowded: bool,
    ) -> None:
        history = {"succeededJobs": kept, "failedJobs": kept, "runs": RUNS_KEPT}
        self.world.create(
            {**SPEC, "schedule": schedule, "concurrencyPolicy": policy, "history": history}
            | ({"catchUp": catch_up} if catch_up else {})
            | ({"retry": retry} if retry else {})
        )
        self.world.lag, self.world.lateness = lag * SECOND, lateness * SECOND
        self.world.job_seconds, self.world.exit_code = seconds, exit_code
        self.world.native.staleness, self.world.is_crowded = staleness * SECOND, is_crowded
        self.chronicle.timetables.append((datetime.min.replace(tzinfo=UTC), Schedule.parse(schedule)))
        self.world.pass_time(5)

    # Time

    @rule(seconds=SOME_TIME)
    def pass_time(self, seconds: float) -> None:
        self.world.pass_time(seconds)

    @precondition(lambda self: len(self.world.unfinished()) < MOST_UNFINISHED)
    @rule(seconds=A_LONG_TIME, operator_is_up=st.booleans(), native_is_up=st.booleans())
    def pass_hours(self, seconds: float, operator_is_up: bool, native_is_up: bool) -> None:
        """With one of them away, or both; then they come back."""
        was_up = self.world.is_up
        self.world.is_up, self.world.native_is_up = was_up and operator_is_up, native_is_up
        self.world.pass_time(seconds)
        self.world.native_is_up = True
        if was_up and not operator_is_up:
            self.start_operator()

    @rule(seconds=st.sampled_from([-2, -1, 0.2, 4, 12]), asks=st.booleans())
    def go_near_a_slot(self, seconds: float, asks: bool) -> None:
        """So many seconds after the next slot, when somebody may ask for a run."""
        (slot,) = self.chronicle.timetables[-1][1].next_after(self.world.now)
        self.world.pass_time(max((slot - self.world.now).total_seconds() + seconds, 0))
        if asks:
            self._ask("run", {"ifActive": "Queue"})
            self.world.act()

    @rule(seconds=st.sampled_from([1, 20, 90]))
    def put_the_clocks_back(self, seconds: float) -> None:
        self.latest = max(self.latest, self.world.now)
        if self.world.now - seconds * SECOND > max(since for since, _ in self.chronicle.timetables):
            self.world.step_back(seconds)

    # Kubernetes

    @rule(is_up=st.booleans())
    def change_native(self, is_up: bool) -> None:
        self.world.native_is_up = is_up

    @rule(seconds=st.sampled_from([None, 0, 1, 20, 100, 400]), exit_code=st.sampled_from([0, 0, 3, 64]))
    def change_jobs(self, seconds: float | None, exit_code: int) -> None:
        self.world.job_seconds, self.world.exit_code = seconds, exit_code

    @precondition(lambda self: self.world.unfinished())
    @rule(data=st.data(), exit_code=st.sampled_from([0, 3]))
    def end_a_job(self, data: st.DataObject, exit_code: int) -> None:
        job = data.draw(st.sampled_from(self.world.unfinished()))
        end_job(self.world, job["metadata"]["name"], exit_code=exit_code)

    # The operator

    @precondition(lambda self: self.world.is_up)
    @rule()
    def end_operator(self) -> None:
        self.world.is_up = False

    @rule()
    def start_operator(self) -> None:
        self.world.is_up = True
        self.world.restart()

    @precondition(lambda self: self.world.is_up)
    @rule(after=st.integers(0, 8), how=st.sampled_from(ERRORS))
    def let_operator_die(self, after: int, how: Any) -> None:
        self.world.cluster.outcomes.clear()
        self.world.cluster.outcomes.extend([*[None] * after, how])
        self.world.is_to_die = True

    @precondition(lambda self: self.world.is_up and not self.world.is_to_die)
    @rule(mishaps=MISHAPS, dies=st.booleans())
    def let_requests_fail(self, mishaps: list[Any], dies: bool) -> None:
        self.world.cluster.outcomes.extend(mishaps)
        self.world.dies_of_errors = dies

    @precondition(lambda self: self.world.is_up)
    @rule(count=st.integers(0, 4))
    def look_early(self, count: int) -> None:
        self.world.deliver(count)
        with suppress(ApiError, OperatorDied):
            self.world.reconcile()

    # People

    @rule(fields=EDITS)
    def edit(self, fields: Body) -> None:
        self.world.change(**fields)

    @precondition(lambda self: self.world.is_up and not self.world.is_to_die)
    @rule(schedule=st.sampled_from(SCHEDULES), mishaps=MISHAPS, dies=st.booleans())
    def reschedule(self, schedule: str, mishaps: list[Any], dies: bool) -> None:
        """At once, so that there is no doubt which schedule a slot is of."""
        if self.world.now < self.latest:
            return
        self.world.act()
        self.let_requests_fail(mishaps, dies)
        self.world.change(schedule=schedule)
        self.world.show_everything()
        self.chronicle.timetables.append((self.world.now.replace(microsecond=0), Schedule.parse(schedule)))
        self.world.settle()

    @rule(on=st.booleans(), until=st.none() | st.sampled_from([60, 900]))
    def freeze(self, on: bool, until: int | None) -> None:
        given = {"suspend": "x"} if on else {}
        if until is not None:
            given["suspend_until"] = text(self.world.now + until * SECOND)
        self.world.put_namespace(**given)

    @precondition(lambda self: self.number < 15)
    @rule(if_active=st.sampled_from(["Queue", "Refuse"]))
    def ask_for_a_run(self, if_active: str) -> None:
        self._ask("run", {"ifActive": if_active})

    @precondition(lambda self: self.number < 15 and self.chronicle.mark)
    @rule(minutes=st.sampled_from([5, 20]), parallelism=st.sampled_from([1, 2]))
    def ask_for_a_backfill(self, minutes: int, parallelism: int) -> None:
        end = self.chronicle.mark
        assert end
        start = end - timedelta(minutes=minutes)
        given = {"from": format_time(start), "to": format_time(end), "parallelism": parallelism}
        self._ask("backfill", given)

    @precondition(lambda self: self.number < 15 and self._under_way())
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        self._ask("cancel", {"run": data.draw(st.sampled_from(self._under_way()))})

    def _ask(self, kind: str, given: Body) -> None:
        self.number += 1
        annotation = f"{kind}.n{self.number}"
        self.asked[annotation] = given
        self.world.annotate(**{annotation: json.dumps({**given, "id": str(self.number)})})

    def _under_way(self) -> list[str]:
        status = self.world.status
        return [run["id"] for run in (*status.get("active", []), *status.get("pending", []))]

    # What must be true

    @invariant()
    def nothing_happened_that_must_not(self) -> None:
        self.chronicle.read()

    def teardown(self) -> None:
        if not self.chronicle.timetables:
            return
        self.chronicle.read()
        self.quiet_down()
        note(f"status: {self.world.status}")
        self.chronicle.read()
        assert not self.world.status["pending"]
        assert not self.world.status["active"]
        mark, now = self.chronicle.mark, self.world.now
        assert mark
        assert len(self.chronicle.slots(mark, now)) <= 1, f"the accounts end at {mark}, it is {now}"
        self.check_requests()

    def quiet_down(self) -> None:
        """Everything works, until nothing waits and one more slot is over."""
        world = self.world
        world.cluster.outcomes.clear()
        world.is_to_die, world.native_is_up = False, True
        self.start_operator()
        world.put_namespace()
        world.change(enabled=True)
        world.job_seconds, world.exit_code = 2, 0
        world.pass_time(max((self.latest - world.now).total_seconds(), 0) + 5)
        for _ in range(100):
            (slot,) = self.chronicle.timetables[-1][1].next_after(world.now)
            world.pass_time((slot - world.now).total_seconds() + 30)
            if not self._under_way():
                return
        raise AssertionError("something waits for ever")

    def check_requests(self) -> None:
        """Each was answered, and has its runs when it was granted."""
        for annotation, given in self.asked.items():
            outcome = self.chronicle.outcomes[annotation]
            runs = [run for run in self.chronicle.runs.values() if run.get("request") == outcome["id"]]
            granted = outcome["outcome"] == "Accepted"
            if annotation.startswith("cancel"):
                assert not granted or given["run"] in self.chronicle.runs
            elif annotation.startswith("run"):
                assert len(runs) == granted, f"{outcome}: {runs}"
            else:
                slots = sorted(run["slot"] for run in runs)
                assert bool(slots) is granted
                assert len(slots) == len(set(slots))


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
