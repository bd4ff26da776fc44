"""Which day and which hour a run is about: those of its slot, even when it starts late."""

from datetime import UTC, date, datetime

from job_runner import Context


def day_of(context: Context) -> date:
    """The day of the slot in the time zone of the schedule; today for a run that a person started."""
    return _moment(context).astimezone(context.time_zone).date()


def hour_of(context: Context) -> datetime:
    """The full hour of the slot, in UTC."""
    return _moment(context).replace(minute=0, second=0, microsecond=0)


def _moment(context: Context) -> datetime:
    return context.slot or datetime.now(tz=UTC)
