"""What a verb asks of the operator it asks by an annotation, which goes when it is answered."""

import json

import pytest

from scheduledjob_operator.cli.asking import PATIENCE
from scheduledjob_operator.cli.scheduled_jobs import NoAnswer
from tests.unit.bodies import NAME
from tests.unit.fake_scheduled_jobs import FakeScheduledJobs, called, scheduled_job
from tests.unit.moments import NOON, after_noon, text

RUNNING = {"id": "sync-1", "jobName": "sync-1", "trigger": "Schedule", "startTime": text(NOON)}
QUEUED = {
    "id": "sync-2",
    "jobName": "sync-2",
    "trigger": "Manual",
    "reason": "Queued",
    "dueTime": text(NOON),
    "since": text(NOON),
}


@pytest.fixture
def jobs() -> FakeScheduledJobs:
    return FakeScheduledJobs(scheduled_job())


def busy(**lists: object) -> FakeScheduledJobs:
    jobs = FakeScheduledJobs(scheduled_job(status=lists))
    jobs.ends = None
    return jobs


def test_the_annotation_is_taken_away_when_it_is_answered(jobs: FakeScheduledJobs) -> None:
    assert called(jobs, "run", NAME).exit_code == 0
    asked, taken_away = jobs.annotations
    ((annotation, value),) = asked.items()
    assert annotation.startswith("scheduledjob.dev/run.cli-")
    assert json.loads(value or "") == {"requestedBy": "alice"}
    assert taken_away == {annotation: None}
    assert jobs.bodies["shop", NAME]["metadata"]["annotations"] == {}


def test_what_the_operator_refuses_is_said_in_its_words_and_asked_no_more(jobs: FakeScheduledJobs) -> None:
    jobs.suspended = "suspended everywhere: database migration"
    result = called(jobs, "run", NAME)
    sentence = "Error: The operator refused: suspended everywhere: database migration\n"
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", sentence)
    assert jobs.bodies["shop", NAME]["metadata"]["annotations"] == {}


def test_where_no_operator_answers_the_request_stands_and_how_to_call_it_off_is_said(
    jobs: FakeScheduledJobs,
) -> None:
    jobs.operates = False
    result = called(jobs, "run", NAME, "--env", "MODE=hunter2")
    assert result.exit_code == 1
    assert jobs.clock.monotonic() == PATIENCE
    (annotation,) = jobs.bodies["shop", NAME]["metadata"]["annotations"]
    assert "No operator has answered within 30 s." in result.stderr
    assert f"kubectl annotate --namespace shop scheduledjob {NAME} {annotation}-" in result.stderr
    assert "hunter2" not in result.output


def test_a_cluster_that_is_away_for_a_moment_has_the_answer_in_the_next_one(jobs: FakeScheduledJobs) -> None:
    away = NoAnswer("The cluster does not answer: timed out")
    jobs.reads = [away, away]
    assert called(jobs, "run", NAME).exit_code == 0
    jobs.reads = [away] * 1000
    result = called(jobs, "run", NAME, "--queue")
    assert result.exit_code == 1
    assert f"Error: {away.message}. Whether the request has arrived is not known" in result.stderr
    assert f"kubectl annotate --namespace shop scheduledjob {NAME} scheduledjob.dev/run.cli-" in result.stderr


def test_a_request_of_which_nobody_knows_whether_it_has_arrived_is_made_again_and_is_the_same_one(
    jobs: FakeScheduledJobs,
) -> None:
    lost = NoAnswer("The cluster does not answer: timed out")
    jobs.writes = [lost, lost]
    assert called(jobs, "run", NAME).exit_code == 0
    assert len({name for annotations in jobs.annotations for name in annotations}) == 1
    assert len(jobs.status().pending) == 1


def test_what_was_granted_is_granted_when_the_annotation_cannot_be_taken_away(
    jobs: FakeScheduledJobs,
) -> None:
    jobs.writes = [None, NoAnswer("The cluster does not answer: timed out")]
    result = called(jobs, "run", NAME)
    assert result.exit_code == 0
    assert result.stdout.strip() == jobs.status().pending[0].id
    assert "stays: The cluster does not answer" in result.stderr


def test_an_unknown_name_is_said_in_the_sentence_of_the_api_server(jobs: FakeScheduledJobs) -> None:
    for verb in (["run"], ["cancel"], ["pause"], ["resume"], ["dlq", "list"], ["dlq", "retry", "--all"]):
        result = called(jobs, *verb, "nobody")
        said = 'Error: scheduledjobs.scheduledjob.dev "nobody" not found (NotFound)\n'
        assert (result.exit_code, result.stdout, result.stderr) == (1, "", said)


def test_whoever_waits_for_no_answer_is_told_that_the_request_stands(jobs: FakeScheduledJobs) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    jobs.operates = False
    jobs.at(1, interrupt)
    result = called(jobs, "run", NAME)
    (annotation,) = jobs.bodies["shop", NAME]["metadata"]["annotations"]
    said = (
        "Error: The operator has not answered yet. It will when it is there; to call it off: "
        f"kubectl annotate --namespace shop scheduledjob {NAME} {annotation}-\n"
    )
    assert (result.exit_code, result.stdout, result.stderr) == (130, "", said)


def test_a_name_that_a_shell_left_empty_is_no_name(jobs: FakeScheduledJobs) -> None:
    for verb in (["run"], ["cancel"], ["pause"], ["resume"], ["dlq", "list"], ["dlq", "retry", "--all"]):
        result = called(jobs, *verb, "")
        assert (result.exit_code, jobs.annotations) == (2, [])
        assert "NAME is empty." in result.stderr


