"""`kubectl scheduledjob pause` and `resume`: the switch in the spec."""

import pytest

from tests.unit.bodies import NAME, NAMESPACE
from tests.unit.fake_scheduled_jobs import FakeScheduledJobs, called, scheduled_job
from tests.unit.moments import NOON, text

RUNNING = {"id": "sync-1", "jobName": "sync-1", "trigger": "Schedule", "startTime": text(NOON)}
SPEC = {"schedule": "*/5 * * * *", "handler": "sync"}
MAY_PUT_BACK = "A manifest that is applied from a repository may put this back: change it there too.\n"


def test_a_pause_is_a_change_of_one_field() -> None:
    jobs = FakeScheduledJobs(scheduled_job())
    result = called(jobs, "pause", NAME)
    assert (result.exit_code, result.stdout) == (0, f"{NAME} is paused. {MAY_PUT_BACK}")
    assert jobs.patches == [{"enabled": False}]
    assert called(jobs, "resume", NAME).stdout == (
        f"{NAME} is resumed; no slot of the past runs. {MAY_PUT_BACK}"
    )
    assert jobs.patches[1:] == [{"enabled": True}]


def test_active_runs_are_named_that_go_on() -> None:
    jobs = FakeScheduledJobs(scheduled_job(status={"active": [RUNNING, {**RUNNING, "id": "sync-2"}]}))
    result = called(jobs, "pause", NAME)
    assert "is paused. Active runs go on: sync-1, sync-2. A manifest" in result.stdout


@pytest.mark.parametrize(
    ("verb", "enabled", "said"), [("pause", False, "is paused already."), ("resume", True, "is not paused.")]
)
def test_where_nothing_is_to_be_done_nothing_is_written(verb: str, enabled: bool, said: str) -> None:
    jobs = FakeScheduledJobs(scheduled_job(spec={**SPEC, "enabled": enabled}))
    result = called(jobs, verb, NAME)
    assert (result.exit_code, result.stdout) == (0, f"{NAME} {said}\n")
    assert (jobs.patches, jobs.annotations) == ([], [])


def test_what_else_holds_a_schedule_back_is_named() -> None:
    jobs = FakeScheduledJobs(scheduled_job(status={"suspended": "Paused"}))
    result = called(jobs, "resume", NAME)
    assert result.stdout == f"{NAME} is not paused. Something else holds it back: Paused.\n"


def test_the_namespace_can_be_named() -> None:
    jobs = FakeScheduledJobs(scheduled_job(namespace="office"))
    assert called(jobs, "pause", NAME, "-n", "office").exit_code == 0
    assert jobs.bodies["office", NAME]["spec"]["enabled"] is False
    assert (NAMESPACE, NAME) not in jobs.bodies
