"""When a leader stops, and when another one follows."""

import pytest

from tests.unit.moments import moment
from tests.unit.town import FORBIDDEN, GOOD, LOST, REFUSED, UNANSWERED, Fate, Town


def test_a_standby_takes_over_fifteen_seconds_after_the_last_change_it_saw(town: Town) -> None:
    leader = town.leader("a")
    standby = town.candidate("b")
    town.pass_(30)
    leader.kill()
    town.pass_(1)  # what it sent at last arrives
    last = moment(town.server.spec["renewTime"])
    town.until_leads(standby, within=20)
    assert 15 <= town.time.now - last <= 15 + 2.4 + 0.1, "it sees the last change within a period"
    assert town.server.spec["leaseTransitions"] == 1
    assert moment(town.server.spec["acquireTime"]) > last


def test_a_standby_that_has_just_come_waits_too(town: Town) -> None:
    town.leader("a").kill()
    town.pass_(100)
    assert town.until_leads(town.candidate("b"), within=20) == pytest.approx(15, abs=0.1)


@pytest.mark.parametrize("offset", [-5000.0, 5000.0])
def test_what_the_others_clock_shows_does_not_matter(town: Town, offset: float) -> None:
    leader = town.leader("a", offset=offset)
    standby = town.candidate("b")
    town.pass_(100)
    assert leader.told == [True]
    leader.kill()
    assert town.until_leads(standby, within=20) > 12


def test_a_longer_duration_of_another_version_is_respected(town: Town) -> None:
    town.server.set({"holderIdentity": "x", "leaseDurationSeconds": 60})
    assert town.until_leads(town.candidate("a"), within=61) == pytest.approx(60, abs=0.1)


@pytest.mark.parametrize("fate", [LOST, UNANSWERED, REFUSED, FORBIDDEN])
def test_a_leader_that_cannot_renew_ends_its_work_ten_seconds_after_its_last_renewal(
    town: Town, fate: Fate, caplog: pytest.LogCaptureFixture
) -> None:
    leader = town.leader("a")
    town.pass_(20)
    last = [time for time, _ in leader.requests][-1]
    leader.fate = fate
    town.pass_(last + 9.9 - town.time.now)
    assert leader.leads
    assert leader.acting
    town.pass_(0.2)
    assert not leader.leads
    assert not leader.acting
    assert leader.told == [True, False]
    assert "a leads no more: the Lease could not be renewed for 10 seconds" in caplog.text
    leader.fate = GOOD
    town.until_leads(leader, within=8)
    assert leader.acting
    assert leader.told == [True, False, True]


def test_a_leader_whose_request_hangs_stops_before_the_lease_expires_for_others(town: Town) -> None:
    leader = town.leader("a")
    standby = town.candidate("b")
    town.pass_(20)
    leader.fate = LOST
    town.until_leads(standby, within=20)
    town.pass_(60)
    assert standby.leads
    assert leader.told == [True, False]


def test_a_leader_counts_from_before_it_sent_its_renewal(town: Town) -> None:
    leader = town.leader("a", rate=0.95)
    standby = town.candidate("b", rate=1.05)
    town.pass_(20)
    leader.fates.append(Fate(there=0.0, back=4.9))
    leader.fate = LOST
    while leader.fates:
        town.pass_(0.01)
    town.pass_(10 / 0.95)
    assert leader.told == [True, False]
    town.until_leads(standby, within=10)


def test_a_standby_counts_from_the_answer_and_not_from_its_question(town: Town) -> None:
    leader = town.leader("a")
    standby = town.candidate("b")
    town.pass_(20)
    standby.fates.append(Fate(there=4.9, back=0.0))
    while standby.fates:
        town.pass_(0.01)
    town.pass_(4.8)
    leader.kill()
    town.until_leads(standby, within=20)
    assert moment(town.server.spec["acquireTime"]) >= moment(town.server.history[-2]["renewTime"]) + 15


def test_a_leader_that_was_stopped_for_a_minute_does_not_lead_when_it_goes_on(town: Town) -> None:
    leader = town.leader("a")
    standby = town.candidate("b")
    town.pass_(20)
    leader.process.stop_for(60)
    town.pass_(59.9)
    assert leader.acting, "nobody could tell it"
    assert not leader.leads
    assert standby.leads
    town.pass_(0.2)
    assert not leader.acting
    town.pass_(60)
    assert standby.told == [True]


def test_a_leader_that_finds_another_in_the_lease_stops_at_its_next_renewal(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    leader = town.leader("a")
    town.server.set({"holderIdentity": "somebody", "leaseDurationSeconds": 15})
    town.pass_(2.5)
    assert leader.told == [True, False]
    assert not leader.acting
    assert "a leads no more: somebody has the Lease" in caplog.text


def test_work_that_is_slow_to_end_is_awaited_before_the_lease_is_tried_again(town: Town) -> None:
    leader = town.leader("a", ends_in=30.0)
    leader.fate = LOST
    town.pass_(12)
    leader.fate = GOOD
    asked = len(leader.requests)
    town.pass_(20)
    assert len(leader.requests) == asked
    town.until_leads(leader, within=10)
