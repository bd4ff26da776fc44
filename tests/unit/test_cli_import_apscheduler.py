"""Jobs of APScheduler are read as APScheduler reads them, and only where they are literals."""

from typing import Any

import pytest

from tests.unit.apscheduler_code import read, sentences


@pytest.mark.parametrize("code", ["print(1, 2, 3)", "datetime(2030, 1, 1)", "f(a, b, c, d)", "{'id': 1}", ""])
def test_what_is_no_job_is_nothing(code: str) -> None:
    assert read(code) == ([], [])


def test_an_id_is_one_jobs_own() -> None:
    drafts, (remark,) = read("s.add_job(f, 'cron', id='a')\ns.add_job(g, 'cron', id='a')")
    assert len(drafts) == 1
    assert remark.malformed
    assert "the job of line 1 has the same id" in remark.text


@pytest.mark.parametrize(
    ("text", "name", "spec"),
    [
        (
            "@scheduler.task('interval', id='x', seconds=30)\ndef f(): ...",
            "x",
            {"every": "30s", "handler": "f"},
        ),
        ("scheduler.add_job('x', f, trigger='interval', seconds=30)", "x", {"every": "30s", "handler": "f"}),
        (
            "JOBS = [{'id': 'x', 'func': 'a:f', 'trigger': {'type': 'cron', 'hour': 1}}]",
            "x",
            {"schedule": "0 1 * * *", "handler": "f"},
        ),
    ],
)
def test_flask_has_its_own_ways(text: str, name: str, spec: dict[str, Any]) -> None:
    drafts, remarks = read(text)
    assert [(draft.name, draft.spec) for draft in drafts] == [(name, spec)]
    assert remarks == []


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        ("s.pause_job('a')", "2: a: pause_job is not carried over"),
        ("s.remove_job(job_id='a')", "2: a: remove_job is not carried over"),
        ("s.reschedule_job('a', trigger='cron', hour=1)", "2: a: reschedule_job is not carried over"),
        ("s.start(paused=True)", "2: start(paused=True) is not carried over"),
        ("job.pause()", "2: pause is not carried over"),
        ("s.add_job(f, 'interval', hours=1).pause()", "2: pause is not carried over"),
    ],
)
def test_what_is_done_to_a_job_later_is_named(call: str, sentence: str) -> None:
    assert sentence in sentences(f"job = s.add_job(f, 'interval', hours=1, id='a')\n{call}")


def test_the_last_of_the_jobs_that_replace_each_other_is_the_one_that_runs() -> None:
    one, other = (f"s.add_job({name}, 'cron', id='a', replace_existing=True)" for name in "fg")
    (draft,), (remark,) = read(f"{one}\n{other}")
    assert (draft.line, draft.spec["handler"]) == (2, "g")
    assert (remark.line, remark.malformed) == (1, False)
    assert "a is not imported: the job of line 2 takes its place" in remark.text


@pytest.mark.parametrize(
    "text",
    [
        "if PROD:\n s.add_job(f, 'cron', id='a')\nelse:\n s.add_job(g, 'cron', id='a')",
        "if A:\n s.add_job(f, 'cron', id='a')\nelif B:\n s.add_job(g, 'cron', id='a', replace_existing=True)",
        "match a:\n case 1: s.add_job(f, 'cron', id='a')\n case 2: s.add_job(g, 'cron', id='a')",
    ],
)
def test_jobs_of_one_id_on_two_branches_are_no_error(text: str) -> None:
    (draft,), remarks = read(text)
    assert draft.spec["handler"] == "f"
    assert not any(remark.malformed for remark in remarks)
    assert "has the same id on another branch" in sentences(text)


def test_jobs_on_one_line_keep_their_order() -> None:
    drafts, _ = read("s.add_job(a, 'cron'); s.add_job(b, 'cron'); s.add_job(c, 'cron')")
    assert [draft.name for draft in drafts] == ["a", "b", "c"]


def test_an_id_that_is_no_literal_is_named_once() -> None:
    assert sentences("s.add_job(f, 'interval', hours=1, id=f'a-{b}')").count("id is not") == 1


def test_long_chains_of_names_take_no_time() -> None:
    assert read(f"a{'.b' * 900} = 1\na{'.b' * 60}.add_job(f, 'cron')")[0] != []


def test_strange_backslashes_are_nothing_to_warn_of(recwarn: pytest.WarningsRecorder) -> None:
    read("PATTERN = '\\d'")
    assert list(recwarn) == []
