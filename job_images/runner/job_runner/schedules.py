"""Decorators that say when a handler runs: `python -m job_runner generate` makes ScheduledJobs of them."""

from collections.abc import Callable

from job_runner.errors import ConfigurationError
from job_runner.registry import REGISTRY, F, Schedule, place_of


def every_minutes(n: int) -> Callable[[F], F]:
    """Schedule the handler every `n` minutes. Raises ConfigurationError for less than one."""
    if not _is_whole(n, least=1):
        raise ConfigurationError(
            "every_minutes takes a whole number from 1: write for instance @every_minutes(5)"
        )
    return _scheduled(Schedule(every=f"{n}m"), written=f"every_minutes({n})")


def every_seconds(n: int) -> Callable[[F], F]:
    """Schedule the handler every `n` seconds. Raises ConfigurationError for less than one."""
    if not _is_whole(n, least=1):
        raise ConfigurationError(
            "every_seconds takes a whole number from 1: write for instance @every_seconds(90)"
        )
    return _scheduled(Schedule(every=f"{n}s"), written=f"every_seconds({n})")


def daily_at(h: int, m: int = 0, *, time_zone: str | None = None) -> Callable[[F], F]:
    """Schedule the handler once a day, at `h`:`m` in the time zone (its IANA name; None: UTC).

    Raises ConfigurationError for what is no time of day.
    """
    if not (_is_whole(h, most=23) and _is_whole(m, most=59)):
        raise ConfigurationError(
            "daily_at takes an hour from 0 to 23 and a minute from 0 to 59: "
            "write for instance @daily_at(3, 30)"
        )
    schedule = Schedule(cron=f"{m} {h} * * *", time_zone=_time_zone(time_zone))
    return _scheduled(schedule, written=f"daily_at({h}, {m})")


def cron(text: str, *, time_zone: str | None = None) -> Callable[[F], F]:
    """Schedule the handler by a cron expression such as "0 8 * * mon-fri", in the time zone (None: UTC).

    What it may say is the operator's to judge. Raises ConfigurationError for what is no line of text.
    """
    if not _is_line(text):
        raise ConfigurationError(
            'cron takes an expression in one line: write for instance @cron("0 3 * * *")'
        )
    return _scheduled(Schedule(cron=text, time_zone=_time_zone(time_zone)), written=f'cron("{text}")')


def _scheduled(schedule: Schedule, *, written: str) -> Callable[[F], F]:
    def register(function: F) -> F:
        if not REGISTRY.schedule(function, schedule):
            raise ConfigurationError(
                f"{place_of(function)}: @{written} is on a function that is no handler: "
                'write it right above @job_handler("a-name")'
            )
        return function

    return register


def _is_whole(number: object, *, least: int = 0, most: int | None = None) -> bool:
    if not isinstance(number, int) or isinstance(number, bool):
        return False
    return number >= least and (most is None or number <= most)


def _time_zone(name: str | None) -> str:
    if name is not None and not _is_line(name):
        raise ConfigurationError('time_zone takes the name of one: write for instance "Europe/Berlin"')
    return name or ""


def _is_line(text: object) -> bool:
    """Whether it is text that a manifest can hold between quotes as it is."""
    return isinstance(text, str) and text.isprintable() and text.strip() != ""
