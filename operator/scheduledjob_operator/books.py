"""The books: all that was observed, and now -> a run or a verdict for each slot, and what waits. Pure.

The books are rebuilt from what exists. Only what exists nowhere else is carried over from the status before:
runs whose Jobs are gone, the totals, the mark up to which slots have verdicts, and what is still to be done.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from scheduledjob_operator.accounting import accounts_of, with_late_starts
from scheduledjob_operator.dead_letters import updated
from scheduledjob_operator.due import with_slots
from scheduledjob_operator.evidence import lost, may_have_run, oldest_kept
from scheduledjob_operator.ledger import Sorted, cancelled, sort_out
from scheduledjob_operator.models import (
    DeadLetter,
    PendingRun,
    RequestOutcome,
    Result,
    Run,
    ScheduledJobStatus,
    Unstarted,
)
from scheduledjob_operator.names import RunReason
from scheduledjob_operator.observation import Observation, soonest
from scheduledjob_operator.observed import EndedAs
from scheduledjob_operator.overrides import LOST_OVERRIDES, overridden
from scheduledjob_operator.requests import Answers, Overrides, answer
from scheduledjob_operator.retries import given_up
from scheduledjob_operator.suspension import Standing, standing
from scheduledjob_operator.totals import with_runs

EVIDENCE_INTERVAL = timedelta(milliseconds=300)
"""How soon to look again for something that is about to be seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """The status as far as runs and slots go, and what is new in it."""

    status: ScheduledJobStatus
    standing: Standing
    new_runs: tuple[Run, ...] = ()
    verdicts: tuple[Unstarted, ...] = ()
    caught_up: tuple[datetime, ...] = ()
    """Slots that nothing started and that will be started after all."""
    letters: tuple[DeadLetter, ...] = ()
    answers: tuple[RequestOutcome, ...] = ()
    overrides: Mapping[str, Overrides] = field(default_factory=dict)
    """Run id -> what it overrides, of the requests that are new."""
    cancel: Mapping[str, str] = field(default_factory=dict)
    """Run id -> who wants the active run to end."""
    undecided: datetime | None = None
    """The slot that has passed, and that Kubernetes may still start."""
    closed: bool = False
    """Whether the CronJob is about to change, and the verdicts by what it was have to be written before."""
    urgent: bool = False
    """Whether the slots alone are worth a write of the status."""
    look_again: datetime | None = None


def keep(*, previous: ScheduledJobStatus, seen: Observation) -> Books:
    """The books as `seen` shows them."""
    found = sort_out(previous=previous, seen=seen)
    _take_refused(found, previous=previous, seen=seen)
    _give_up(found, previous=previous, seen=seen)
    new_runs = tuple(sorted(found.ended, key=lambda run: (run.end_time, run.id)))
    present = {job.run_id for job in seen.jobs}
    status = with_runs(
        previous, new_runs=new_runs, active=found.active, runs_kept=seen.runs_kept, present=present
    )
    stand = _standing(status, seen=seen)
    status = with_late_starts(status, previous=previous, found=found)
    slots = accounts_of(previous=previous, status=status, found=found, stand=stand, seen=seen)
    accounts = slots.accounts
    status, caught_up = with_slots(status, accounts=accounts, found=found, stand=stand, seen=seen)
    status, letters = _with_letters(status, new_runs=new_runs, cleared=frozenset(), seen=seen)
    books = Books(
        status=status,
        standing=stand,
        new_runs=new_runs,
        verdicts=accounts.verdicts,
        caught_up=accounts.to_catch_up,
        letters=tuple(letters),
        undecided=slots.undecided,
        closed=slots.closed,
        urgent=accounts.urgent or slots.closed or bool(caught_up or accounts.to_queue),
        look_again=soonest(
            accounts.look_again, stand.look_again, seen.now + EVIDENCE_INTERVAL if found.awaited else None
        ),
    )
    return _answered(books, seen=seen)


def _take_refused(found: Sorted, *, previous: ScheduledJobStatus, seen: Observation) -> None:
    """Put down the runs of slots that the API server refused: tried again until they are given up."""
    known = {run.id for run in (*found.active, *found.ended, *found.pending, *previous.recent_runs)}
    found.pending += [run for run in seen.refused_slots if run.id not in known]


