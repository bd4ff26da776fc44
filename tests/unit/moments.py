"""Named instants of the one day on which all unit tests play, and how to read them."""

from datetime import UTC, datetime, timedelta

MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def after_noon(seconds: float = 0.0) -> datetime:
    """So many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def text(instant: datetime) -> str:
    """As the API server writes it."""
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> float:
    """A MicroTime, in seconds after noon."""
    assert len(text) == len("2026-11-22T12:00:00.000000Z")
    return (datetime.fromisoformat(text) - NOON) / timedelta(seconds=1)
