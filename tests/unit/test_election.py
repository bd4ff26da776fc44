"""Who leads, and since when: in virtual time, and never two at the same time (`Town` checks that always)."""

import itertools
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from tests.unit.moments import NOON
from tests.unit.town import BROKEN, FORBIDDEN, GOOD, LOST, REFUSED, UNANSWERED, Fate, Town


@pytest.fixture
def town() -> Iterator[Town]:
    town = Town()
    yield town
    town.close()


def moment(text: str) -> float:
    """A MicroTime, in seconds after noon."""
    assert len(text) == len("2026-11-22T12:00:00.000000Z")
    return (datetime.fromisoformat(text) - NOON) / timedelta(seconds=1)


# Taking the Lease


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


# Renewing


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


# Losing it


def test_a_standby_takes_over_fifteen_seconds_after_the_last_change_it_saw(town: Town) -> None:
    leader = town.leader("a")
    standby = town.candidate("b")
    town.pass_(30)
    leader.kill()
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


# Giving it back


def test_who_quits_gives_the_lease_back_and_another_leads_within_a_period(town: Town) -> None:
    leader = town.leader("a")
    standby = town.candidate("b")
    town.pass_(20)
    leader.quit()
    town.until_leads(standby, within=2.5)
    assert leader.running.cancelled()
    assert leader.told == [True, False]
    given = next(spec for spec in town.server.history if not spec["holderIdentity"])
    assert given["leaseDurationSeconds"] == 1
    assert moment(given["renewTime"]) == pytest.approx(20.1, abs=0.1)
    assert town.server.spec["leaseTransitions"] == 1


def test_the_lease_is_given_back_only_when_the_work_has_ended(town: Town) -> None:
    leader = town.leader("a", ends_in=4.0)
    standby = town.candidate("b")
    town.pass_(20)
    leader.quit()
    town.pass_(3.9)
    assert town.server.spec["holderIdentity"] == "a"
    assert leader.leads, "so that it may write what is left to write"
    town.until_leads(standby, within=2.6)


def test_a_second_signal_does_not_give_it_back_earlier(town: Town) -> None:
    leader = town.leader("a", ends_in=4.0)
    leader.quit()
    town.pass_(1)
    leader.ends_in = 0.0
    leader.quit()
    town.pass_(1)
    assert leader.running.cancelled()
    assert town.server.spec["holderIdentity"] == ""


def test_a_renewal_on_its_way_does_not_keep_the_lease(town: Town) -> None:
    leader = town.leader("a")
    leader.fates.append(Fate(there=1.0))
    town.pass_(2.5)
    leader.quit()
    leader.fates.append(Fate(there=0.5, back=0.4))
    town.pass_(3)
    assert leader.running.cancelled()
    assert town.server.spec["holderIdentity"] == ""


def test_a_lease_that_was_taken_without_our_knowing_is_given_back_too(town: Town) -> None:
    candidate = town.candidate("a")
    candidate.fates.extend([GOOD, UNANSWERED])
    town.pass_(1)
    candidate.quit()
    town.pass_(1)
    assert town.server.spec["holderIdentity"] == ""


def test_giving_it_back_takes_two_seconds_at_most(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    leader = town.leader("a")
    leader.fate = LOST
    leader.quit()
    town.pass_(1.9)
    assert not leader.running.done()
    town.pass_(0.2)
    assert leader.running.cancelled()
    assert "another waits 15 seconds for it: no answer" in caplog.text


def test_a_standby_that_quits_leaves_the_lease_alone(town: Town) -> None:
    town.leader("a")
    standby = town.candidate("b")
    town.pass_(20)
    standby.quit()
    asked = len(standby.requests)
    town.pass_(1)
    assert standby.running.cancelled()
    assert len(standby.requests) == asked
    assert town.server.spec["holderIdentity"] == "a"


# Work that ends by itself


def test_work_that_fails_is_the_end_and_the_lease_is_given_back(town: Town) -> None:
    leader = town.leader("a")
    leader.fail(ValueError("a bug"))
    town.pass_(1)
    with pytest.raises(ValueError, match="a bug"):
        leader.running.result()
    assert leader.told == [True, False]
    assert town.server.spec["holderIdentity"] == ""


def test_work_that_returns_is_a_failure(town: Town) -> None:
    leader = town.leader("a")
    leader.fail(None)
    town.pass_(1)
    with pytest.raises(RuntimeError, match="must go on until it is cancelled"):
        leader.running.result()
    assert town.server.spec["holderIdentity"] == ""


def test_work_that_fails_while_it_ends_is_logged(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    leader = town.leader("a")
    leader.fails_in_the_end = True
    leader.fate = LOST
    town.pass_(12)
    assert "what the leader did has failed" in caplog.text
    leader.fate = GOOD
    town.until_leads(leader, within=10)


# What is said about it


def test_an_outage_is_logged_once_and_so_is_its_end(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    town.leader("a")
    standby = town.candidate("b")
    town.pass_(1)
    for fate in (REFUSED, FORBIDDEN):
        caplog.clear()
        standby.fate = fate
        town.pass_(60)
        standby.fate = GOOD
        town.pass_(60)
        said = [record.getMessage() for record in caplog.records]
        assert len(said) == 2
        assert said[0].startswith("b cannot hold the Lease, trying again: ")
        assert said[1] == "the Lease can be reached again"


def test_a_standby_says_once_who_leads(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    town.leader("a")
    town.candidate("b")
    town.pass_(60)
    assert [record.getMessage() for record in caplog.records] == [
        "a leads now",
        "b stands by while a has the Lease",
    ]