def _give_up(found: Sorted, *, previous: ScheduledJobStatus, seen: Observation) -> None:
    """End the runs that wait and cannot be started: nobody knows whether they were, or they may not be."""
    kept = oldest_kept(seen)
    for run in list(found.pending):
        refused = seen.refused.get(run.id)
        if may_have_run(run, oldest_kept=kept, before=previous):
            end = lost(run, now=seen.now)
        elif run.overridden and not _has_overrides(run, seen=seen):
            verdict = EndedAs(result=Result.FAILED, reason=RunReason.NOT_STARTED, message=LOST_OVERRIDES)
            end = given_up(run, verdict, end=seen.now)
        elif refused is None or seen.spec is None:
            continue
        elif seen.now < run.due_time + seen.spec.pending_timeout:
            place = found.pending.index(run)
            found.pending[place] = run.model_copy(update={"message": refused.message})
            continue
        else:
            end = given_up(run, refused, end=seen.now)
        found.pending.remove(run)
        found.ended.append(end)


def _has_overrides(run: PendingRun, *, seen: Observation) -> bool:
    """Whether what the run overrides is still written down: it never runs with the spec's own instead."""
    known = overridden(seen.cron_job.overrides) if seen.cron_job else {}
    return (run.retry_of or run.id) in known


def _standing(status: ScheduledJobStatus, *, seen: Observation) -> Standing:
    if seen.spec is None or seen.schedule is None:
        return Standing(suspension=None, switch=None, probe=None, look_again=None)
    return standing(
        spec=seen.spec,
        schedule=seen.schedule,
        consecutive_failures=status.consecutive_failures,
        last_failure_time=status.last_failure_time,
        switches=seen.switches,
        environment=seen.environment,
        now=seen.now,
    )


def _with_letters(
    status: ScheduledJobStatus, *, new_runs: Sequence[Run], cleared: frozenset[str], seen: Observation
) -> tuple[ScheduledJobStatus, list[DeadLetter]]:
    letters, dropped, new = updated(
        letters=status.dead_letters,
        dropped=status.dead_letters_dropped,
        ended=new_runs,
        retry_limit=seen.retry.limit,
        overridden=overridden(seen.cron_job.overrides) if seen.cron_job else frozenset(),
        cleared=cleared,
    )
    update = {"dead_letters": letters, "dead_letters_dropped": dropped}
    return status.model_copy(update=update), new


def _answered(books: Books, *, seen: Observation) -> Books:
    """The books with the requests answered that people have made."""
    if seen.spec is None or seen.schedule is None or seen.cron_job is None:
        return books  # they wait until the spec can be read, and the CronJob keep what they override
    status = books.status
    switch = books.standing.switch
    answers = answer(
        requests=seen.requests,
        status=status,
        spec=seen.spec,
        schedule=seen.schedule,
        name=seen.name,
        suspended=switch.sentence if switch else None,
        now=seen.now,
    )
    if not answers.new:
        kept = status.model_copy(update={"requests": answers.outcomes})
        return replace(books, status=kept)
    return _acted(books, answers=answers, seen=seen)


def _acted(books: Books, *, answers: Answers, seen: Observation) -> Books:
    status = books.status
    called_off = [run for run in status.pending if run.id in answers.cancel]
    ended = tuple(cancelled(run, by=answers.cancel[run.id], now=seen.now) for run in called_off)
    if ended:
        status = with_runs(
            status,
            new_runs=ended,
            active=list(status.active),
            runs_kept=seen.runs_kept,
            present={job.run_id for job in seen.jobs},
        )
    pending = [run for run in status.pending if run not in called_off]
    letters = {letter.id for letter in status.dead_letters if letter.overridden}
    asked = [
        run.model_copy(update={"overridden": True})
        if run.id in answers.overrides or run.retry_of in letters
        else run
        for run in answers.pending
    ]
    status = status.model_copy(update={"requests": answers.outcomes, "pending": [*pending, *asked]})
    status, _ = _with_letters(status, new_runs=(), cleared=answers.cleared, seen=seen)
    return replace(
        books,
        status=status,
        new_runs=(*books.new_runs, *ended),
        answers=tuple(answers.new),
        overrides=answers.overrides,
        cancel=answers.cancel,
    )