@pytest.mark.parametrize("name", [".", "..", f"{NAME}/status", "/"])
def test_a_name_that_would_lead_elsewhere_as_a_part_of_an_address_is_no_name(
    name: str, jobs: FakeScheduledJobs
) -> None:
    for verb in (["run"], ["cancel"], ["pause"], ["resume"], ["dlq", "list"], ["dlq", "retry", "--all"]):
        for given in ([name], [NAME, "--namespace", name]):
            result = called(jobs, *verb, *given)
            assert (result.exit_code, jobs.annotations, jobs.patches) == (2, [], []), result.output
            assert "is no name: it may not be . or .., nor have a / in it." in result.stderr


def test_an_empty_namespace_is_that_of_the_context_as_kubectl_has_it(jobs: FakeScheduledJobs) -> None:
    assert called(jobs, "pause", NAME, "--namespace", "").exit_code == 0


def test_a_run_that_a_shell_left_empty_is_no_run(jobs: FakeScheduledJobs) -> None:
    for verb in ("runs", "cancel"):
        result = called(jobs, verb, NAME, "")
        assert (result.exit_code, jobs.annotations) == (2, [])
        assert "RUN is empty." in result.stderr


def test_who_asks_can_be_given() -> None:
    dead = {
        "id": "sync-3",
        "run": "sync-3",
        "trigger": "Schedule",
        "attempts": 1,
        "result": "Failed",
        "reason": "ExitCode",
        "time": text(NOON),
    }
    for verb in (
        ["run", NAME],
        ["cancel", NAME, "sync-1"],
        ["backfill", NAME, "--from", text(after_noon(-600)), "--to", text(NOON)],
        ["dlq", "retry", NAME, "sync-3"],
        ["dlq", "clear", NAME, "sync-3"],
    ):
        jobs = busy(active=[RUNNING], deadLetters=[dead])
        jobs.bodies["shop", NAME]["spec"]["concurrencyPolicy"] = "Allow"
        result = called(jobs, *verb, "--requested-by", "bob")
        assert result.exit_code == 0, result.output
        (value,) = jobs.annotations[0].values()
        assert json.loads(value or "")["requestedBy"] == "bob"
        refused = called(jobs, *verb, "--requested-by", "b" * 254)
        assert (refused.exit_code, len(jobs.annotations)) == (2, 2)
        assert "requestedBy must be text of 1 to 253 characters" in refused.stderr


# cancel


def test_the_only_run_need_not_be_named() -> None:
    for lists in ({"active": [RUNNING]}, {"pending": [{**QUEUED, "id": "sync-1"}]}):
        result = called(busy(**lists), "cancel", NAME)
        assert (result.exit_code, result.stdout) == (0, "run sync-1 will be ended\n")


def test_one_of_several_runs_has_to_be_named() -> None:
    jobs = busy(active=[RUNNING], pending=[QUEUED])
    result = called(jobs, "cancel", NAME)
    assert result.exit_code == 2
    assert f"{NAME} has 2 runs, say which one: sync-1, sync-2" in result.stderr
    assert called(jobs, "cancel", NAME, "sync-2").exit_code == 0
    assert [run.id for run in jobs.status().active] == ["sync-1"]


def test_where_nothing_runs_there_is_nothing_to_cancel(jobs: FakeScheduledJobs) -> None:
    result = called(jobs, "cancel", NAME)
    assert (result.exit_code, result.stderr) == (1, f"Error: {NAME} has no run that is active or pending.\n")
    refused = called(jobs, "cancel", NAME, "sync-7")
    assert "no run sync-7 is active or pending" in refused.stderr


# backfill


def test_a_backfill_runs_each_slot(jobs: FakeScheduledJobs) -> None:
    span = ["--from", "2026-11-22T12:30:00+01:00", "--to", "2026-11-22T11:40:00Z"]
    result = called(jobs, "backfill", NAME, *span, "--parallelism", "2")
    said = "3 slots from 2026-11-22T11:30:00Z to 2026-11-22T11:40:00Z will run\n"
    assert (result.exit_code, result.stdout) == (0, said)
    pending = jobs.status().pending
    assert [text(run.slot) for run in pending if run.slot] == [
        f"2026-11-22T11:{minute}:00Z" for minute in (30, 35, 40)
    ]
    assert {(run.parallelism, run.requested_by) for run in pending} == {(2, "alice")}


@pytest.mark.parametrize(
    ("span", "sentence"),
    [
        (("--from", "yesterday", "--to", text(NOON)), "write a time with its zone, such as 2026-12-24T08:00"),
        (("--from", "2026-11-22T12:00", "--to", text(NOON)), "write a time with its zone"),
        (("--from", text(NOON)), "Missing option '--to'"),
        (("--from", text(NOON), "--to", text(NOON), "--parallelism", "21"), "parallelism"),
    ],
)
def test_a_backfill_of_what_is_no_span_is_a_mistake_in_the_command(
    span: tuple[str, ...], sentence: str, jobs: FakeScheduledJobs
) -> None:
    result = called(jobs, "backfill", NAME, *span)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert jobs.annotations == []


def test_a_backfill_of_the_future_is_refused_by_the_operator(jobs: FakeScheduledJobs) -> None:
    result = called(jobs, "backfill", NAME, "--from", text(NOON), "--to", text(after_noon(3600)))
    assert result.exit_code == 1
    assert "to is in the future" in result.stderr
