"""The benchmark reads from the audit log which slots got their Job, and finds those that got two."""

from __future__ import annotations

from tests.bench.audit import Request
from tests.bench.load import Place
from tests.bench.slots import Slot, judged, shots

DUE = 1_800_000_000
PLACE = Place("shop", "report-1")


def _request(
    name: str,
    *,
    verb: str = "create",
    resource: str = "jobs",
    code: int = 201,
    late: float = 0.5,
    user: str = "operator",
) -> Request:
    return Request(
        user=user,
        verb=verb,
        resource=resource,
        namespace="shop",
        name=name,
        code=code,
        began=DUE,
        ended=DUE + late,
        next_page=False,
    )


def test_the_slot_is_read_from_the_name_in_seconds_or_in_minutes() -> None:
    by_operator, by_kubernetes = shots([_request(f"report-1-{DUE}"), _request(f"report-1-{DUE // 60}")])
    assert by_operator.slot == by_kubernetes.slot == Slot(PLACE, DUE)
    assert by_operator.delay == 0.5


def test_what_is_no_job_of_a_slot_is_left_out() -> None:
    others = [
        _request(f"report-1-{DUE}", code=409),
        _request(f"report-1-{DUE}", verb="patch"),
        _request(f"report-1-{DUE}", resource="jobs/status"),
        _request(f"report-1-{DUE}-r2"),
        _request("report-1-mabc"),
    ]
    assert shots(others) == []


def test_delays_come_sorted_and_what_is_missing_or_out_of_time_is_counted() -> None:
    expected = [Slot(Place("shop", f"report-{number}"), DUE) for number in range(4)]
    made = shots([_request(f"report-{number}-{DUE}", late=3.0 - number) for number in range(3)])
    outcome = judged(made, expected=expected, within=2.5)
    assert outcome.delays == (1.0, 2.0)
    assert (outcome.missing, outcome.doubled) == (2, 0)
    assert judged(made, expected=expected).missing == 1


def test_a_slot_with_two_jobs_is_found_whoever_made_them_and_whatever_they_are_called() -> None:
    pairs = [
        [_request(f"report-1-{DUE}"), _request(f"report-1-{DUE}", late=40, user="cronjob-controller")],
        [_request(f"report-1-{DUE}"), _request(f"report-1-{DUE // 60}", late=40)],
    ]
    for made in pairs:
        outcome = judged(shots(made), expected=[Slot(PLACE, DUE)], within=10)
        assert (outcome.doubled, outcome.missing, outcome.delays) == (1, 0, (0.5,))


def test_slots_that_were_not_expected_do_not_count() -> None:
    outcome = judged(shots([_request(f"report-1-{DUE}")]), expected=[Slot(PLACE, DUE + 60)])
    assert (outcome.missing, outcome.doubled, outcome.delays) == (1, 0, ())


def test_percentiles_are_delays_that_occurred() -> None:
    made = shots([_request(f"report-{number}-{DUE}", late=number / 8) for number in range(200)])
    outcome = judged(made, expected=[shot.slot for shot in made])
    assert [outcome.percentile(percent) for percent in (0, 50, 99, 100)] == [0, 12.5, 24.75, 24.875]
    assert judged([], expected=[]).percentile(99) == 0
