"""What the annotations of a ScheduledJob ask for, and the answers. Pure.

The annotations are their author's: the operator never writes them. It remembers in status.requests what it
answered, for as long as the annotation stands there with that value.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from scheduledjob_operator.job_names import backfill_job, request_job, retry_job
from scheduledjob_operator.models import (
    ConcurrencyPolicy,
    DeadLetter,
    PendingReason,
    PendingRun,
    RequestOutcome,
    Result,
    ScheduledJobSpec,
    ScheduledJobStatus,
    Trigger,
)
from scheduledjob_operator.models.types import format_time
from scheduledjob_operator.names import GROUP
from scheduledjob_operator.request_texts import (
    EVERYTHING,
    KINDS,
    BackfillRequest,
    CancelRequest,
    ClearRequest,
    Overrides,
    RefusedError,
    RetryRequest,
    RunRequest,
    kind_of,
    read,
)
from scheduledjob_operator.schedule import Schedule

__all__ = ["Answers", "Overrides", "answer", "identity", "wanted"]

MOST_OUTCOMES = 20
"""Bound of status.requests in the custom resource definition."""
MOST_PENDING = 150
"""How many runs may wait when a request is accepted: status.pending has room for 200."""
MOST_BACKFILL = 100
"""How many slots one backfill may have."""
COUNTED = timedelta(days=366)
"""How much of a range that is far too long is counted."""
LONGEST_MESSAGE = 1024
_NAMED = 3
"""How many of the things that exist are named to someone who asked for one that does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What is said to the requests, and what follows."""

    outcomes: list[RequestOutcome]
    """The whole new status.requests."""
    new: list[RequestOutcome]
    """Those that were answered now."""
    pending: list[PendingRun]
    """Runs to be put down as pending."""
    overrides: dict[str, Overrides]
    """What some of these have of their own, by run id."""
    cancel: dict[str, str]
    """Who wants which run to end, by run id; empty when nobody said who."""
    cleared: frozenset[str]
    """Ids of the dead letters to be forgotten."""


def wanted(annotations: Mapping[str, str]) -> dict[str, str]:
    """The requests among the annotations of a ScheduledJob: their values by name without the group."""
    prefix = f"{GROUP}/"
    names = (name.removeprefix(prefix) for name in annotations if name.startswith(prefix))
    return {name: annotations[prefix + name] for name in names if kind_of(name) in KINDS}


def answer(
    *,
    requests: Mapping[str, str],
    status: ScheduledJobStatus,
    spec: ScheduledJobSpec,
    schedule: Schedule,
    name: str,
    suspended: str | None,
    now: datetime,
) -> Answers:
    """The answers to `requests`, as `wanted` gives them. Each is answered once.

    `status`: with the active, pending and dead runs of this moment. `name`: of the ScheduledJob. `suspended`:
    a sentence why nothing may start at all. At most 20 answers are kept: further requests wait, in the order
    of their names, until annotations are taken away.
    """
    desk = _Desk(
        status=status,
        spec=spec,
        schedule=schedule,
        name=name,
        suspended=suspended,
        now=now.replace(microsecond=0),
    )
    ids = {annotation: identity(annotation, value) for annotation, value in requests.items()}
    outcomes = {
        outcome.annotation: outcome
        for outcome in status.requests
        if ids.get(outcome.annotation) == outcome.id
    }
    room = max(MOST_OUTCOMES - len(outcomes), 0)
    unanswered = sorted(annotation for annotation in requests if annotation not in outcomes)
    new = [
        desk.answer(annotation, value=requests[annotation], id_=ids[annotation])
        for annotation in unanswered[:room]
    ]
    outcomes |= {outcome.annotation: outcome for outcome in new}
    return Answers(
        outcomes=[outcomes[annotation] for annotation in sorted(outcomes)],
        new=new,
        pending=desk.pending,
        overrides=desk.overrides,
        cancel=desk.cancel,
        cleared=frozenset(desk.cleared),
    )


def identity(annotation: str, value: str) -> str:
    """What stands for an annotation, named without the group, and its value: the id of its answer."""
    return hashlib.sha256(f"{annotation}\n{value}".encode()).hexdigest()[:8]


@dataclass(slots=True, kw_only=True)
class _Desk:
    """Answers one request after the other; each sees what the ones before it were granted."""

    status: ScheduledJobStatus
    spec: ScheduledJobSpec
    schedule: Schedule
    name: str
    suspended: str | None
    now: datetime
    pending: list[PendingRun] = field(default_factory=list)
    overrides: dict[str, Overrides] = field(default_factory=dict)
    cancel: dict[str, str] = field(default_factory=dict)
    cleared: set[str] = field(default_factory=set)

    def answer(self, annotation: str, *, value: str, id_: str) -> RequestOutcome:
        outcome: Literal["Accepted", "Refused"] = "Accepted"
        try:
            message = self._grant(annotation, value=value, id_=id_)
        except RefusedError as refused:
            outcome, message = "Refused", str(refused)
        if len(message) > LONGEST_MESSAGE:
            message = f"{message[: LONGEST_MESSAGE - 1]}…"
        return RequestOutcome(annotation=annotation, id=id_, outcome=outcome, message=message, time=self.now)

    def _grant(self, annotation: str, *, value: str, id_: str) -> str:
        """Do what is asked for and say so in a sentence. Raises RefusedError, having done nothing."""
        request = read(annotation, value)
        if isinstance(request, CancelRequest):
            return self._cancel(request)
        if isinstance(request, ClearRequest):
            return self._clear(request)
        if self.suspended is not None:
            raise RefusedError(self.suspended)
        if isinstance(request, RunRequest):
            return self._run(request, id_=id_)
        if isinstance(request, BackfillRequest):
            return self._backfill(request, id_=id_)
        return self._retry(request, id_=id_)

    def _run(self, request: RunRequest, *, id_: str) -> str:
        if request.args is not None and self.spec.handler is None:
            raise RefusedError("args are for a handler, and this ScheduledJob runs a command: leave them out")
        if request.slot is not None and request.slot > self.now:
            raise RefusedError("slot is in the future: name a time that has passed")
        if self.spec.concurrency_policy is ConcurrencyPolicy.FORBID and request.if_active == "Refuse":
            self._refuse_overlap()
        run = self._pending(
            request_job(self.name, id_),
            trigger=Trigger.MANUAL,
            slot=request.slot.replace(microsecond=0) if request.slot else None,
            requested_by=request.requested_by,
            request=id_,
        )
        self._put_down([run])
        if request.overrides.given:
            self.overrides[run.id] = request.overrides
        return f"it is run {run.id}"

    def _refuse_overlap(self) -> None:
        queued = any(
            run.reason is PendingReason.QUEUED and run.id not in self.cancel
            for run in (*self.status.pending, *self.pending)
        )
        if self.status.active or queued:
            state, end = ("active", "has ended") if self.status.active else ("waiting to start", "has run")
            raise RefusedError(
                f"a run is {state} and concurrencyPolicy is Forbid: ask again when it {end}, "
                "or with ifActive: Queue"
            )

    def _backfill(self, request: BackfillRequest, *, id_: str) -> str:
        span = f"from {format_time(request.start)} to {format_time(request.end)}"
        if request.start > request.end:
            raise RefusedError("from is after to: write the earlier time as from")
        if request.end > self.now:
            raise RefusedError("to is in the future: a backfill is for slots that have passed")
        before = request.start - timedelta(microseconds=1)
        slots = self.schedule.slots_between(before, request.end, limit=MOST_BACKFILL + 1)
        if not slots:
            raise RefusedError(f"the schedule has no slot {span}: ask for a range that holds one")
        if len(slots) > MOST_BACKFILL:
            raise RefusedError(
                f"a backfill has at most {MOST_BACKFILL} slots, this range has "
                f"{self._counted(before, request.end)}: ask for a shorter range"
            )
        runs = [
            self._pending(
                backfill_job(self.name, slot, id_),
                trigger=Trigger.BACKFILL,
                slot=slot,
                requested_by=request.requested_by,
                request=id_,
                parallelism=request.parallelism,
            )
            for slot in slots
        ]
        self._put_down(runs)
        return f"{_number(len(slots), 'slot')} {span} will run"

    def _counted(self, start: datetime, end: datetime) -> str:
        """How many slots, for people; of years of them only that they are many, for counting takes time."""
        if end - start <= COUNTED:
            return f"{self.schedule.count_between(start, end):,}"
        return f"more than {max(self.schedule.count_between(start, start + COUNTED), MOST_BACKFILL):,}"

    def _retry(self, request: RetryRequest, *, id_: str) -> str:
        known = (*self.status.active, *self.status.pending, *self.pending)
        under_way = {run.retry_of: run.id for run in known if run.retry_of}
        letters = self._letters(request.run)
        again = [letter for letter in letters if letter.id not in under_way]
        if not again:
            runs_of_these = [under_way[letter.id] for letter in letters]
            raise RefusedError(f"that is under way already: there {_named(runs_of_these)}")
        runs = [
            self._pending(
                retry_job(letter.id, id_),
                trigger=Trigger.RETRY,
                slot=letter.slot,
                requested_by=request.requested_by,
                request=id_,
                retry_of=letter.id,
            )
            for letter in again
        ]
        self._put_down(runs)
        return f"{_number(len(runs), 'dead letter')} will be tried again"

    def _clear(self, request: ClearRequest) -> str:
        letters = self._letters(request.run)
        self.cleared |= {letter.id for letter in letters}
        return f"{_number(len(letters), 'dead letter')} cleared"

    def _letters(self, which: str) -> list[DeadLetter]:
        """The dead letters that are meant, oldest first."""
        letters = [letter for letter in reversed(self.status.dead_letters) if letter.id not in self.cleared]
        if not letters:
            raise RefusedError("there are no dead letters")
        chosen = letters if which == EVERYTHING else [letter for letter in letters if letter.id == which]
        if not chosen:
            raise RefusedError(f"there is no dead letter {which}: there {_named([x.id for x in letters])}")
        return chosen

    def _cancel(self, request: CancelRequest) -> str:
        runs = [run.id for run in (*self.status.active, *self.status.pending)]
        if request.run not in runs:
            ended = next((run for run in self.status.recent_runs if run.id == request.run), None)
            if ended is not None and ended.result is Result.CANCELLED:
                return f"run {ended.id} was ended"
            if ended is not None:
                raise RefusedError(f"run {ended.id} has ended already: {ended.result}")
            others = f"there {_named(runs)}" if runs else "no run is"
            raise RefusedError(f"no run {request.run} is active or pending: {others}")
        self.cancel[request.run] = request.requested_by or ""
        return f"run {request.run} will be ended"

    def _pending(self, id_: str, **given: Any) -> PendingRun:
        return PendingRun(
            id=id_, job_name=id_, reason=PendingReason.QUEUED, due_time=self.now, since=self.now, **given
        )

    def _put_down(self, runs: list[PendingRun]) -> None:
        """Take on all of these runs or, with RefusedError, none of them."""
        waiting = [*self.status.pending, *self.pending]
        known = {run.id for run in (*self.status.active, *self.status.recent_runs, *waiting)}
        if repeated := next((run.id for run in runs if run.id in known), None):
            raise RefusedError(f"this was asked for before, as run {repeated}: write another value")
        if len(waiting) + len(runs) > MOST_PENDING:
            raise RefusedError(
                f"at most {MOST_PENDING} runs may be pending, {len(waiting)} are and this asks for "
                f"{len(runs)} more: ask for fewer, or later"
            )
        self.pending += runs


def _named(ids: list[str]) -> str:
    """`are a, b`, and how many more."""
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return f"{'is' if len(ids) == 1 else 'are'} {', '.join(ids[:_NAMED])}{more}"


def _number(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"
