"""Writing the status: what has changed, as seldom as can be, and only onto the version that was read."""

from collections.abc import Callable, Container, Mapping
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

from scheduledjob_operator.books import Books
from scheduledjob_operator.cluster import ApiError, Cluster
from scheduledjob_operator.models import ScheduledJobStatus
from scheduledjob_operator.observation import Observation
from scheduledjob_operator.store import ScheduledJobSeen, Store


class Written(Enum):
    """What became of a write of the status."""

    YES = auto()
    NOT = auto()
    """Nothing in it was worth a write."""
    GONE = auto()
    """The ScheduledJob does not exist any more."""


class Recorder:
    """Writes statuses."""

    def __init__(
        self, *, cluster: Cluster, store: Store, clock: Callable[[], datetime], start_patience: timedelta
    ) -> None:
        self._cluster = cluster
        self._store = store
        self._clock = clock
        self._start_patience = start_patience

    async def write(
        self,
        *,
        seen: ScheduledJobSeen,
        previous: ScheduledJobStatus,
        status: ScheduledJobStatus,
        books: Books,
        young: Mapping[str, datetime],
    ) -> Written:
        """Write what has changed, if it is worth it."""
        patch = changed_fields(previous=previous, written=seen.status, status=status)
        if not worth_writing(patch, urgent=books.urgent):
            return Written.NOT
        if not books.urgent and only_begins(patch, previous=previous, status=status, young=young):
            return Written.NOT
        if status.pending:
            # What waits had not been started when this was written: told along with everything else.
            now = self._clock().replace(microsecond=0)
            waiting = [run.model_copy(update={"since": now}) for run in status.pending]
            status = status.model_copy(update={"pending": waiting})
            patch = changed_fields(previous=previous, written=seen.status, status=status)
        try:
            body = await self._cluster.patch_status(
                namespace=seen.key.namespace,
                name=seen.key.name,
                resource_version=seen.resource_version,
                patch=patch,
            )
        except ApiError as error:
            if error.status != 404:
                raise  # 409: it moved on, and the watch will show how
            self._store.forget_scheduled_job(seen.key, uid=seen.uid)
            return Written.GONE
        self._store.put_scheduled_job(body)
        return Written.YES

    def young(self, observed: Observation) -> dict[str, datetime]:
        """Runs whose Jobs were made a moment ago: id -> when they are not young any more."""
        until = {job.run_id: job.created + self._start_patience for job in observed.jobs}
        return {run_id: moment for run_id, moment in until.items() if moment > observed.now}


def changed_fields(
    *, previous: ScheduledJobStatus, written: Container[str], status: ScheduledJobStatus
) -> dict[str, Any]:
    """The JSON merge patch from `previous` to `status`; empty when they are equal.

    `written`: names of the fields that stand in the resource; the others are the model's defaults.
    """
    after = dump(status)
    before = {key: value for key, value in dump(previous).items() if key in written}
    return _difference(before, after)


_ACCOUNTS = {"accountedUntil", "unstarted", "counts"}
_BEGINNINGS = {"active", "activeCount", "pending", "lastScheduleTime", "nextRunTimes"}


def worth_writing(patch: dict[str, Any], *, urgent: bool) -> bool:
    """Whether a patch is worth a write of its own: slots that were skipped wait for something that is.

    `urgent`: there is a slot among them that nobody meant to skip.
    """
    if urgent or not patch.keys() <= _ACCOUNTS:
        return bool(patch)
    return bool((patch.get("counts") or {}).keys() - {"skipped"})


def only_begins(
    patch: dict[str, Any],
    *,
    previous: ScheduledJobStatus,
    status: ScheduledJobStatus,
    young: Container[str],
) -> bool:
    """Whether all that a patch says is that some runs have begun, and these are in `young` (ids).

    A run that is over in a moment is then written once, with its end.
    """
    if not patch.keys() <= _ACCOUNTS | _BEGINNINGS:
        return False
    if (patch.get("counts") or {}).keys() - {"skipped"}:
        return False
    before = {run.id: run for run in previous.active}
    after = {run.id: run for run in status.active}
    begun = after.keys() - before.keys()
    if any(after.get(run_id) != run for run_id, run in before.items()):
        return False
    waiting = {run.id for run in previous.pending} - {run.id for run in status.pending}
    told = {run.id for run in previous.pending} >= {run.id for run in status.pending}
    return bool(begun) and told and waiting <= begun and all(run_id in young for run_id in begun)


def _difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """The patch from one object to another; what is gone is named, for a merge would leave it."""
    patch: dict[str, Any] = dict.fromkeys(before.keys() - after.keys())
    for key, value in after.items():
        old = before.get(key)
        if isinstance(value, dict) and isinstance(old, dict):
            if inner := _difference(old, value):
                patch[key] = inner
        elif key not in before or value != old or isinstance(value, bool) is not isinstance(old, bool):
            patch[key] = value
    return patch


def dump(status: ScheduledJobStatus) -> dict[str, Any]:
    """The status as it stands in the resource; empty lists are kept, so that they are shown as empty."""
    return status.model_dump(by_alias=True, exclude_none=True, mode="json")
