"""Our answer and Kubernetes' answer to the same question, and where they differ."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from scheduledjob_operator.schedule import Schedule, ScheduleError
from tests.oracle.cases import Case
from tests.oracle.program import Answer, Question, ask

RUNS = 5
_BATCH = 4000


@dataclass
class Tally:
    """What was compared; `differences` holds one line for each case that disagrees."""

    cases: int = 0
    both_run: int = 0
    both_refuse: int = 0
    only_we_refuse: int = 0
    only_we_run: int = 0
    differences: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.cases} cases: {self.both_run} run at the same times, {self.both_refuse} refused by both, "
            f"{self.only_we_refuse} refused by us alone, {self.only_we_run} run by us alone, "
            f"{len(self.differences)} differences"
        )


def compare(program: Path, cases: Iterable[Case]) -> Tally:
    """Ask both. A difference is: a run at another time; a schedule that we take and Kubernetes refuses; a
    canonical text that means something else to Kubernetes; a sound schedule that has runs and that we refuse.

    What we add to the dialect (seconds, `H`, `L`, `#`, `W`) Kubernetes has to refuse as it was written; where
    the canonical text has none of it left, it has to run.
    """
    tally = Tally()
    rest = iter(cases)
    while batch := list(islice(rest, _BATCH)):
        ours = [_our_answer(case.question) for case in batch]
        canonical = [
            Question(text, case.question.zone, case.question.after)
            for case, (text, _) in zip(batch, ours, strict=True)
        ]
        theirs = ask(program, [*(_one_line(case.question) for case in batch), *canonical])
        for case, (text, answer), raw, plain in zip(batch, ours, theirs, theirs[len(batch) :], strict=False):
            tally.cases += 1
            if answer.refusal and raw.refusal:
                tally.both_refuse += 1
            elif answer.refusal and not (case.sound and raw.runs):
                tally.only_we_refuse += 1
            elif answer == raw == plain:
                tally.both_run += 1
            elif raw.refusal and not case.sound and (answer == plain if _is_native(text) else plain.refusal):
                tally.only_we_run += 1
            else:
                tally.differences.append(
                    f"{case.question} canonical {text!r}: ours {answer}, Kubernetes {raw}, canonical {plain}"
                )
    return tally


def _our_answer(question: Question) -> tuple[str, Answer]:
    """The canonical text (the text itself where it is refused) and the runs."""
    try:
        schedule = Schedule.parse(question.expression, time_zone=question.zone)
    except ScheduleError as error:
        return _one_line(question).expression, Answer(refusal=str(error))
    runs = schedule.next_after(datetime.fromtimestamp(question.after, UTC), count=RUNS)
    return schedule.canonical, Answer(runs=tuple(int(run.timestamp()) for run in runs))


def _is_native(canonical: str) -> bool:
    return Schedule.read(canonical).native


def _one_line(question: Question) -> Question:
    """Trimmed, as the operator trims it, and fit for a protocol of lines and tabs."""
    text = question.expression.strip().replace("\t", " ").replace("\n", " ").replace("\r", " ")
    return Question(text, question.zone, question.after)
