"""Every slot gets one verdict, whoever is away: `account` beside a CronJob controller on one fake clock."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import event, given, settings
from hypothesis import strategies as st

from scheduledjob_operator.activity import Span
from scheduledjob_operator.models import CatchUp, CatchUpPolicy, ConcurrencyPolicy, Unstarted
from scheduledjob_operator.names import SlotReason
from scheduledjob_operator.schedule import Schedule
from scheduledjob_operator.slots import Timetable, account

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
SCHEDULES = ["* * * * *", "*/5 * * * *", "*/20 1-3,12-14 * * *", "0 * * * *"]
STARTS = {
    "Etc/UTC": datetime(2026, 11, 22, 12, tzinfo=UTC),
    "Europe/Berlin": datetime(2026, 10, 24, 22, tzinfo=UTC),
    "America/New_York": datetime(2026, 3, 8, 5, tzinfo=UTC),
    "Australia/Lord_Howe": datetime(2025, 10, 4, 14, tzinfo=UTC),
    "Africa/Cairo": datetime(2025, 4, 24, 20, tzinfo=UTC),
}


@dataclass(slots=True, kw_only=True)
class World:
    """A CronJob, the controller that starts its Jobs, and the books of who accounts for its slots."""

    schedule: Schedule
    policy: ConcurrencyPolicy
    deadline: timedelta
    catch_up: CatchUp
    lag: timedelta
    """How long after a slot the controller looks."""
    now: datetime
    start: datetime
    up: bool = True
    suspended: bool = False
    last_scheduled: datetime
    runs: list[Span] = field(default_factory=list)
    mark: datetime
    changed: datetime
    """When the CronJob was last suspended or resumed."""
    verdicts: list[Unstarted] = field(default_factory=list)
    caught_up: list[datetime] = field(default_factory=list)
    taken_back: list[datetime] = field(default_factory=list)

    def pass_time(self, seconds: int) -> None:
        """Let the controller look a little after each slot, as it does when it is up."""
        end = self.now + seconds * SECOND
        while self.now < end:
            (slot,) = self.schedule.next_after(self.now)
            self.now = min(slot + self.lag, end)
            self.look()

    def look(self) -> None:
        if self.up and not self.suspended:
            self.start_latest()

    def start_latest(self) -> None:
        """`syncCronJob`: of the slots that it has not started, the latest, when it is not too late."""
        slot = self.schedule.latest_at_or_before(
            self.now, not_before=max(self.last_scheduled, self.now - self.deadline)
        )
        if slot is None or any(run.slot == slot for run in self.runs):
            return
        if self.active() and self.policy is ConcurrencyPolicy.FORBID:
            return
        if self.policy is ConcurrencyPolicy.REPLACE:
            self.end_runs()
        self.last_scheduled = slot
        if slot <= self.mark:
            assert slot <= self.changed, "a slot was given up that Kubernetes was going to start"
            self.taken_back.append(slot)
        self.runs.append(Span(slot=slot, start=self.now, end=None))

    def active(self) -> list[Span]:
        return [run for run in self.runs if run.end is None]

    def end_runs(self) -> None:
        ended = [Span(slot=run.slot, start=run.start, end=run.end or self.now) for run in self.runs]
        self.runs[:] = ended

    def suspend_or_resume(self) -> None:
        """The operator accounts for what was, changes the CronJob, and has the change fence old slots."""
        self.account(final=True)
        assert self.mark == self.now
        self.suspended = not self.suspended
        self.changed = self.now

    def account(self, *, final: bool = False) -> datetime | None:
        before = self.mark
        started = {run.slot for run in self.runs}
        accounts = account(
            since=before,
            now=self.now,
            timetable=Timetable(
                schedule=self.schedule,
                concurrency_policy=self.policy,
                starting_deadline=self.deadline,
                suspended=SlotReason.DISABLED if self.suspended else None,
                final=final,
            ),
            spans=self.runs,
            catch_up=self.catch_up,
        )
        assert before <= accounts.until <= self.now
        fits = self.schedule.slots_between(before, accounts.until, limit=100_000)
        for entry in accounts.verdicts:
            assert {entry.first, entry.last} <= set(fits) - started
            assert entry.count <= sum(entry.first <= slot <= entry.last for slot in fits)
        assert set(accounts.to_catch_up) <= set(fits) - started
        assert list(accounts.to_catch_up) == sorted(accounts.to_catch_up)
        assert accounts.look_again is None or accounts.look_again > self.now
        self.mark = accounts.until
        self.verdicts += accounts.verdicts
        self.caught_up += accounts.to_catch_up
        self.check()
        return accounts.look_again

    def catch_one_up(self) -> None:
        started = {run.slot for run in self.runs}
        if waiting := [slot for slot in self.caught_up if slot not in started]:
            self.runs.append(Span(slot=waiting[0], start=self.now, end=None))

    def check(self) -> None:
        """Every slot up to the mark has a run, or is in a verdict, or was to be caught up: one of them."""
        passed = self.schedule.slots_between(self.start, self.mark, limit=100_000)
        started = {run.slot for run in self.runs}
        caught_up = set(self.caught_up)
        assert len(caught_up) == len(self.caught_up)
        ran = sum(slot in started and slot not in caught_up for slot in passed)
        given_up = sum(entry.count for entry in self.verdicts)
        again = [slot for slot in self.taken_back if slot not in caught_up]
        assert ran + len(caught_up) + given_up - len(again) == len(passed)

    def settle(self) -> None:
        """Nothing happens any more: looking again when told to decides one slot after the other."""
        self.up = False
        again = self.account()
        for _ in range(4):
            if again is None:
                break
            before, self.now = self.mark, again
            again = self.account()
            assert self.mark > before
        if again is None:
            assert not self.schedule.slots_between(self.mark, self.now, limit=1)

    def do(self, verb: str, seconds: int) -> None:
        match verb:
            case "pass":
                self.pass_time(seconds)
            case "end":
                self.end_runs()
                self.look()
            case "account":
                self.account()
            case "change":
                self.suspend_or_resume()
                self.look()
            case "catch up":
                self.catch_one_up()
            case "go":
                self.up = not self.up
                self.look()


STEPS = st.tuples(
    st.sampled_from(["pass", "pass", "pass", "end", "account", "account", "change", "catch up", "go"]),
    st.sampled_from([1, 7, 20, 61, 130, 305, 700, 1900, 3700]),
)
CATCH_UPS = st.builds(
    CatchUp,
    policy=st.sampled_from(CatchUpPolicy),
    window=st.sampled_from([5 * MINUTE, 60 * MINUTE, 1440 * MINUTE]),
    limit=st.integers(1, 5),
)


@settings(max_examples=400)
@given(
    st.sampled_from(SCHEDULES),
    st.sampled_from(sorted(STARTS)),
    st.sampled_from([ConcurrencyPolicy.ALLOW, ConcurrencyPolicy.FORBID, ConcurrencyPolicy.REPLACE]),
    st.sampled_from([10 * SECOND, 90 * SECOND, 10 * MINUTE, 300 * MINUTE]),
    CATCH_UPS,
    st.integers(0, 9),
    st.lists(STEPS, min_size=12, max_size=30),
)
def test_every_slot_is_accounted_for_once(
    expression: str,
    zone: str,
    policy: ConcurrencyPolicy,
    deadline: timedelta,
    catch_up: CatchUp,
    lag: int,
    steps: list[tuple[str, int]],
) -> None:
    start = STARTS[zone]
    world = World(
        schedule=Schedule.parse(expression, time_zone=zone),
        policy=policy,
        deadline=deadline,
        catch_up=catch_up,
        lag=lag * SECOND,
        now=start,
        start=start,
        last_scheduled=start,
        mark=start,
        changed=start,
    )
    for verb, seconds in steps:
        world.do(verb, seconds)
    world.settle()
    for reason in {entry.reason for entry in world.verdicts}:
        event(reason)
    if world.caught_up:
        event("caught up")
    if world.taken_back:
        event("taken back")


TIMES = st.integers(0, 3 * 3600).map(lambda seconds: STARTS["Etc/UTC"] + seconds * SECOND)


@settings(max_examples=60)
@given(
    st.lists(TIMES, min_size=1, max_size=10).map(sorted),
    st.sets(st.integers(0, 36)),
    st.sampled_from([None, SlotReason.PAUSED]),
)
def test_it_does_not_matter_how_often_slots_are_accounted(
    moments: list[datetime], ran: set[int], suspended: SlotReason | None
) -> None:
    start = STARTS["Etc/UTC"]
    slots = [start + 5 * number * MINUTE for number in ran]
    table = Timetable(
        schedule=Schedule.parse("*/5 * * * *"),
        concurrency_policy=ConcurrencyPolicy.ALLOW,
        starting_deadline=10 * MINUTE,
        suspended=suspended,
    )

    def count(moments: list[datetime]) -> tuple[datetime, int]:
        mark, total = start, 0
        for now in moments:
            spans = [Span(slot=slot, start=slot, end=slot + SECOND) for slot in slots if slot <= now]
            accounts = account(since=mark, now=now, timetable=table, spans=spans, catch_up=CatchUp())
            mark, total = accounts.until, total + sum(entry.count for entry in accounts.verdicts)
        return mark, total

    assert count(moments) == count(moments[-1:])
