"""Why Jobs have no Pod: Kubernetes says so in Events, a moment later, or something else later on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from scheduledjob_operator.actions import Actions
from scheduledjob_operator.cluster import Body
from scheduledjob_operator.deadlines import POD_PATIENCE, Said, no_pod
from scheduledjob_operator.observation import soonest
from scheduledjob_operator.observed import JobSeen
from scheduledjob_operator.store import Key

ASK_AGAIN = timedelta(seconds=30)
"""How soon to ask again when there was no answer; twice as long each time, up to `ANSWER_LASTS`."""
ANSWER_LASTS = timedelta(minutes=5)
"""How soon to ask again when there was one: the reason may be another one by then."""
MOST_QUESTIONS = 10
"""About how many Jobs of one ScheduledJob is asked at a time; the others wait for `ASK_AGAIN`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """What is known of why a Job has no Pod."""

    said: Said | None = None
    again: datetime
    """When to ask."""
    wait: timedelta = ASK_AGAIN
    """How long to wait after that, should there be no answer."""

    @property
    def turn(self) -> tuple[datetime, timedelta]:
        """What has not been asked yet comes first."""
        return self.again, self.wait

    def answered(self, said: Said | None, *, now: datetime) -> "_Question":
        """`said` is None when there is no answer: what was said before stands."""
        if said is not None:
            return _Question(said=said, again=now + ANSWER_LASTS)
        return replace(self, again=now + self.wait, wait=min(2 * self.wait, ANSWER_LASTS))


class Explaining:
    """Asks for the reasons. Remembers them for as long as the Jobs have no Pod."""

    def __init__(self, *, actions: Actions, clock: Callable[[], datetime]) -> None:
        self._actions = actions
        self._clock = clock
        self._questions: dict[Key, dict[str, _Question]] = {}
        """By the name of the Job."""

    def said(self, key: Key) -> dict[str, Said]:
        """Job name -> why it has no Pod, as far as Kubernetes has said why."""
        questions = self._questions.get(key, {})
        return {name: question.said for name, question in questions.items() if question.said}

    def forget(self, key: Key) -> None:
        """The ScheduledJob is gone."""
        self._questions.pop(key, None)

    async def ask(
        self, key: Key, *, jobs: Sequence[JobSeen], source: Callable[[], Body]
    ) -> tuple[bool, datetime | None]:
        """Ask about the Jobs that have no Pod now: (whether another reason was given, when to ask again).

        `source` makes what they are made from.
        """
        now, known = self._clock(), self._questions.get(key, {})
        questions = {
            job.name: known.get(job.name) or _Question(again=(job.started or now) + POD_PATIENCE)
            for job in jobs
        }
        due = [job for job in jobs if questions[job.name].again <= now]
        due.sort(key=lambda job: questions[job.name].turn)
        news = False
        for job in due[:MOST_QUESTIONS]:
            before = questions[job.name]
            answer = no_pod(await self._actions.refusals(job, body=source()) or ())
            questions[job.name] = before.answered(answer, now=now)
            # Kubernetes words one reason differently each time: that is nothing new.
            news = news or (answer is not None and answer[0] != (before.said or ("",))[0])
        for job in due[MOST_QUESTIONS:]:
            questions[job.name] = replace(questions[job.name], again=now + ASK_AGAIN)
        if questions:
            self._questions[key] = questions
        else:
            self._questions.pop(key, None)
        return news, soonest(*(question.again for question in questions.values()))
