"""Every schedule runs when Kubernetes runs it: compared with the very library that Kubernetes uses."""

import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from scheduledjob_operator.cron.zones import load_zone, zone_names
from tests.oracle.cases import Case, changes_of, random_cases, searchable_since
from tests.oracle.comparison import Tally, compare
from tests.oracle.program import OracleError, Question, build

CASES = 20_000
SEED = int(os.environ.get("SCHEDULEDJOB_SEED") or random.SystemRandom().randrange(2**32))

WEEKENDS = {
    "Europe/Berlin": 2025,
    "America/New_York": 2025,
    "America/Santiago": 2025,
    "America/Havana": 2025,
    "America/Sao_Paulo": 2018,  # midnight was skipped
    "Africa/Cairo": 2025,
    "Africa/Casablanca": 2025,
    "Asia/Kathmandu": 1985,  # by a quarter of an hour, at the turn of the year
    "Australia/Lord_Howe": 2025,  # half an hour
    "Pacific/Apia": 2011,  # a whole day was left out
    "Pacific/Chatham": 2025,
}
AROUND_A_CHANGE = (
    "* * * * *", "*/20 * * * *", "0 * * * *", "30 */2 * * *", "0 0 * * *", "30 0 * * *", "30 1 * * *",
    "0 2 * * *", "30 2 * * *", "15,45 2-3 * * *", "0 3 * * SUN", "30 1 * * SAT", "0 0 1 * *", "59 23 * * *",
    "0 0 1,15 * MON",
)  # fmt: skip


@pytest.fixture(scope="module")
def oracle() -> Path:
    """The program to ask. Where it cannot be built the test is skipped, and fails in CI."""
    try:
        return build()
    except OracleError as error:
        if os.environ.get("CI", "").lower() in {"true", "1"}:
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))


def no_differences(tally: Tally) -> str:
    """For the message of a failed assertion: what to repeat, and the first differences."""
    return "\n".join([f"seed {SEED} (set SCHEDULEDJOB_SEED to repeat): {tally}", *tally.differences[:10]])


def test_random_schedules_run_when_kubernetes_runs_them(oracle: Path) -> None:
    tally = compare(oracle, random_cases(CASES, seed=SEED))
    print(no_differences(tally))
    assert not tally.differences, no_differences(tally)
    assert tally.cases == CASES
    assert tally.both_run > CASES // 2
    assert tally.both_refuse > CASES // 10


def hours_of_changes(zone: str, *, year: int) -> Iterator[datetime]:
    """Every hour from a day before each of the year's clock changes to a day after it."""
    for change in changes_of(zone):
        if change.year == year:
            for hours in range(-30, 31):
                yield change.replace(minute=0) + timedelta(hours=hours)


@pytest.mark.parametrize(("zone", "year"), WEEKENDS.items())
def test_every_hour_around_a_clock_change_leads_to_the_same_runs(oracle: Path, zone: str, year: int) -> None:
    tally = compare(
        oracle,
        (
            Case(Question(expression, zone, int(hour.timestamp())), sound=True)
            for hour in hours_of_changes(zone, year=year)
            for expression in AROUND_A_CHANGE
            if searchable_since(zone) < hour or expression.split()[2::2] == ["*", "*"]
        ),
    )
    assert not tally.differences, no_differences(tally)
    assert tally.both_run >= 61 * 11


def test_kubernetes_knows_every_time_zone_that_we_know(oracle: Path) -> None:
    now = int(datetime(2026, 11, 22, tzinfo=UTC).timestamp())
    tally = compare(
        oracle, [Case(Question("30 2 * * *", zone, now), sound=True) for zone in sorted(zone_names())]
    )
    assert not tally.differences, no_differences(tally)
    assert tally.both_run == len(zone_names())


def test_no_zone_changes_its_clock_there_and_back_between_two_looks_at_it() -> None:
    days = [datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in range(366 * 12)]
    for name in zone_names():
        zone = load_zone(name)
        offsets = [day.astimezone(zone).utcoffset() for day in days]
        changes = [day for day, (one, two) in enumerate(pairwise(offsets)) if one != two]
        assert all(later - earlier > 6 for earlier, later in pairwise(changes)), name
