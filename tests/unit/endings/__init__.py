"""Jobs and their Pods as Kubernetes leaves them, one for each way to end, and what is to be said of it."""

from tests.unit.endings.by_deadline import NOT_STARTED, TIMED_OUT
from tests.unit.endings.by_disruption import DISRUPTED
from tests.unit.endings.by_itself import FAILED, SUCCEEDED
from tests.unit.endings.shapes import COMPLETE, GIVEN_UP, JOB, Ending, crashed, deleted, overdue, pod, report

ENDINGS = [*SUCCEEDED, *FAILED, *TIMED_OUT, *NOT_STARTED, *DISRUPTED]

__all__ = [
    "COMPLETE",
    "ENDINGS",
    "GIVEN_UP",
    "JOB",
    "Ending",
    "crashed",
    "deleted",
    "overdue",
    "pod",
    "report",
]
