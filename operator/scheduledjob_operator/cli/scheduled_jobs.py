"""What the verbs ask of a cluster: a small Protocol, and a ScheduledJob as they see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self

import click

from scheduledjob_operator.cli.clock import Clock
from scheduledjob_operator.models import ScheduledJobStatus
from scheduledjob_operator.models.policies import History
from scheduledjob_operator.status_reading import read_status

Body = dict[str, Any]


class RefusedByCluster(click.ClickException):
    """The cluster refused something, or was not there; the text is its own sentence. Exit code 1."""


class NoAnswer(RefusedByCluster):
    """It was not there, or had no time; it may be there in a moment."""


@dataclass(frozen=True, slots=True)
class Named:
    """A ScheduledJob, with its status."""

    namespace: str
    name: str
    spec: Mapping[str, Any]
    """As it stands in the manifest; the API server has filled in the defaults."""
    raw_status: Mapping[str, Any]
    status: ScheduledJobStatus
    body: Body

    @property
    def runs_kept(self) -> int:
        """history.runs."""
        history = self.spec.get("history") or {}
        return int(history.get("runs", History().runs))

    @classmethod
    def of(cls, body: Body) -> Self:
        """A ScheduledJob as the API server gives it.

        What a newer operator has written and this version cannot read is left out, with a warning.
        """
        metadata, given = body["metadata"], body.get("status") or {}
        return cls(
            namespace=metadata["namespace"],
            name=metadata["name"],
            spec=body.get("spec") or {},
            raw_status=given,
            status=read_status(given),
            body=body,
        )


class ScheduledJobs(Protocol):
    """The ScheduledJobs of a cluster, in the name of the user. Each raises RefusedByCluster."""

    @property
    def namespace(self) -> str:
        """The namespace that is meant where none is named."""
        ...

    @property
    def clock(self) -> Clock:
        """What to wait by."""
        ...

    def all(self, namespace: str | None) -> list[Named]:
        """Those of a namespace, or of all with None, by namespace and name."""
        ...

    def get(self, namespace: str, name: str) -> Named: ...

    def annotate(self, namespace: str, name: str, annotations: Mapping[str, str | None]) -> None:
        """Set annotations of one, whole names; None takes one away."""
        ...

    def patch_spec(self, namespace: str, name: str, fields: Mapping[str, Any]) -> None:
        """Set fields of the spec."""
        ...

    def create(self, namespace: str, body: Body) -> Named: ...

    def user(self) -> str:
        """The user's name, as the cluster knows it."""
        ...
