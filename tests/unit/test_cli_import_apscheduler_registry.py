"""Jobs in rows of a registry of one's own."""

import pytest

from tests.unit.apscheduler_code import read, sentences


@pytest.mark.parametrize(
    "row",
    [
        "[{'id': 'x', 'function': app.f, 'cron': '0 3 * * *', 'enabled': False}]",
        "Job(job_id='x', func=f, schedule='0 3 * * *', enabled=False)",
        "registry.register('x', f, '0 3 * * *', False)",
        "register('x', f, cron='0 3 * * *', enabled=False)",
        "task('x', f, '0 3 * * *', False)",
        "[('x', f, '0 3 * * *', False)]",
    ],
)
def test_a_row_of_a_registry_is_a_job(row: str) -> None:
    drafts, _ = read(f"JOBS = {row}")
    assert [(one.name, one.spec) for one in drafts] == [
        ("x", {"enabled": False, "schedule": "0 3 * * *", "handler": "f"})
    ]


@pytest.mark.parametrize(
    "row",
    [
        "[('x', 'app.jobs.f', '0 3 * * *', False)]",
        "[('x', 'app.jobs:f', '0 3 * * *', False)]",
        "[['x', f, '0 3 * * *', False]]",
        "{'x': (f, '0 3 * * *', False)}",
        "{'x': ('0 3 * * *', f, False)}",
        "{'x': {'func': f, 'cron': '0 3 * * *', 'enabled': 0}}",
        "{'x': Job(f, '0 3 * * *', enabled=False)}",
    ],
)
def test_a_row_is_read_in_whatever_it_is_written(row: str) -> None:
    drafts, remarks = read(f"JOBS = {row}")
    assert [(one.name, one.spec) for one in drafts] == [
        ("x", {"enabled": False, "schedule": "0 3 * * *", "handler": "f"})
    ]
    assert remarks == []


@pytest.mark.parametrize(
    ("element", "sentence"),
    [
        ("('y', g, '* * *')", "has five fields and not 3"),
        ("('y', g, '0 * * * *', 300)", "enabled is neither true nor false"),
        ("('y', g, '@daily')", "has five fields and not 1"),
        ("('y', g, '0 0 3 * * *', True)", "takes five fields and not six"),
        ("('y', g)", "it has no schedule"),
        ("{'id': 'y', 'cron': '0 3 * * *'}", "it has no function"),
        ("{'id': 'y', 'func': g}", "it has no schedule"),
        (
            "{'id': 'y', 'func': g, 'cron': '0 3 * * *', 'enabled': 'true'}",
            "enabled is neither true nor false",
        ),
        ("Job('y', g)", "it has no schedule"),
        ("5", "stands among the jobs and is none"),
    ],
)
def test_what_stands_among_jobs_and_cannot_be_read_is_an_error(element: str, sentence: str) -> None:
    drafts, (remark,) = read(f"JOBS = [\n('x', f, '0 3 * * *'),\n{element},\n]")
    assert [draft.name for draft in drafts] == ["x"]
    assert (remark.line, remark.malformed) == (3, True)
    assert sentence in remark.text


@pytest.mark.parametrize(
    "row", ["{'id': 'x', 'cron': '0 3 * * *'}", "('x', '0 3 * * *')", "['x', f(), '*/5 * * * *']"]
)
def test_an_id_beside_a_schedule_is_never_passed_over(row: str) -> None:
    drafts, remarks = read(f"JOBS = [{row}]")
    assert len(drafts) + len(remarks) == 1


@pytest.mark.parametrize(
    "code",
    [
        "subprocess.run(['crontab', '--line', '*/5 * * * *'])",
        "PATHS = [('circle', '1 2 3 4 5')]",
        "CRONS = {'sync': '*/5 * * * *', 'clean': '0 3 * * *'}",
        "@app.task(bind=True)\ndef f(self): ...",
        "p.pause()\np.remove('x')",
    ],
)
def test_what_only_resembles_jobs_is_nothing(code: str) -> None:
    assert read(code) == ([], [])


def test_columns_of_a_row_that_a_schedule_has_are_carried_over_and_the_rest_is_named() -> None:
    columns = "'timeout': 300, 'max_retries': 3, 'jitter': 60, 'tags': []"
    row = f"{{'id': 'x', 'func': f, 'cron': '0 3 * * *', {columns}}}"
    (draft,), remarks = read(f"JOBS = [{row}]")
    assert (draft.spec["timeout"], draft.spec["retry"]) == ("5m", {"limit": 3})
    assert [one.text.partition(" ")[2].partition(":")[0] for one in remarks] == [
        "jitter is not carried over",
        "tags is not carried over, as APScheduler has nothing that is called so",
        "timeout does not say of what",
    ]


def test_a_column_that_is_nobodys_is_harmless_and_one_that_is_misspelt_is_not() -> None:
    row = "JOBS = [{'id': 'x', 'func': f, 'trigger': 'cron', 'hour': 3, 'tags': []}]"
    (draft,), (remark,) = read(row)
    assert draft.spec == {"schedule": "0 3 * * *", "handler": "f"}
    assert "tags is not carried over" in remark.text
    drafts, (remark,) = read(row.replace("'hour'", "'hours'"))
    assert drafts == []
    assert remark.malformed


def test_a_fifth_column_is_named() -> None:
    (draft,), (remark,) = read("JOBS = [('x', f, '0 3 * * *', False, 300)]")
    assert draft.spec["enabled"] is False
    assert "its columns behind the one for enabled are not carried over" in remark.text


def test_that_it_is_off_is_known_beside_a_number_for_a_weekday() -> None:
    text = "JOBS = [('x', f, '0 3 * * 1', False)]"
    assert "its day of the week is TUE" in sentences(text)
    assert "nobody knows" not in sentences(text)
