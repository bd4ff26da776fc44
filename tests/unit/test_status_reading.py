"""A status that a newer operator has written is read as far as it can be."""

import pytest

from scheduledjob_operator.status_reading import read_status
from tests.unit.bodies import Body
from tests.unit.moments import NOON, text


def run(name: str, **given: str) -> Body:
    ended = {"result": "Succeeded", "reason": "Completed", "endTime": text(NOON)}
    return {"id": name, "jobName": name, "trigger": "Schedule", **ended, **given}


def test_all_that_can_be_read_is_read() -> None:
    written = {"observedGeneration": 3, "recentRuns": [run("a"), run("b")]}
    assert [entry.id for entry in read_status(written).recent_runs] == ["a", "b"]


def test_of_a_list_only_the_entries_are_left_out_that_cannot_be_read() -> None:
    runs = [run("a"), run("b", trigger="Telepathy"), run("c"), run("d", result="Splendid", trigger="Dream")]
    status = read_status({"observedGeneration": 3, "recentRuns": runs})
    assert [entry.id for entry in status.recent_runs] == ["a", "c"]
    assert status.observed_generation == 3


def test_a_field_that_cannot_be_read_is_as_if_it_were_not_there() -> None:
    status = read_status(
        {"observedGeneration": 3, "scheduler": "Moon", "lastRun": run("a", result="Splendid")}
    )
    assert (status.scheduler, status.last_run, status.observed_generation) == (None, None, 3)


def test_what_was_given_is_left_as_it_was() -> None:
    written = {"recentRuns": [run("a", result="Splendid")]}
    read_status(written)
    assert len(written["recentRuns"]) == 1


def test_what_was_left_out_is_said_once_however_often_it_is_read(caplog: pytest.LogCaptureFixture) -> None:
    strange = [run("a", result="Splendid"), run("b", trigger="Dream")]
    for _ in range(3):
        read_status({"recentRuns": strange, "observedGeneration": "this is said in no other test"})
    (line,) = caplog.messages
    assert line.endswith(": observedGeneration, recentRuns")
