"""A cluster for the command line, in memory: an operator that answers with its own rules, and what runs."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any

from click.testing import CliRunner, Result

from scheduledjob_operator.cli import main
from scheduledjob_operator.cli.clock import Clock
from scheduledjob_operator.cli.scheduled_jobs import Body, Named, RefusedByCluster
from scheduledjob_operator.models import (
    ActiveRun,
    PendingRun,
    Run,
    ScheduledJobSpec,
    ScheduledJobStatus,
)
from scheduledjob_operator.names import PLURAL
from scheduledjob_operator.requests import answer, wanted
from scheduledjob_operator.wanted import schedule_of
from tests.unit import bodies
from tests.unit.bodies import NAME, NAMESPACE
from tests.unit.moments import NOON


class FakeClock:
    """Time that passes only while somebody sleeps; `passing` is called each time."""

    def __init__(self, passing: Callable[[], None]) -> None:
        self.seconds = 0.0
        self._passing = passing

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.seconds += seconds
        self._passing()


class FakeScheduledJobs:
    """ScheduledJobs and their operator, which acts whenever time passes."""

    namespace = NAMESPACE

    def __init__(self, *given: Body) -> None:
        self.bodies = {(body["metadata"]["namespace"], body["metadata"]["name"]): body for body in given}
        self._clock = FakeClock(self._time_passes)
        self.who = "alice"
        self.operates = True
        """Whether an operator is there."""
        self.suspended: str | None = None
        """What the master switch says."""
        self.ends: dict[str, Any] | None = {"result": "Succeeded", "reason": "Completed"}
        """How runs end, with fields of a Run; None: they do not."""
        self.stuck: tuple[str, str] | None = None
        """Why active runs do not start: reason and message."""
        self._to_come: list[tuple[float, Callable[[], None]]] = []
        self.forgets = False
        """Whether runs that have ended are not in the status."""
        self.reads: list[RefusedByCluster | None] = []
        """What the next reads of one come to; None: it is there."""
        self.writes: list[RefusedByCluster | None] = []
        self.annotations: list[dict[str, str | None]] = []
        """All that was ever annotated."""
        self.patches: list[dict[str, Any]] = []

    @property
    def clock(self) -> Clock:
        return self._clock

    # What the verbs ask

    def all(self, namespace: str | None) -> list[Named]:
        found = (key for key in sorted(self.bodies) if namespace in (None, key[0]))
        return [Named.of(deepcopy(self.bodies[key])) for key in found]

    def get(self, namespace: str, name: str) -> Named:
        refuse(self.reads)
        return Named.of(deepcopy(self._body(namespace, name)))

    def annotate(self, namespace: str, name: str, annotations: Mapping[str, str | None]) -> None:
        refuse(self.writes)
        metadata = self._body(namespace, name)["metadata"]
        self.annotations.append(dict(annotations))
        merged = {**metadata.get("annotations", {}), **annotations}
        metadata["annotations"] = {key: value for key, value in merged.items() if value is not None}

    def patch_spec(self, namespace: str, name: str, fields: Mapping[str, Any]) -> None:
        refuse(self.writes)
        self._body(namespace, name)["spec"].update(fields)
        self.patches.append(dict(fields))

    def create(self, namespace: str, body: Body) -> Named:
        refuse(self.writes)
        key = (namespace, body["metadata"]["name"])
        if key in self.bodies:
            raise RefusedByCluster(f'{PLURAL}.scheduledjob.dev "{key[1]}" already exists (AlreadyExists)')
        ScheduledJobSpec.model_validate(body["spec"])
        self.bodies[key] = deepcopy(body)
        return Named.of(deepcopy(body))

    def user(self) -> str:
        return self.who

    def _body(self, namespace: str, name: str) -> Body:
        if (namespace, name) not in self.bodies:
            raise RefusedByCluster(f'{PLURAL}.scheduledjob.dev "{name}" not found (NotFound)')
        return self.bodies[namespace, name]

    # What the operator does

    def at(self, seconds: float, happens: Callable[[], None]) -> None:
        """Something happens so many seconds after noon."""
        self._to_come.append((seconds, happens))

    def _time_passes(self) -> None:
        for due in [entry for entry in self._to_come if entry[0] <= self._clock.seconds]:
            self._to_come.remove(due)
            due[1]()
        if not self.operates:
            return
        for body in self.bodies.values():
            before = ScheduledJobStatus.model_validate(body.get("status") or {})
            after = self._answered(self._moved_on(before), body=body)
            body["status"] = after.model_dump(mode="json", by_alias=True, exclude_none=True)

    def _moved_on(self, status: ScheduledJobStatus) -> ScheduledJobStatus:
        """Active runs end, and the first one that is pending becomes active."""
        done = status.active if self.ends is not None else []
        ended = [self._ended(run) for run in done] if not self.forgets else []
        active = [run for run in status.active if run not in done]
        pending = [*status.pending]
        if pending and not active:
            waiting = pending.pop(0)
            active = [ActiveRun(**asked(waiting), start_time=self._clock.now())]
        if self.stuck is not None:
            reason, message = self.stuck
            active = [run.model_copy(update={"reason": reason, "message": message}) for run in active]
        return status.model_copy(
            update={"active": active, "pending": pending, "recent_runs": [*ended, *status.recent_runs]}
        )

    def _ended(self, run: ActiveRun | PendingRun, **verdict: Any) -> Run:
        fields = {**asked(run), "end_time": self._clock.now(), **(self.ends or {}), **verdict}
        return Run.model_validate(fields)

    def _answered(self, status: ScheduledJobStatus, *, body: Body) -> ScheduledJobStatus:
        spec = ScheduledJobSpec.model_validate(body["spec"])
        metadata = body["metadata"]
        answers = answer(
            requests=wanted(metadata.get("annotations", {})),
            status=status,
            spec=spec,
            schedule=schedule_of(spec, spread="x"),
            name=metadata["name"],
            suspended=self.suspended,
            now=self._clock.now(),
        )
        known: list[ActiveRun | PendingRun] = [*status.active, *status.pending]
        over = [run for run in known if run.id in answers.cancel]
        cancelled = [self._ended(run, result="Cancelled", reason="Cancelled") for run in over]
        return status.model_copy(
            update={
                "requests": answers.outcomes,
                "active": [run for run in status.active if run not in over],
                "pending": [*(run for run in status.pending if run not in over), *answers.pending],
                "recent_runs": [*cancelled, *status.recent_runs],
                "dead_letters": [run for run in status.dead_letters if run.id not in answers.cleared],
            }
        )

    # What a test looks at

    def status(self, name: str = NAME) -> ScheduledJobStatus:
        return ScheduledJobStatus.model_validate(self.bodies[NAMESPACE, name]["status"])


def scheduled_job(name: str = NAME, *, namespace: str = NAMESPACE, **given: Any) -> Body:
    """One for the fake; given: `spec` and `status`, as the API server gives them."""
    return bodies.scheduled_job(name=name, namespace=namespace, **given)


def asked(run: ActiveRun | PendingRun) -> dict[str, Any]:
    """Which run it is, and who asked for it."""
    fields = ("id", "job_name", "slot", "trigger", "requested_by", "request", "retry_of")
    return {field: getattr(run, field) for field in fields}


def refuse(planned: list[RefusedByCluster | None]) -> None:
    """Raise the next refusal, if one is planned."""
    refusal = planned.pop(0) if planned else None
    if refusal is not None:
        raise refusal


def called(jobs: FakeScheduledJobs, *arguments: str, stdin: str = "") -> Result:
    """What the command line says, exactly as a user sees it. An exception that is no sentence is raised."""
    result = CliRunner().invoke(main, arguments, obj=jobs, input=stdin)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result
