"""`kubectl scheduledjob run`: a run now, with what it is asked for with, and its end."""

import json
from pathlib import Path
from typing import Any

import pytest

from scheduledjob_operator.cli.options import Place
from scheduledjob_operator.cli.scheduled_jobs import NoAnswer
from scheduledjob_operator.cli.waiting import wait_for
from tests.unit.bodies import NAME, NAMESPACE
from tests.unit.fake_scheduled_jobs import FakeScheduledJobs, called, scheduled_job
from tests.unit.moments import NOON, after_noon, text

CANARY = "hunter2-canary"


@pytest.fixture
def jobs() -> FakeScheduledJobs:
    return FakeScheduledJobs(scheduled_job())


def request_in(jobs: FakeScheduledJobs) -> dict[str, Any]:
    (value,) = jobs.annotations[0].values()
    found: dict[str, Any] = json.loads(value or "")
    return found


def test_the_id_of_the_run_is_printed(jobs: FakeScheduledJobs) -> None:
    result = called(jobs, "run", NAME)
    (run,) = jobs.status().pending
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"{run.id}\n", "")
    assert run.requested_by == "alice"


def test_arguments_variables_and_a_slot_are_asked_for(jobs: FakeScheduledJobs) -> None:
    given = ["--args", '{"batch": 10}', "--env", "MODE=full=1", "--env", "EMPTY="]
    called(jobs, "run", NAME, *given, "--slot", "2026-11-22T12:00:00.5+01:00", "--queue")
    assert request_in(jobs) == {
        "args": {"batch": 10},
        "env": {"MODE": "full=1", "EMPTY": ""},
        "slot": "2026-11-22T11:00:00Z",
        "ifActive": "Queue",
        "requestedBy": "alice",
    }


def test_arguments_can_stand_in_a_file_or_come_in(jobs: FakeScheduledJobs, tmp_path: Path) -> None:
    file = tmp_path / "args.json"
    file.write_text('{"name": "Jörg"}', encoding="utf-8")
    called(jobs, "run", NAME, "--args", f"@{file}")
    assert request_in(jobs)["args"] == {"name": "Jörg"}
    jobs.annotations.clear()
    called(jobs, "run", NAME, "--queue", "--args", "@-", stdin='{"name": "you"}')
    assert request_in(jobs)["args"] == {"name": "you"}


def test_no_arguments_are_not_the_same_as_an_empty_object(jobs: FakeScheduledJobs) -> None:
    called(jobs, "run", NAME, "--args", "{}")
    assert request_in(jobs)["args"] == {}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["--args", f'{{"password": "{CANARY}"'], "'--args': this is not JSON: write an object such as"),
        (["--args", f'["{CANARY}"]'], "this is no JSON object"),
        (["--args", f'{{"{CANARY}": NaN}}'], "this is not JSON"),
        (["--args", f'{{"{CANARY}": 1e999}}'], "this is not JSON"),
        (["--args", '{"a": "\\ud800"}'], "this is not JSON"),
        (["--args", "[" * 100_000], "this is not JSON"),
        (["--args", '{"a": ' * 40 + "1" + "}" * 40], "nested more than 32 levels deep"),
        (["--args", ""], "this is not JSON"),
        (["--args", "@/nowhere/at/all"], "the file behind @ cannot be read: No such file or directory"),
        (["--args", json.dumps({"a": CANARY * 400})], "args and env may have 4,096 bytes together"),
        (["--env", CANARY], "'--env': write NAME=VALUE, such as MODE=full"),
        (["--env", f"={CANARY}"], "write NAME=VALUE"),
        (["--env", f"MODE\t={CANARY}"], "a variable in env needs a name of 1 to 256 ASCII characters"),
        (["--env", f"SCHEDULEDJOB_SLOT={CANARY}"], "env must not set SCHEDULEDJOB_SLOT"),
        (["--env", f"MODE={CANARY}\udcff"], "no text in UTF-8"),
        (["--slot", CANARY], "'--slot': write a time with its zone, such as 2026-12-24T08:00:00Z"),
        (["--slot", "1969-12-31T23:59:59Z"], "slot must be a time with its zone"),
        (["--requested-by", ""], "requestedBy must be text of 1 to 253 characters"),
        (["--args", "{password:", f"{CANARY}}}"], "this is not JSON"),
        (["--env", "PASSWORD=my", CANARY], "There is one NAME: put the value of an option into quotes"),
        (["--wait", "--timeout", CANARY], "'--timeout': write a duration such as 90s, 5m or 1h30m"),
        (["--timeout", "5m"], "--timeout is how long to --wait: give both of them."),
    ],
)
def test_what_cannot_be_read_is_a_sentence_that_does_not_repeat_it(
    given: list[str], sentence: str, jobs: FakeScheduledJobs
) -> None:
    result = called(jobs, "run", NAME, *given)
    assert (result.exit_code, result.stdout, jobs.annotations) == (2, "", [])
    assert sentence in result.stderr
    assert CANARY not in result.output


def test_a_file_that_is_no_text_is_a_sentence(jobs: FakeScheduledJobs, tmp_path: Path) -> None:
    file = tmp_path / "args.json"
    file.write_bytes(b"{\xff}")
    result = called(jobs, "run", NAME, "--args", f"@{file}")
    assert result.exit_code == 2
    assert "this is not JSON" in result.stderr


# --wait


