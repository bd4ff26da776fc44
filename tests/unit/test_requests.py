"""Requests by annotation: each is answered once."""

from hypothesis import given
from hypothesis import strategies as st

from scheduledjob_operator.models import RequestOutcome, ScheduledJobStatus
from scheduledjob_operator.requests import MOST_OUTCOMES, wanted
from tests.unit.asking import CANARY, active, asked, ended, letter, pending, said, status
from tests.unit.moments import NOON, after_noon, text

# Which annotations are requests


def test_requests_are_found_among_the_annotations() -> None:
    annotations = {
        "scheduledjob.dev/run": "now",
        "scheduledjob.dev/run.alice-1": "now",
        "scheduledjob.dev/backfill.x.y": "{}",
        "scheduledjob.dev/retry": "all",
        "scheduledjob.dev/clear": "all",
        "scheduledjob.dev/cancel": "sync-1",
        "scheduledjob.dev/run-id": "no",
        "scheduledjob.dev/retry-of": "no",
        "scheduledjob.dev/slot": "no",
        "example.com/run": "no",
        "run": "no",
    }
    assert wanted(annotations) == {
        "run": "now",
        "run.alice-1": "now",
        "backfill.x.y": "{}",
        "retry": "all",
        "clear": "all",
        "cancel": "sync-1",
    }


# Each is answered once


def test_a_request_is_answered_once() -> None:
    first = asked({"run": "a"}, now=after_noon(0.7))
    assert [(answer.annotation, answer.outcome, answer.time) for answer in first.outcomes] == [
        ("run", "Accepted", NOON)
    ]
    assert first.new == first.outcomes
    again = asked({"run": "a"}, before=status(requests=first.outcomes), now=after_noon(60))
    assert (again.outcomes, again.new, again.pending) == (first.outcomes, [], [])


def test_a_new_value_is_a_new_request() -> None:
    first = asked({"run": "a"})
    second = asked({"run": "b"}, before=status(requests=first.outcomes))
    assert len(second.outcomes) == 1
    assert second.outcomes == second.new
    assert second.new[0].id != first.new[0].id
    assert second.pending[0].id != first.pending[0].id


def test_an_answer_goes_with_its_annotation() -> None:
    first = asked({"run": "a", "cancel": "x"})
    assert [answer.annotation for answer in first.outcomes] == ["cancel", "run"]
    second = asked({"cancel": "x"}, before=status(requests=first.outcomes))
    assert [answer.annotation for answer in second.outcomes] == ["cancel"]
    assert second.new == []
    assert asked({}, before=status(requests=first.outcomes)).outcomes == []


def test_the_same_value_under_another_name_is_another_request() -> None:
    answers = asked({"run": "a", "run.b": "a"}, concurrencyPolicy="Allow")
    assert len({run.id for run in answers.pending}) == 2


def test_more_than_twenty_requests_wait_for_room() -> None:
    requests = {f"run.{number:02}": "x" for number in range(MOST_OUTCOMES + 5)}
    first = asked(requests, concurrencyPolicy="Allow")
    assert [answer.annotation for answer in first.outcomes] == sorted(requests)[:MOST_OUTCOMES]
    before = status(requests=first.outcomes, pending=first.pending)
    assert asked(requests, before=before, concurrencyPolicy="Allow").new == []
    del requests["run.03"], requests["run.04"]
    third = asked(requests, before=before, concurrencyPolicy="Allow")
    assert [answer.annotation for answer in third.new] == ["run.20", "run.21"]
    assert len(third.outcomes) == MOST_OUTCOMES


def test_a_request_made_again_while_its_run_is_remembered_is_not_run_twice() -> None:
    (run,) = asked({"run": "a"}).pending
    for before in (
        status(recent_runs=[ended(run.id)]),
        status(pending=[pending(run.id)]),
        status(active=[active(run.id)]),
    ):
        answers = asked({"run": "a"}, before=before, concurrencyPolicy="Allow")
        assert said(answers) == f"Refused: this was asked for before, as run {run.id}: write another value"
        assert answers.pending == []


# The master switch


def test_while_everything_is_suspended_nothing_may_start_and_the_rest_may() -> None:
    why = "suspended in the whole namespace: database migration"
    requests = {
        "run": "x",
        "backfill": {"from": text(after_noon(-300)), "to": text(NOON)},
        "retry": "all",
        "clear": "all",
        "cancel": "sync-1",
    }
    before = status(active=[active()], dead_letters=[letter()])
    answers = asked(requests, before=before, suspended=why, concurrencyPolicy="Allow")
    assert {answer.annotation: answer.outcome for answer in answers.new} == {
        "run": "Refused",
        "backfill": "Refused",
        "retry": "Refused",
        "clear": "Accepted",
        "cancel": "Accepted",
    }
    assert {answer.message for answer in answers.new if answer.outcome == "Refused"} == {why}
    assert (answers.pending, answers.overrides) == ([], {})


# What holds always


def test_a_sentence_is_never_longer_than_the_status_holds() -> None:
    (outcome,) = asked({"run": "x"}, suspended="y" * 2000).new
    assert len(outcome.message) == 1024


def test_no_argument_and_no_variable_gets_into_an_answer_or_the_status() -> None:
    value = {"args": {"password": CANARY}, "env": {"PASSWORD": CANARY}}
    answers = asked({"run": value})
    assert answers.overrides[answers.pending[0].id].args == {"password": CANARY}
    after = status(requests=answers.outcomes, pending=answers.pending)
    assert CANARY not in after.model_dump_json() + repr(answers)


requests_made = st.dictionaries(
    st.sampled_from(["run", "run.a", "run.b", "backfill", "retry", "retry.a", "clear", "cancel", "cancel.a"]),
    st.sampled_from(
        [
            "now",
            "all",
            "sync-1",
            "sync-2",
            "sync-9",
            '{"ifActive": "Queue", "env": {"A": "b"}}',
            '{"from": "2026-11-22T11:00:00Z", "to": "2026-11-22T12:00:00Z"}',
            '{"run": "sync-2", "id": "2"}',
            "{",
            "",
        ]
    ),
)


@given(first=requests_made, second=requests_made, policy=st.sampled_from(["Allow", "Forbid", "Replace"]))
def test_every_request_has_one_answer_and_asking_again_changes_nothing(
    first: dict[str, str], second: dict[str, str], policy: str
) -> None:
    before = status(active=[active()], pending=[pending()], dead_letters=[letter("sync-2"), letter("sync-3")])
    outcomes: list[RequestOutcome] = []
    waiting = before.pending
    for requests in (first, first, second):
        standing = before.model_copy(update={"requests": outcomes, "pending": waiting})
        answers = asked(requests, before=standing, concurrencyPolicy=policy)
        assert [answer.annotation for answer in answers.outcomes] == sorted(requests)
        assert all(answer in answers.outcomes for answer in answers.new)
        if requests is first and outcomes:
            assert (answers.outcomes, answers.new, answers.pending) == (outcomes, [], [])
        outcomes, waiting = answers.outcomes, [*waiting, *answers.pending]
        assert answers.overrides.keys() <= {run.id for run in answers.pending}
    assert len({run.id for run in waiting}) == len(waiting)
    after = ScheduledJobStatus(requests=outcomes, pending=waiting)
    written = after.model_dump(by_alias=True, exclude_none=True, mode="json")
    assert ScheduledJobStatus.model_validate(written) == after
