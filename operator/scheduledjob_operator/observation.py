"""What the books are made of: all that was seen of one ScheduledJob. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from scheduledjob_operator.ledger import JobsObserved
from scheduledjob_operator.models import PendingRun, ScheduledJobSpec
from scheduledjob_operator.observed import CronJobSeen, EndedAs
from scheduledjob_operator.schedule import Schedule
from scheduledjob_operator.suspension import Switch


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation(JobsObserved):
    """All that the books are made of."""

    name: str
    cron_job: CronJobSeen | None
    """As it was before it is brought into its desired state: what the slots up to now had to go by."""
    spec: ScheduledJobSpec | None
    """None when it cannot be read; the CronJob then stays as it is."""
    schedule: Schedule | None
    runs_kept: int
    requests: Mapping[str, str]
    """Annotations that ask for something, as `requests.wanted` picks them out."""
    switches: Sequence[Switch]
    going: bool = False
    """Whether the namespace is being deleted: nothing can be made in it."""
    first_look: bool = False
    """Whether Jobs may have come and gone since the status was written: the operator was away."""
    refused: Mapping[str, EndedAs] = field(default_factory=dict)
    """Run id -> what the API server has against its Job."""
    refused_slots: Sequence[PendingRun] = ()
    """Runs of slots that could not be started for that reason, and stand in no status yet."""
    environment: str = ""
    """The one that the operator is installed for."""


def soonest(*moments: datetime | None) -> datetime | None:
    """The first of some moments, of those that there are."""
    return min(filter(None, moments), default=None)