def test_the_end_of_the_run_is_waited_for_and_told(jobs: FakeScheduledJobs) -> None:
    jobs.ends = {
        "result": "Succeeded",
        "reason": "Completed",
        "durationSeconds": 2.4,
        "value": {"größe": 1250},
    }
    result = called(jobs, "run", NAME, "--wait")
    (run,) = jobs.status().recent_runs
    assert result.exit_code == 0
    said = [run.id, "Succeeded (Completed) after 2.4 s", 'value: {"größe": 1250}']
    assert result.stdout.splitlines() == said
    assert result.stderr.splitlines() == [f"{run.id} is pending: Queued", f"{run.id} is active"]


@pytest.mark.parametrize("verdict", ["Failed", "TimedOut", "Cancelled", "Unknown"])
def test_what_does_not_succeed_ends_with_exit_code_1(verdict: str, jobs: FakeScheduledJobs) -> None:
    jobs.ends = {"result": verdict, "reason": "ExitCode", "exitCode": 3, "message": "first\nso \x1b[2Jsad"}
    result = called(jobs, "run", NAME, "--wait")
    assert result.exit_code == 1
    said = [f"{verdict} (ExitCode 3)", "message: first", "         so ?[2Jsad"]
    assert result.stdout.splitlines()[1:] == said


def test_a_value_of_null_or_nothing_is_not_told_and_one_of_zero_is(jobs: FakeScheduledJobs) -> None:
    for value, shown in ((None, 0), (0, 1), (False, 1), ([], 1)):
        jobs.ends = {"result": "Succeeded", "reason": "Completed", "value": value}
        result = called(jobs, "run", NAME, "--wait")
        assert result.stdout.count("value: ") == shown


def test_waiting_ends_after_the_timeout_and_the_run_goes_on(jobs: FakeScheduledJobs) -> None:
    jobs.ends = None
    result = called(jobs, "run", NAME, "--wait", "--timeout", "1m30s")
    assert result.exit_code == 124
    assert "It has not ended within 1m30s, and goes on." in result.stderr
    (run,) = jobs.status().active
    assert result.stdout == f"{run.id}\n"
    assert 90 <= jobs.clock.monotonic() <= 91


def test_without_a_timeout_it_waits_as_long_as_it_takes(jobs: FakeScheduledJobs) -> None:
    jobs.ends = None
    jobs.at(7200, lambda: setattr(jobs, "ends", {"result": "Succeeded", "reason": "Completed"}))
    result = called(jobs, "run", NAME, "--wait")
    assert result.exit_code == 0
    assert 7200 <= jobs.clock.monotonic() < 7210


def test_the_run_that_waits_in_the_queue_is_the_one_that_is_waited_for(jobs: FakeScheduledJobs) -> None:
    jobs.ends = None
    first = called(jobs, "run", NAME).stdout.strip()
    jobs.at(60, lambda: setattr(jobs, "ends", {"result": "Succeeded", "reason": "Completed"}))
    result = called(jobs, "run", NAME, "--queue", "--wait")
    assert result.exit_code == 0
    newest, before = jobs.status().recent_runs
    assert (newest.id, before.id) == (result.stdout.split()[0], first)


def test_why_a_run_is_stuck_is_said_while_it_is_waited_for(jobs: FakeScheduledJobs) -> None:
    jobs.ends = None
    jobs.stuck = ("ImagePullBackOff", 'Back-off pulling image "nowhere"')
    result = called(jobs, "run", NAME, "--wait", "--timeout", "20s")
    said = 'is active: ImagePullBackOff: Back-off pulling image "nowhere"'
    assert result.stderr.count(said) == 1


def test_when_the_next_attempt_is_due_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    waits = {"id": "sync-1", "jobName": "sync-1", "trigger": "Manual", "request": "r", "reason": "Backoff"}
    pending = {**waits, "attempt": 2, "dueTime": text(after_noon(3600)), "since": text(NOON)}
    jobs = FakeScheduledJobs(scheduled_job(status={"pending": [pending]}))
    jobs.operates = False
    assert wait_for(Place(jobs, NAMESPACE), NAME, request="r", patience=10) is None
    assert capsys.readouterr().err == "sync-1 is pending: Backoff, due at 2026-11-22T13:00:00Z\n"


def test_a_cluster_that_is_away_for_a_moment_is_waited_for(jobs: FakeScheduledJobs) -> None:
    away = NoAnswer("The cluster does not answer: timed out")
    jobs.reads = [None, None, None, away, away, away]
    assert called(jobs, "run", NAME, "--wait").exit_code == 0
    jobs.reads = [None, None, None, *[away] * 1000]
    result = called(jobs, "run", NAME, "--wait")
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (1, f"Error: {away.message}")


def test_a_run_that_the_status_has_forgotten_is_not_waited_for_for_ever(jobs: FakeScheduledJobs) -> None:
    jobs.forgets = True
    result = called(jobs, "run", NAME, "--wait")
    assert result.exit_code == 1
    assert f"The run is not in the status of {NAME} any more" in result.stderr


def interrupt() -> None:
    raise KeyboardInterrupt


def test_whoever_waits_no_more_is_told_that_the_run_goes_on_and_how_to_end_it(
    jobs: FakeScheduledJobs,
) -> None:
    jobs.ends = None
    jobs.at(5, interrupt)
    result = called(jobs, "run", NAME, "--wait")
    assert result.exit_code == 130
    (run,) = jobs.status().active
    assert result.stderr.splitlines()[-1] == (
        f"Error: It goes on. To end it: kubectl scheduledjob cancel --namespace shop {NAME} {run.id}"
    )
    assert called(jobs, "cancel", NAME, run.id).exit_code == 0
