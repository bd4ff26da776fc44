"""Names of Jobs: valid, as Kubernetes spells them, and never the same for two different things."""

import re
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduledjob_operator.job_names import (
    LONGEST,
    attempt_job,
    backfill_job,
    fit,
    probe_job,
    request_job,
    retry_job,
    slot_job,
)
from tests.unit.moments import NOON, after_noon

LABEL = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
LONG = "a" * 52
REQUEST = "0a1b2c3d"

letters = "abz09"
names = st.builds(
    lambda first, middle, last: f"{first}{middle}{last}",
    st.sampled_from(letters),
    st.text(letters + "-.", max_size=50),
    st.sampled_from(letters),
)
slots = st.integers(0, 60 * 24 * 365).map(lambda minutes: NOON + timedelta(minutes=minutes))
request_ids = st.integers(0, 2**32 - 1).map(lambda number: f"{number:08x}")


def test_a_slots_job_is_named_as_kubernetes_names_it() -> None:
    assert slot_job("portfolio-sync", NOON) == "portfolio-sync-29922480"
    assert slot_job("portfolio-sync", after_noon(60)) == "portfolio-sync-29922481"
    assert slot_job(LONG, NOON) == f"{LONG}-29922480"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (attempt_job("sync-29922480", 2), "sync-29922480-r2"),
        (request_job("sync", REQUEST), "sync-m0a1b2c3d"),
        (backfill_job("sync", NOON, REQUEST), "sync-29922480-b0a1b2c"),
        (retry_job("sync-29922480", REQUEST), "sync-29922480-t0a1b2c3d"),
        (probe_job("sync", NOON), "sync-p1795348800"),
    ],
    ids=["attempt", "request", "backfill", "retry", "probe"],
)
def test_what_a_short_name_says(name: str, expected: str) -> None:
    assert name == expected


@pytest.mark.parametrize(
    ("base", "suffix", "expected"),
    [
        ("a" * 58, "r2", "a" * 58 + "-r2"),
        ("a" * 61, "r2", "a" * 51 + "-35d5fc-r2"),
        ("a" * 50 + "-bcdefghi", "r2", None),
        ("a" * 50 + ".bcdefghi", "r2", None),
    ],
    ids=["fits to the last character", "one too long", "cut at a dash", "cut at a dot"],
)
def test_a_long_name_is_cut_and_told_apart_by_a_hash(base: str, suffix: str, expected: str | None) -> None:
    name = fit(base, suffix)
    assert len(name) <= LONGEST
    if expected is None:
        assert re.fullmatch(r"a{50}-[0-9a-f]{6}-r2", name)
    else:
        assert name == expected


@pytest.mark.parametrize("suffix", ["", "a-b", "a.b", "a" * 41])
def test_a_suffix_that_could_blur_two_names_is_refused(suffix: str) -> None:
    with pytest.raises(ValueError, match="1 to 40 letters and digits"):
        fit("sync", suffix)


def test_the_job_of_a_request_never_reads_as_a_slots() -> None:
    """The runner takes eight digits after the name for the slot's minutes."""
    assert request_job("sync", "29922480") != slot_job("sync", NOON)
    assert not re.fullmatch(r"sync-\d{8}", request_job("sync", "12345678"))


@given(name=names, slot=slots, requests=st.lists(request_ids, min_size=2, max_size=2, unique=True))
def test_different_things_have_different_valid_names(name: str, slot: datetime, requests: list[str]) -> None:
    one, other = requests
    other_slot = slot + timedelta(minutes=1)
    runs = [
        slot_job(name, slot),
        slot_job(name, other_slot),
        request_job(name, one),
        request_job(name, other),
        probe_job(name, slot),
        probe_job(name, other_slot),
        backfill_job(name, slot, one),
        backfill_job(name, other_slot, one),
    ]
    attempts = [attempt_job(run, number) for run in runs for number in (2, 3, 101)]
    retries = [retry_job(run, request) for run in runs for request in requests]
    every = [*runs, *attempts, *retries, *(attempt_job(run, 2) for run in retries)]
    assert len(set(every)) == len(every)
    assert all(len(job) <= LONGEST and LABEL.fullmatch(job) for job in every)


@given(bases=st.lists(names, min_size=2, max_size=2, unique=True))
def test_two_names_that_are_both_cut_stay_different(bases: list[str]) -> None:
    one, other = (fit(f"{base}-{'x' * 60}", "r2") for base in bases)
    assert one != other
