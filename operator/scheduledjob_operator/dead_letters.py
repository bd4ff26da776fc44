"""Runs that failed for good, and what became of them later. Pure."""

from collections.abc import Container, Sequence
from datetime import datetime

from scheduledjob_operator.models import DeadLetter, Result, Run, Trigger
from scheduledjob_operator.models.runs import FAILURES
from scheduledjob_operator.names import RunReason

MOST = 50
"""Bound of status.deadLetters in the custom resource definition."""


def updated(
    *,
    letters: Sequence[DeadLetter],
    dropped: int,
    ended: Sequence[Run],
    retry_limit: int,
    overridden: Container[str],
    cleared: Container[str],
) -> tuple[list[DeadLetter], int, list[DeadLetter]]:
    """The dead letters after some runs have ended: (all, newest first; how many were dropped ever; the new).

    `dropped`: how many had been dropped before. `ended`: the runs that ended since. `retry_limit`: without
    retries nothing is a dead letter. `overridden`: ids of runs that had arguments or variables of their own.
    `cleared`: ids of the letters that somebody asked to clear, which do not count as dropped.
    """
    by_id = {letter.id: letter for letter in letters if letter.id not in cleared}
    known = frozenset(by_id)
    for run in sorted(ended, key=lambda run: (run.end_time, run.id)):
        identity = run.retry_of or run.id
        if run.result is Result.SUCCEEDED:
            by_id.pop(identity, None)
        elif run.result in FAILURES and identity in by_id:
            by_id[identity] = _tried_again(by_id[identity], run=run)
        elif _is_dead(run, retry_limit=retry_limit):
            own = run.id in overridden or identity in overridden
            by_id[identity] = _letter(run, identity=identity, overridden=own)
    newest_first = sorted(by_id.values(), key=_age, reverse=True)
    kept = newest_first[:MOST]
    new = [letter for letter in kept if letter.id not in known]
    return kept, dropped + len(newest_first) - len(kept), new


def _age(letter: DeadLetter) -> tuple[datetime, str]:
    return letter.time, letter.id


def _is_dead(run: Run, *, retry_limit: int) -> bool:
    """Whether nothing tries the run again that was to be tried again when it fails."""
    if run.trigger is Trigger.PROBE or run.reason == RunReason.SUPERSEDED:
        return False
    return retry_limit > 0 and run.result in FAILURES


def _letter(run: Run, *, identity: str, overridden: bool) -> DeadLetter:
    return DeadLetter(
        id=identity,
        slot=run.slot,
        trigger=run.trigger,
        requested_by=run.requested_by,
        run=run.id,
        attempts=_attempts(run),
        result=run.result,
        reason=run.reason,
        exit_code=run.exit_code,
        message=run.message,
        time=run.end_time,
        overridden=overridden,
    )


def _tried_again(letter: DeadLetter, *, run: Run) -> DeadLetter:
    """The letter after one more run that failed."""
    return letter.model_copy(
        update={
            "run": run.id,
            "attempts": letter.attempts + _attempts(run),
            "result": run.result,
            "reason": run.reason,
            "exit_code": run.exit_code,
            "message": run.message,
            "time": run.end_time,
        }
    )


def _attempts(run: Run) -> int:
    """A run whose Pods nobody saw was attempted once."""
    return len(run.attempts) or 1
