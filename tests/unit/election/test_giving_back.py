"""The Lease is given back when the work has ended, by a signal or by itself."""

import pytest

from tests.unit.moments import moment
from tests.unit.town import GOOD, LOST, UNANSWERED, Fate, Town


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
