"""Who leads, and since when: in virtual time, and never two at the same time (`Town` checks that always)."""

import itertools

import pytest

from tests.unit.moments import moment
from tests.unit.town import BROKEN, GOOD, LOST, REFUSED, UNANSWERED, Fate, Town


def test_the_first_one_creates_the_lease_and_leads_at_once(town: Town) -> None:
    leader = town.leader("a")
    acquired, renewed = town.server.spec["acquireTime"], town.server.spec["renewTime"]
    assert town.server.spec == {
        "holderIdentity": "a",
        "leaseDurationSeconds": 15,
        "leaseTransitions": 0,
        "acquireTime": acquired,
        "renewTime": renewed,
    }
    assert 0 <= moment(acquired) == moment(renewed) < 0.1
    assert leader.acting
    assert leader.told == [True]


def test_of_two_that_come_at_once_one_leads_and_the_other_stands_by(town: Town) -> None:
    candidates = [town.candidate("a"), town.candidate("b")]
    town.pass_(60)
    assert sorted(candidate.leads for candidate in candidates) == [False, True]
    assert [spec["leaseTransitions"] for spec in town.server.history] == [0] * len(town.server.history)


def test_an_empty_lease_is_taken_at_once(town: Town) -> None:
    town.server.set({"holderIdentity": "", "leaseDurationSeconds": 1, "leaseTransitions": 4})
    town.until_leads(town.candidate("a"), within=0.1)
    assert town.server.spec["leaseTransitions"] == 5


def test_a_lease_without_a_spec_is_taken_at_once(town: Town) -> None:
    town.server.set({})
    town.until_leads(town.candidate("a"), within=0.1)


def test_a_restarted_container_takes_its_own_lease_back_at_once(town: Town) -> None:
    leader = town.leader("a")
    before = town.server.spec
    leader.kill()
    town.pass_(5)
    town.until_leads(town.candidate("a"), within=0.1)
    assert town.server.spec["acquireTime"] == before["acquireTime"]
    assert town.server.spec["leaseTransitions"] == 0


def test_what_others_wrote_into_the_lease_stays(town: Town) -> None:
    town.server.set({"holderIdentity": "", "strategy": "ours"})
    town.leader("a")
    town.pass_(5)
    assert town.server.spec["strategy"] == "ours"


@pytest.mark.parametrize("fate", [UNANSWERED, BROKEN])
def test_who_took_the_lease_and_was_not_told_leads_with_the_next_attempt(town: Town, fate: Fate) -> None:
    candidate = town.candidate("a")
    candidate.fates.extend([GOOD, fate])
    town.until_leads(candidate, within=5.1)
    assert town.server.spec["leaseTransitions"] == 0


def test_a_leader_renews_about_every_two_seconds_without_reading(town: Town) -> None:
    leader = town.leader("a")
    town.pass_(600)
    assert {verb for _, verb in leader.requests[1:]} == {"put"}
    times = [time for time, _ in leader.requests[2:]]
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert 2.0 <= min(gaps) < 2.1
    assert 2.3 < max(gaps) <= 2.41
    assert moment(town.server.spec["acquireTime"]) < 0.1
    assert moment(town.server.spec["renewTime"]) > 597
    assert leader.told == [True]


@pytest.mark.parametrize("fate", [LOST, UNANSWERED, BROKEN, REFUSED, Fate(there=4, back=4)])
def test_one_request_that_fails_does_not_cost_the_lease(town: Town, fate: Fate) -> None:
    leader = town.leader("a")
    town.candidate("b")
    for _ in range(20):
        town.pass_(10)
        leader.fates.append(fate)
    assert leader.told == [True]


def test_a_slow_server_costs_nothing(town: Town) -> None:
    leader = town.leader("a")
    town.candidate("b")
    leader.fate = Fate(there=2.0, back=2.0)
    town.pass_(300)
    assert leader.told == [True]


def test_a_deleted_lease_is_made_again_and_its_leader_goes_on(town: Town) -> None:
    leader = town.leader("a")
    standby = town.candidate("b")
    town.pass_(10)
    town.server.lease = None
    town.pass_(60)
    assert leader.told == [True]
    assert not standby.told
    assert town.server.spec["holderIdentity"] == "a"
