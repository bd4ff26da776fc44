"""The life of one ScheduledJob, as a state machine: people, Kubernetes, and an operator that dies."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from scheduledjob_operator.cluster import ApiError
from scheduledjob_operator.models import ScheduledJobSpec
from scheduledjob_operator.models.types import format_time
from scheduledjob_operator.schedule import Schedule
from scheduledjob_operator.slots import shortest_gap
from scheduledjob_operator.wanted import schedule_of
from tests.unit.bodies import Body
from tests.unit.chronicle import Chronicle
from tests.unit.fake_cluster import LOST, OVERLOADED, UNREACHABLE, refused
from tests.unit.hours import Hours, OperatorDied
from tests.unit.moments import text
from tests.unit.native import end_job

SECOND = timedelta(seconds=1)
TIMINGS: list[Body] = [
    {"schedule": "*/5 * * * *"},
    {"schedule": "*/7 * * * *"},
    {"schedule": "0,20,21,22 * * * *"},
    {"schedule": "*/15 * * * *"},
]
NO_TIMING: Body = {"schedule": None, "every": None, "at": None}
SPEC: Body = {"handler": "sync", "timeout": "24h", "pendingTimeout": "24h"}
POLICIES: list[Body] = [
    {"concurrencyPolicy": policy, "queueDepth": None} for policy in ("Forbid", "Forbid", "Allow", "Replace")
]
CATCH_UPS: list[Body | None] = [
    None,
    {"policy": "Latest"},
    {"policy": "All", "window": "24h", "limit": 80},
    {"policy": "All", "limit": 2},
    {"policy": "All", "window": "10m"},
]
RETRIES: list[Body | None] = [
    None,
    {"limit": 1, "backoff": {"initial": "30s"}},
    {"limit": 2, "backoff": {"initial": "4m"}, "keepAcrossSlots": True},
]
PAUSES: list[Body | None] = [None, {"consecutiveFailures": 2, "coolDown": "7m"}]
EDITS: list[st.SearchStrategy[Body]] = [
    st.builds(lambda given: {"pauseAfter": given}, st.sampled_from(PAUSES)),
    st.builds(lambda on: {"enabled": on}, st.booleans()),
    st.builds(lambda given: {"catchUp": given}, st.sampled_from(CATCH_UPS)),
    st.builds(lambda given: {"retry": given}, st.sampled_from(RETRIES)),
    st.builds(lambda given: {"startingDeadline": given}, st.sampled_from(["10s", "90s", "10m", "2h"])),
]
SOME_TIME = st.sampled_from([0.3, 2, 7, 31, 61, 130, 299, 305, 610, 1300])
A_LONG_TIME = st.sampled_from([305, 700, 1900, 4000, 7300])
LONGEST_WATCHED = 1300
MOST_WATCHED = 15
"""Slots that are lived through at a time while the operator is there."""
RUNS_KEPT = 100
"""More than end between two writes of the status."""
MOST_UNFINISHED = 12
MOST_REQUESTS = 15
"""Fewer than are answered at once."""
ERRORS: list[Any] = [OVERLOADED, UNREACHABLE, LOST, refused(409, "the object has been modified")]
MISHAPS = st.builds(
    lambda before, how: [None] * before + how,
    st.integers(0, 4),
    st.lists(st.sampled_from(ERRORS), max_size=2),
)


def drawn_by(name: str) -> st.SearchStrategy[Any]:
    """What a machine draws from an attribute of that name."""
    return st.runner().flatmap(lambda machine: getattr(machine, name))


class Life(RuleBasedStateMachine):
    """One ScheduledJob among people, Kubernetes, and an operator that comes and goes."""

    timings: st.SearchStrategy[Body] = st.sampled_from(TIMINGS)
    policies: st.SearchStrategy[Body] = st.sampled_from(POLICIES)
    edits: st.SearchStrategy[Body] = st.one_of(*EDITS, st.sampled_from(POLICIES))
    punctual: st.SearchStrategy[bool] = st.just(value=False)

    def __init__(self) -> None:
        super().__init__()
        self.world = Hours()
        self.chronicle = Chronicle(self.world)
        self.chronicle.deaths = self.world.deaths
        self.chronicle.rivalries = self.world.rivalries
        self.number = 0
        self.asked: dict[str, Body] = {}
        self.latest = self.world.now
        """The latest time that the clocks have shown."""

    @initialize(
        timing=drawn_by("timings"),
        policy=drawn_by("policies"),
        punctual=drawn_by("punctual"),
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
        timing: Body,
        policy: Body,
        punctual: bool,
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
        self.world.punctual = punctual
        self.world.restart()
        spec = {**SPEC, **self._at_last(timing), **policy, "history": history, "catchUp": catch_up}
        spec["retry"] = retry
        self.world.create({name: value for name, value in spec.items() if value is not None})
        self.world.lag, self.world.lateness = lag * SECOND, lateness * SECOND
        self.world.job_seconds, self.world.exit_code = seconds, exit_code
        self.world.native.staleness, self.world.is_crowded = staleness * SECOND, is_crowded
        self.chronicle.timetables.append((datetime.min.replace(tzinfo=UTC), self._schedule()))
        self.world.pass_time(5)

    def _at_last(self, timing: Body) -> Body:
        """A timing whose single slot, so many seconds ahead, is told as the time that it is."""
        if "at" not in timing:
            return timing
        return {"at": text(self.world.now + timing["at"] * SECOND)}

    def _schedule(self) -> Schedule:
        """That of the spec as it is now."""
        return schedule_of(ScheduledJobSpec.model_validate(self.world.scheduled_job["spec"]), spread="")

    @property
    def _in_force(self) -> Schedule:
        return self.chronicle.timetables[-1][1]

    def _bearable(self, seconds: float) -> float:
        """No more of the time than holds so many slots, when somebody acts at each of them."""
        gap = shortest_gap(self._in_force)
        return min(seconds, MOST_WATCHED * gap.total_seconds()) if gap and self.world.is_up else seconds

    # Time

    @rule(seconds=SOME_TIME)
    def pass_time(self, seconds: float) -> None:
        self.world.pass_time(self._bearable(seconds))

    @precondition(lambda self: len(self.world.unfinished()) < MOST_UNFINISHED)
    @rule(seconds=A_LONG_TIME, operator_is_up=st.booleans(), native_is_up=st.booleans())
    def pass_hours(self, seconds: float, operator_is_up: bool, native_is_up: bool) -> None:
        """With one of them away, or both; then they come back."""
        was_up = self.world.is_up
        if was_up and not operator_is_up:
            self.world.end_operator()
        self.change_native(native_is_up)
        # With everybody there little is new after a while, and each event takes its time.
        self.world.pass_time(self._bearable(min(seconds, LONGEST_WATCHED) if self.world.is_up else seconds))
        self.world.start_native()
        if was_up and not operator_is_up:
            self.start_operator()

    @rule(seconds=st.sampled_from([-2, -1, 0.2, 4, 12]), asks=st.booleans())
    def go_near_a_slot(self, seconds: float, asks: bool) -> None:
        """So many seconds after the next slot, when somebody may ask for a run."""
        slot = next(iter(self._in_force.next_after(self.world.now)), self.world.now)
        self.world.pass_time(max((slot - self.world.now).total_seconds() + seconds, 0))
        if asks and self.number < MOST_REQUESTS:
            self._ask("run", {"ifActive": "Queue"})
            self.world.act()

    @rule(seconds=st.sampled_from([1, 20, 90]))
    def put_the_clocks_back(self, seconds: float) -> None:
        self.latest = max(self.latest, self.world.now)
        self.world.end_deposed()
        if self.world.now - seconds * SECOND > max(since for since, _ in self.chronicle.timetables):
            self.world.step_back(seconds)

    # Kubernetes

    @rule(is_up=st.booleans())
    def change_native(self, is_up: bool) -> None:
        if is_up:
            self.world.start_native()
        else:
            self.world.native_is_up = False

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
        self.world.end_operator()

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

    @rule(fields=drawn_by("edits"))
    def edit(self, fields: Body) -> None:
        self.world.change(**fields)

    @precondition(lambda self: self.world.is_up and not self.world.is_to_die)
    @rule(timing=drawn_by("timings"), mishaps=MISHAPS, dies=st.booleans())
    def reschedule(self, timing: Body, mishaps: list[Any], dies: bool) -> None:
        """At once, so that there is no doubt which schedule a slot is of."""
        if self.world.now < self.latest:
            return
        self.world.act()
        self.world.end_deposed()
        self.let_requests_fail(mishaps, dies)
        self.world.change(**{**NO_TIMING, **self._at_last(timing)})
        self.world.show_everything()
        self.chronicle.timetables.append((self.world.now.replace(microsecond=0), self._schedule()))
        self.world.settle()

    @rule(on=st.booleans(), until=st.none() | st.sampled_from([60, 900]))
    def freeze(self, on: bool, until: int | None) -> None:
        given = {"suspend": "x"} if on else {}
        if until is not None:
            given["suspend_until"] = text(self.world.now + until * SECOND)
        self.world.put_namespace(**given)

    @precondition(lambda self: self.number < MOST_REQUESTS)
    @rule(if_active=st.sampled_from(["Queue", "Refuse"]))
    def ask_for_a_run(self, if_active: str) -> None:
        self._ask("run", {"ifActive": if_active})

    @precondition(lambda self: self.number < MOST_REQUESTS and self.chronicle.mark)
    @rule(minutes=st.sampled_from([5, 20]), parallelism=st.sampled_from([1, 2]))
    def ask_for_a_backfill(self, minutes: int, parallelism: int) -> None:
        end = self.chronicle.mark
        assert end
        start = end - timedelta(minutes=minutes)
        given = {"from": format_time(start), "to": format_time(end), "parallelism": parallelism}
        self._ask("backfill", given)

    @precondition(lambda self: self.number < MOST_REQUESTS and self._under_way())
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
        self.chronicle.read()
        mark, now = self.chronicle.mark, self.world.now
        assert mark
        assert len(self.chronicle.slots(mark, now)) <= 1, f"the accounts end at {mark}, it is {now}"
        self.check_requests()

    def quiet_down(self) -> None:
        """Everything works, until nothing waits and one more slot is over."""
        world = self.world
        world.cluster.outcomes.clear()
        world.is_to_die, world.lag = False, min(world.lag, 2 * SECOND)
        world.start_native()
        world.end_deposed()
        self.start_operator()
        world.put_namespace()
        world.change(enabled=True)
        world.job_seconds, world.exit_code = 2, 0
        world.pass_time(max((self.latest - world.now).total_seconds(), 0) + 5)
        for _ in range(100):
            slot = next(iter(self._in_force.next_after(world.now)), world.now)
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


def begun(**given: Any) -> Life:
    """A life that has begun, of Jobs that take 100 seconds."""
    life = Life()
    plain: dict[str, Any] = {"policy": POLICIES[0], "punctual": False, "catch_up": None, "retry": None}
    jobs = {"kept": 3, "exit_code": 0, "seconds": 100}
    clocks = {"lag": 0, "lateness": 0, "staleness": 2, "is_crowded": False}
    life.begin(**{"timing": TIMINGS[0], **plain, **jobs, **clocks, **given})
    return life
