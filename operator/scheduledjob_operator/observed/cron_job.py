"""A CronJob, as the API server shows it."""

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from sys import intern
from typing import Self

from scheduledjob_operator import names
from scheduledjob_operator.observed.metadata import Body, Owner, moment
from scheduledjob_operator.ownership import foreign_spec_managers, owned_spec_fields
from scheduledjob_operator.schedule import Schedule, ScheduleError


@dataclass(frozen=True, slots=True, kw_only=True)
class CronJobSeen:
    """A CronJob, ours or not."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    owner: Owner | None
    managed: bool
    """Carries our labels: made by us for a ScheduledJob of its name."""
    spec_hash: str
    """Hash of the desired CronJob that was last applied; empty when there is none."""
    foreign_managers: tuple[str, ...]
    """Who else has written into its spec."""
    owned_fields: int
    """Stands for the fields of its spec that are ours, in this process."""
    schedule: str
    time_zone: str
    suspended: bool
    concurrency_policy: str
    starting_deadline_seconds: int | None
    created: datetime | None
    last_schedule_time: datetime | None
    active: tuple[str, ...]
    """Names of the Jobs that Kubernetes' controller takes for active."""
    timetable: str
    """What the operator fires it by, as JSON; empty when Kubernetes does. `schedule`, `suspended` and
    `concurrency_policy` are then those that it says."""
    kept_succeeded: int
    kept_failed: int
    """How many finished Jobs Kubernetes keeps."""
    overrides: str
    """What single runs override, as JSON by run id; empty when nothing."""
    adopt: bool
    """Whether somebody who may write it wants it to be taken over."""
    adopted: datetime | None
    """When it was: no slot before that is ours."""
    deleting: bool

    @classmethod
    def from_body(cls, body: Body) -> Self:
        metadata, spec, status = body["metadata"], body.get("spec") or {}, body.get("status") or {}
        labels = metadata.get("labels") or {}
        given = metadata.get("annotations") or {}
        timetable = _timetable(given)
        return cls(
            namespace=intern(metadata["namespace"]),
            name=metadata["name"],
            uid=metadata["uid"],
            resource_version=metadata.get("resourceVersion", ""),
            owner=Owner.of(metadata),
            managed=labels.get(names.LABEL_MANAGED_BY) == names.MANAGED_BY
            and labels.get(names.LABEL_NAME) == metadata["name"],
            spec_hash=(metadata.get("annotations") or {}).get(names.ANNOTATION_SPEC_HASH, ""),
            foreign_managers=foreign_spec_managers(metadata.get("managedFields") or []),
            owned_fields=owned_spec_fields(metadata.get("managedFields") or []),
            schedule=intern(timetable.get("schedule", spec.get("schedule") or "")),
            time_zone=intern(spec.get("timeZone") or ""),
            suspended=bool(timetable.get("suspend", spec.get("suspend"))),
            concurrency_policy=timetable.get("concurrencyPolicy", spec.get("concurrencyPolicy", "Allow")),
            starting_deadline_seconds=spec.get("startingDeadlineSeconds"),
            created=moment(metadata.get("creationTimestamp")),
            last_schedule_time=moment(status.get("lastScheduleTime")),
            active=tuple(entry.get("name", "") for entry in status.get("active") or ()),
            timetable=given.get(names.ANNOTATION_TIMETABLE, "") if timetable else "",
            kept_succeeded=spec.get("successfulJobsHistoryLimit", 3),
            kept_failed=spec.get("failedJobsHistoryLimit", 1),
            overrides=(metadata.get("annotations") or {}).get(names.ANNOTATION_OVERRIDES, ""),
            adopt=given.get(names.ANNOTATION_ADOPT) == "true",
            adopted=_adopted(given),
            deleting="deletionTimestamp" in metadata,
        )

    @property
    def fired_by_operator(self) -> bool:
        """Whether it is but the template of what the operator starts."""
        return bool(self.timetable)

    def read_schedule(self) -> Schedule:
        """The schedule that is in force. Raises ScheduleError when somebody edited it by hand."""
        return Schedule.read(self.schedule, time_zone=self.time_zone or "Etc/UTC")

    def fires_by(self, schedule: Schedule) -> bool:
        """Whether it has this schedule, in whatever words."""
        try:
            known = self.read_schedule()
        except ScheduleError:
            return False
        return (known.canonical, known.time_zone) == (schedule.canonical, schedule.time_zone)


def _adopted(annotations: Body) -> datetime | None:
    """Annotations are free text, so what cannot be read is not there."""
    with suppress(ValueError, OverflowError):
        return moment(annotations.get(names.ANNOTATION_ADOPTED))
    return None


def _timetable(annotations: Body) -> Body:
    """What the operator fires a CronJob by; empty when Kubernetes does, or when it cannot be read."""
    with suppress(ValueError):
        given = json.loads(annotations.get(names.ANNOTATION_TIMETABLE) or "{}")
        if isinstance(given, dict) and isinstance(given.get("schedule"), str):
            return given
    return {}
