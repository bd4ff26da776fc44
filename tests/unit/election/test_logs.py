"""What is said about who leads."""

import logging

import pytest

from tests.unit.town import FORBIDDEN, GOOD, REFUSED, Town


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
