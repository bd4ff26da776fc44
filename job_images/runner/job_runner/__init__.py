"""Runs the handlers of ScheduledJobs: plain or async functions, found by name, one run a process."""

from job_runner.context import Context
from job_runner.errors import (
    Cancelled,
    ConfigurationError,
    DataError,
    JobError,
    TryAgain,
    Unavailable,
    UnknownHandler,
    UsageError,
)
from job_runner.registry import job_handler
from job_runner.schedules import cron, daily_at, every_minutes, every_seconds

__version__ = "0.1.0"

__all__ = [
    "Cancelled",
    "ConfigurationError",
    "Context",
    "DataError",
    "JobError",
    "TryAgain",
    "Unavailable",
    "UnknownHandler",
    "UsageError",
    "cron",
    "daily_at",
    "every_minutes",
    "every_seconds",
    "job_handler",
]
