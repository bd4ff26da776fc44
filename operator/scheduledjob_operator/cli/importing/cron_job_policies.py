"""When a CronJob's runs start, how they are tried again and when they end, as fields of a ScheduledJob.

Where a CronJob says nothing Kubernetes' default is written down, unless it is a ScheduledJob's as well.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from pydantic import BaseModel

from scheduledjob_operator.cron.fields import NoSuchDateError
from scheduledjob_operator.models import Retry, ScheduledJobSpec
from scheduledjob_operator.models.policies import History
from scheduledjob_operator.models.types import Between, format_duration, parse_duration
from scheduledjob_operator.schedule import Schedule, ScheduleError

Body = dict[str, Any]

_ZONE = re.compile(r"(?:CRON_)?TZ=(\S+) (.+)")
"""What Kubernetes refuses today, and goes by in CronJobs of before."""
_EVERY = re.compile(r"@every (.+)")

BACKOFF_LIMIT = 6
HISTORY = {"successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 1}
GRACE = 30
"""Kubernetes' defaults."""


def when(spec: Body, *, time_zone: str | None, remarks: list[str]) -> Body:
    """`time_zone`: that of a schedule that names none."""
    enabled = {"enabled": False} if spec.get("suspend") else {}
    text = " ".join(spec["schedule"].split())  # a ScheduledJob has no tabs in it
    zone = spec.get("timeZone") or time_zone
    if prefix := _ZONE.fullmatch(text):
        zone, text = prefix.groups()
    if every := _interval(text):
        remarks.append(
            f"{text} is counted from the beginning of 1970 in UTC now, and not from the last run any more"
        )
        return {**enabled, "every": every}
    if _never_comes(text):
        remarks.append(f'no year has a day for "{text}": it has no schedule now, and runs on demand only')
        return enabled
    return {**enabled, "schedule": text, **({"timeZone": zone} if zone else {})}


def _interval(text: str) -> str | None:
    match = _EVERY.fullmatch(text)
    try:
        return format_duration(parse_duration(match[1])) if match else None
    except ValueError:
        return None


def _never_comes(text: str) -> bool:
    try:
        Schedule.parse(text)
    except NoSuchDateError:
        return True
    except ScheduleError:
        return False
    return False


def policies(spec: Body, job: Body, pod: Body, *, remarks: list[str]) -> Body:
    """Of the CronJob's spec, its Job's and its Pod's."""
    grace = pod.get("terminationGracePeriodSeconds")
    late = spec.get("startingDeadlineSeconds")
    return {
        "concurrencyPolicy": spec.get("concurrencyPolicy") or "Allow",
        **_retry(job, remarks=remarks),
        **_duration("startingDeadline", late, of="startingDeadlineSeconds", remarks=remarks),
        **_ends(job, pod, remarks=remarks),
        **_duration(
            "gracePeriod",
            GRACE if grace is None else grace,
            of="terminationGracePeriodSeconds",
            remarks=remarks,
        ),
        **_history(spec, remarks=remarks),
    }


def _retry(job: Body, *, remarks: list[str]) -> Body:
    given = job.get("backoffLimit")
    limit = _within(
        BACKOFF_LIMIT if given is None else given,
        bounds=_bounds(Retry, "limit"),
        what="backoffLimit {} is carried over as a retry.limit of {}",
        remarks=remarks,
    )
    if not limit:
        remarks.append("backoffLimit was 0, and a Pod that is evicted is started again all the same")
        return {}
    return {"retry": {"limit": limit, "neverOnExitCodes": []}}


def _ends(job: Body, pod: Body, *, remarks: list[str]) -> Body:
    """A Job's deadline counts from its creation, so that it is one for the start as well."""
    of_job = job.get("activeDeadlineSeconds")
    given = [one for one in (of_job, pod.get("activeDeadlineSeconds")) if one is not None]
    if of_job is not None and job.get("backoffLimit") != 0:
        remarks.append("activeDeadlineSeconds was for all attempts, and its timeout is for each one")
    least, most = _bounds(ScheduledJobSpec, "pending_timeout")
    start = most if of_job is None else max(least, min(of_job, most))
    return {
        **_duration("timeout", min(given, default=None), of="activeDeadlineSeconds", remarks=remarks),
        **_duration("pendingTimeout", start, of="activeDeadlineSeconds", remarks=remarks),
    }


def _history(spec: Body, *, remarks: list[str]) -> Body:
    kept: Body = {}
    for given, field in (
        ("successfulJobsHistoryLimit", "succeeded_jobs"),
        ("failedJobsHistoryLimit", "failed_jobs"),
    ):
        info = History.model_fields[field]
        number = spec.get(given)
        number = _within(
            HISTORY[given] if number is None else number,
            bounds=_bounds(History, field),
            what=f"{given} {{}} is carried over as a history.{info.alias} of {{}}",
            remarks=remarks,
        )
        if number != info.default:
            kept[str(info.alias)] = number
    return {"history": kept} if kept else {}


def _duration(field: str, seconds: int | None, *, of: str, remarks: list[str]) -> Body:
    """The field, unless it has that length by default; the longest where there is no limit."""
    name, info = next(
        (name, info) for name, info in ScheduledJobSpec.model_fields.items() if info.alias == field
    )
    bounds = _bounds(ScheduledJobSpec, name)
    kept = _within(
        bounds[1] if seconds is None else seconds,
        bounds=bounds,
        what=f"{of} {{}} is carried over as a {field} of {{}}",
        remarks=remarks,
        written=_written,
    )
    return {} if timedelta(seconds=kept) == info.default else {field: _written(kept)}


def _within(
    given: int,
    *,
    bounds: tuple[int, int],
    what: str,
    remarks: list[str],
    written: Callable[[int], str] = str,
) -> int:
    """The nearest number that is allowed. Raises TypeError for what is none."""
    least, most = bounds
    kept = max(least, min(given, most))
    if kept != given:
        text = what.format(given, written(kept))
        remarks.append(f"{text}, as it has to be from {written(least)} to {written(most)}")
    return kept


def _bounds(model: type[BaseModel], field: str) -> tuple[int, int]:
    """In seconds for a duration."""
    low, high = 0, 0
    for one in model.model_fields[field].metadata:
        if isinstance(one, Between):
            low, high = (int(parse_duration(end).total_seconds()) for end in (one.least, one.most))
        low, high = getattr(one, "ge", low), getattr(one, "le", high)
    return low, high


def _written(seconds: int) -> str:
    return format_duration(timedelta(seconds=seconds))
