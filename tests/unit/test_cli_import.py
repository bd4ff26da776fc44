"""What another scheduler ran is printed as ScheduledJobs, and what could not be carried over is named."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import given

from scheduledjob_operator.cli import main
from scheduledjob_operator.cli.importing.definition import refusals
from scheduledjob_operator.cli.importing.manifests import label
from tests.unit.strategies import specs as specs_of_jobs

DATA = Path("tests/data/import")
GOLDEN = {
    "crontab": ("crontab", "crontab"),
    "system-crontab": ("crontab", "--system", "system-crontab"),
    "jobs.env": ("env", "jobs.env"),
    "jobs.py.txt": ("apscheduler", "jobs.py.txt"),
    "cronjobs.yaml": ("cronjobs", "cronjobs.yaml"),
}


def called(*arguments: str, stdin: str | bytes = "") -> Result:
    return CliRunner().invoke(main, ("import", *arguments), input=stdin)


def specs(result: Result) -> dict[str, dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return {body["metadata"]["name"]: body["spec"] for body in yaml.safe_load_all(result.stdout)}


@pytest.mark.parametrize("file", GOLDEN)
def test_a_whole_file_becomes_what_was_agreed_upon(file: str) -> None:
    """`UPDATE_GOLDEN=1` writes the files anew."""
    *arguments, path = GOLDEN[file]
    result = called(*arguments, str(DATA / path))
    assert result.exit_code == 0
    for suffix, text in ((".out.yaml", result.stdout), (".err.txt", result.stderr)):
        golden = DATA / f"{file}{suffix}"
        if os.environ.get("UPDATE_GOLDEN"):
            golden.write_text(text, encoding="utf-8")
        assert text == golden.read_text(encoding="utf-8")


def test_what_it_prints_next_reads_again(tmp_path: Path) -> None:
    for file, (*arguments, path) in GOLDEN.items():
        manifests = tmp_path / f"{file}.yaml"
        manifests.write_text(called(*arguments, str(DATA / path)).stdout, encoding="utf-8")
        result = CliRunner().invoke(main, ("next", "-f", str(manifests)))
        assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("verb", "text", "line", "sentence"),
    [
        ("crontab", "@daily true\n\n* * * *\n", 3, "the line is too short"),
        ("crontab", "61 * * * * true\n", 1, '"61" is not a minute: write 0 to 59.'),
        ("crontab", "@dayly true\n", 1, "@dayly is no macro that cron knows"),
        ("crontab", "0 0 30 2 * true\n", 1, "would never run"),
        ("crontab", f"* * * * * {'x' * 5000}\n", 1, "at most 4096 characters"),
        ("crontab", "A='1\n", 1, "the quotes around the value of A are not closed: write A='value'"),
        ("crontab", '\nA="1" # one\n', 2, "behind the closing quote of A"),
        ("crontab", "0 0 * * 8 /bin/x\n", 1, '"8" is not a day of the week'),
        ("crontab", "\n0 0 * * * root /bin/x\n", 2, "begins with root, as a line of /etc/crontab does"),
        ("crontab", "0 0 * * * www-data /bin/x\n", 1, "begins with www-data, as a line of /etc/crontab does"),
        ("crontab", "0 0 * * fri~mon /bin/x\n", 1, "is not a day of the week"),
        ("crontab", "0 9~5 * * * /bin/x\n", 1, "runs backwards, which cron refuses"),
        ("crontab", "\nSHELL=\n@daily /bin/x\n", 2, "SHELL is empty: write for example SHELL=/bin/sh"),
        ("crontab", "A=1\n@daily a\0b\n", 2, "the line has a character NUL"),
        ("env", "A=1\n\0\n", 2, "the line has a character NUL"),
        ("apscheduler", "a = 1\nb = '\0'\n", 2, "the line has a character NUL"),
        ("cronjobs", "a: 1\nb: \0\n", 2, "the line has a character NUL"),
        ("env", "A=1\nthis is nothing\n", 2, "the line is no variable: write NAME=value"),
        ("env", "A='1\nB=2\n", 1, "the quotes around the value of A are not closed"),
        ("env", "A='1' 2\n", 1, "behind the closing quote of A"),
        ("env", "X_CRON=* * *\n", 1, "a schedule has 5"),
        ("env", "JOB_X_INTERVAL_SECONDS=soon\n", 1, "JOB_X_INTERVAL_SECONDS is no whole number"),
        ("env", "X_CRON=@daily\nX_ENABLED=maybe\n", 2, "X_ENABLED is neither on nor off"),
        ("env", "X_CRON=@daily\nX_EVERY=5m\n", 2, "two schedules: keep X_CRON or X_EVERY"),
        (
            "env",
            "X_ENABLED=true\nX_CRON=@daily\n\nX_TIMEOUT=0\n",
            4,
            "X_TIMEOUT cannot be taken over: it must",
        ),
        ("env", "\nX_ENABLED=1\nX_EVERY=0\n", 3, "X_EVERY cannot be taken over: it must be a duration"),
        ("env", "X_CRON=@daily\nX_RETRIES=999999\n", 2, "X_RETRIES cannot be taken over: it "),
        ("env", "X_CRON=@daily\nX_TZ=Berlin\n", 2, 'X_TZ cannot be taken over: "Berlin" is not a time zone'),
        ("env", "X_CRON=@daily\nTZ=Berlin\n", 2, 'TZ cannot be taken over: "Berlin" is not a time zone'),
        ("env", "X_TZ=UTC\nX_CRON=* * *\n", 2, "X_CRON cannot be taken over: "),
        ("env", "X_CRON=@daily\nJOB_X_EVERY=5m\n", 2, "JOB_X_EVERY and X_CRON are two schedules"),
        ("env", "X_CRON=@daily\nJOB_X_CRON=@hourly\n", 2, "JOB_X_CRON and X_CRON say two different things"),
        ("env", "X_CRON=@daily\nJOBS_ENABLED=maybe\n", 2, "JOBS_ENABLED is neither on nor off"),
        ("env", "X_CRON=$OTHER\n", 1, "from another variable"),
        ("apscheduler", "x = (\n", 1, "this is not Python"),
        ("apscheduler", "if 1:\n\tx = 1\n        y = 2\n", 3, "inconsistent use of tabs and spaces"),
        ("apscheduler", f"x = {'(' * 5000}", 1, "this is not Python: too many nested parentheses"),
        ("apscheduler", "s.add_job(f, 'interval', seconds=-1)\n", 1, "no number from 0 to 999999999"),
        (
            "apscheduler",
            "s.add_job(f, 'cron', hour=1, id='a')\ns.add_job(g, 'cron', hour=1, id='a')\n",
            2,
            "same id",
        ),
        ("apscheduler", "\ns.add_job(f, 'cron', hour=25)\n", 2, '"25" is not an hour'),
        ("apscheduler", "s.add_job(f, 'cron', hours=3)\n", 1, "knows no hours"),
        ("apscheduler", "s.add_job(f, 'interval')\n", 1, "its interval is empty"),
        ("apscheduler", "s.add_job(f, 'date', run_date='soon')\n", 1, "run_date is no time"),
        ("cronjobs", "a: b\n  c: [\n", 2, "this is no YAML: mapping values are not allowed here"),
        ("cronjobs", "kind: CronJob\nmetadata:\n\tname: a\n", 3, "a tab indents it"),
        ("cronjobs", "a: 'b\n", 2, "this is no YAML: found unexpected end of stream"),
        ("cronjobs", "a:\n- \x01\n", 2, "it has a character that is not allowed"),
        ("cronjobs", "just text\n", 1, "this is no manifest: give those of CronJobs"),
        ("cronjobs", "kind: List\nitems:\n- kind: Service\n- 5\n", 4, "this is no manifest"),
        ("cronjobs", "[" * 3000, 1, "nested too deeply"),
        (
            "cronjobs",
            "kind: CronJob\nmetadata: &m {name: x, self: *m}\n",
            1,
            "too large with all its aliases",
        ),
        ("cronjobs", "kind: CronJob\nmetadata: !!python/name:os.system x\n", 1, "has not the form of one"),
        ("cronjobs", "kind: CronJob\n", 1, "has not the form of one"),
    ],
)
def test_malformed_input_ends_with_65_and_nothing_on_standard_output(
    verb: str, text: str, line: int, sentence: str
) -> None:
    result = called(verb, "-", stdin=text)
    assert result.exit_code == 65
    assert result.stdout == ""
    assert f"-:{line}: " in result.stderr
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr
    assert called(verb, "-", "--keep-going", stdin=text).exit_code == 0


def test_the_rest_is_imported_when_it_is_to_keep_going() -> None:
    text = "@daily /bin/one\nnothing\n@weekly /bin/two\n"
    result = called("crontab", "-", "--keep-going", "--time-zone", "Etc/UTC", stdin=text)
    assert list(specs(result)) == ["one", "two"]
    assert result.stderr.startswith("-:2: the line is too short")


def test_text_that_is_not_utf_8_is_named_by_its_line() -> None:
    result = called("crontab", "-", stdin=b"# fine\n@daily echo \xff\n")
    assert result.exit_code == 65
    assert "-:2: the line is not UTF-8" in result.stderr


@pytest.mark.parametrize("verb", ["crontab", "env", "apscheduler", "cronjobs"])
def test_a_file_that_is_no_text_is_refused_in_one_sentence(verb: str) -> None:
    for content in (bytes(range(128, 256)), "@daily /bin/x\n".encode("utf-16")):
        result = called(verb, "-", stdin=content)
        assert (result.exit_code, result.stdout) == (65, "")
        assert "-:1: the line is not UTF-8: save the file as UTF-8" in result.stderr


JOB = "{spec: {template: {spec: {containers: [{name: a, image: b, command: [c]}]}}}}"
PLAIN = {
    "crontab": "@daily /bin/a\n# nothing\n@weekly /bin/b\n",
    "env": "A_CRON=@daily\n# nothing\nB_CRON='@weekly'\n",
    "apscheduler": "s.add_job(a, 'cron', hour=0)\n\ns.add_job(b, 'cron', hour=1)\n",
    "cronjobs": "---\n".join(
        f"kind: CronJob\nmetadata: {{name: {name}}}\nspec: {{schedule: '@daily', jobTemplate: {JOB}}}\n"
        for name in "ab"
    ),
}


@pytest.mark.parametrize("verb", PLAIN)
def test_a_byte_order_mark_and_carriage_returns_change_nothing(verb: str) -> None:
    text = PLAIN[verb]
    windows = text.replace("\n", "\r\n").encode("utf-8-sig")
    assert list(specs(called(verb, "-", stdin=text))) == ["a", "b"]
    assert called(verb, "-", stdin=windows).stdout == called(verb, "-", stdin=text).stdout


def test_the_manifests_before_broken_yaml_are_imported_when_it_is_to_keep_going() -> None:
    text = PLAIN["cronjobs"] + "---\na: [\n"
    assert called("cronjobs", "-", stdin=text).exit_code == 65
    assert list(specs(called("cronjobs", "-", "--keep-going", stdin=text))) == ["a", "b"]


def test_aliases_do_not_make_a_flood_of_a_few_lines() -> None:
    lines = ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40))]
    text = "\n".join([*lines, "kind: CronJob", "metadata: {name: a, labels: *a39}"])
    result = called("cronjobs", "-", stdin=text)
    assert (result.exit_code, result.stdout) == (65, "")
    assert "-:1: the manifest is too large with all its aliases" in result.stderr


def test_without_a_user_the_system_format_is_refused() -> None:
    for line in ("0 0 * * * /bin/x --all", "@daily /bin/x --all"):
        result = called("crontab", "--system", "-", stdin=line)
        assert result.exit_code == 65
        assert "-:1: there is no user before the command" in result.stderr
    assert list(specs(called("crontab", "--system", "-", stdin="0 0 * * * www-data /bin/x\n"))) == ["x"]


def test_long_lines_and_quotes_that_stay_open_take_no_time() -> None:
    """An hour, where each line is looked at again for each line above it."""
    text = "A='x\n" * 20_001 + f"B={'y' * 1_000_000}\nX_CRON=@daily\n"
    assert list(specs(called("env", "--keep-going", "-", stdin=text))) == ["x"]


def test_a_file_without_jobs_says_so() -> None:
    result = called("env", "-", stdin="")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "there is no job to import\n"


def test_names_are_unique_across_all_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("@daily /bin/x\n@daily /bin/x\n")
    (tmp_path / "b").write_text("@daily /bin/x-2\n@daily /bin/x\n")
    result = called("crontab", str(tmp_path / "a"), str(tmp_path / "b"))
    assert list(specs(result)) == ["x", "x-2", "x-2-2", "x-3"]
    assert f"{tmp_path / 'a'}:2: x-2 is called so, as x is another job's already" in result.stderr
    assert f"{tmp_path / 'b'}:1: x-2-2 is called so, as x-2 is another job's already" in result.stderr


def test_names_have_52_characters_at_most() -> None:
    result = called("crontab", "-", stdin=f"@daily /bin/{'a' * 80}\n@daily /bin/{'a' * 80}\n")
    assert list(specs(result)) == ["a" * 52, "a" * 50 + "-2"]
    assert f"-:1: {'a' * 52} is called so, as {'a' * 80} is too long" in result.stderr


@pytest.mark.parametrize(("text", "name"), [("Sync_All.Stock", "sync-all-stock"), ("--é--", ""), ("9", "9")])
def test_any_text_becomes_a_label(text: str, name: str) -> None:
    assert label(text) == name


def test_namespace_time_zone_and_image_are_written_into_the_manifests() -> None:
    options = ("--namespace", "shop", "--time-zone", "Europe/Berlin", "--image", "jobs:1")
    for verb, text in (
        ("crontab", "@daily /bin/x\n"),
        ("env", "X_CRON=@daily\n"),
        ("apscheduler", "s.add_job(x, 'cron', hour=0)\n"),
    ):
        body = yaml.safe_load(called(verb, "-", *options, stdin=text).stdout)
        assert body["metadata"] == {"name": "x", "namespace": "shop"}
        assert (body["spec"]["timeZone"], body["spec"]["image"]) == ("Europe/Berlin", "jobs:1")


def test_an_unknown_time_zone_is_malformed() -> None:
    result = called("crontab", "-", "--time-zone", "Berlin", stdin="@daily /bin/x\n")
    assert result.exit_code == 65
    assert "Europe/Berlin" in result.stderr


@pytest.mark.parametrize(
    "value", ["1e3", "0x10", "0o7", "yes", "n", "null", "~", "1:30", "2026-01-01", " a", "é"]
)
def test_texts_stay_texts_for_every_reader_of_yaml(value: str) -> None:
    result = called("crontab", "-", stdin=f"A='{value}'\n@daily /bin/x\n")
    assert specs(result)["x"]["env"] == [{"name": "A", "value": value}]
    assert f'value: "{value}"' in result.stdout.replace("'", '"')


def test_tabs_between_the_fields_of_a_schedule_become_the_blanks_that_the_definition_takes() -> None:
    assert specs(called("env", "-", stdin="X_CRON='0\t3 * * *'\n"))["x"]["schedule"] == "0 3 * * *"


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ({"schedule": "0\t3 * * *"}, "spec.schedule: schedule has five fields"),
        ({"schedule": "0 3 * * *\n"}, "spec.schedule: schedule has five fields"),
        ({"handler": "größe"}, "spec.handler: handler is the name a function is registered under"),
        ({"at": "2030-01-01 08:00Z"}, "spec.at: must be a time with its zone"),
        ({"env": [{"name": "A"}, {"name": "B"}, {"name": "A"}]}, "spec.env: has A more than once"),
        ({"retry": {"neverOnExitCodes": [1, 1]}}, "spec.retry.neverOnExitCodes: has 1 more than once"),
        ({"podTemplate": {"spec": []}}, "spec.podTemplate.spec: must be an object"),
        ({"podTemplate": {"spec": {"volumes": {}}}}, "spec.podTemplate.spec.volumes: must be a list"),
        (
            {"podTemplate": {"spec": {"volumes": [{}] * 101}}},
            "spec.podTemplate.spec.volumes: may have at most 100 items",
        ),
    ],
)
def test_what_only_the_definition_refuses_is_named_as_well(spec: dict[str, Any], sentence: str) -> None:
    (refusal,) = refusals(spec)
    assert refusal.startswith(sentence)


@given(specs_of_jobs)
def test_what_the_definition_takes_is_not_refused(spec: dict[str, Any]) -> None:
    assert not list(refusals({**spec, "retry": {}}))


def test_a_single_run_of_the_past_is_named_and_left_out() -> None:
    text = "s.add_job(a, 'date', run_date='2020-01-01T10:00:00Z')\ns.add_job(b, 'cron', hour=1)\n"
    result = called("apscheduler", "-", stdin=text)
    assert list(specs(result)) == ["b"]
    assert "-:1: a is not imported: at is 2020-01-01T10:00:00Z, which was past already at" in result.stderr
