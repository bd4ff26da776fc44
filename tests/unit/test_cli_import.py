"""What another scheduler ran is printed as ScheduledJobs, and what could not be carried over is named."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from scheduledjob_operator.cli import main
from scheduledjob_operator.cli.importing.manifests import label

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
        ("env", "A=1\nthis is nothing\n", 2, "the line is no variable: write NAME=value"),
        ("env", "A='1\nB=2\n", 1, "the quotes around the value of A are not closed"),
        ("env", "A='1' 2\n", 1, "behind the closing quote of A"),
        ("env", "X_CRON=* * *\n", 1, "a schedule has 5"),
        ("env", "JOB_X_INTERVAL_SECONDS=soon\n", 1, "JOB_X_INTERVAL_SECONDS is no whole number"),
        ("env", "X_CRON=@daily\nX_ENABLED=maybe\n", 2, "X_ENABLED is neither on nor off"),
        ("env", "X_CRON=@daily\nX_EVERY=5m\n", 2, "two schedules: keep X_CRON or X_EVERY"),
        ("env", "X_CRON=$OTHER\n", 1, "from another variable"),
        ("apscheduler", "x = (\n", 1, "this is not Python"),
        ("apscheduler", "\ns.add_job(f, 'cron', hour=25)\n", 2, '"25" is not an hour'),
        ("apscheduler", "s.add_job(f, 'cron', hours=3)\n", 1, "knows no hours"),
        ("apscheduler", "s.add_job(f, 'interval')\n", 1, "its interval is empty"),
        ("apscheduler", "s.add_job(f, 'date', run_date='soon')\n", 1, "run_date is no time"),
        ("cronjobs", "a: b\n  c: [\n", 2, "this is no YAML"),
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
    result = called("crontab", "-", "--keep-going", stdin=text)
    assert list(specs(result)) == ["one", "two"]
    assert result.stderr.startswith("-:2: the line is too short")


def test_text_that_is_not_utf_8_is_named_by_its_line() -> None:
    result = called("crontab", "-", stdin=b"# fine\n@daily echo \xff\n")
    assert result.exit_code == 65
    assert "-:2: the line is not UTF-8" in result.stderr


def test_a_file_without_jobs_says_so() -> None:
    result = called("env", "-", stdin="")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "there is no job to import\n"


def test_names_are_unique_across_all_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("@daily /bin/x\n@daily /bin/x\n")
    (tmp_path / "b").write_text("@daily /bin/x-2\n@daily /bin/x\n")
    result = called("crontab", str(tmp_path / "a"), str(tmp_path / "b"))
    assert list(specs(result)) == ["x", "x-2", "x-2-2", "x-3"]


def test_names_have_52_characters_at_most() -> None:
    result = called("crontab", "-", stdin=f"@daily /bin/{'a' * 80}\n@daily /bin/{'a' * 80}\n")
    assert list(specs(result)) == ["a" * 52, "a" * 50 + "-2"]


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


def test_a_cron_job_that_belongs_to_something_is_left_out() -> None:
    text = "{kind: CronJob, metadata: {name: a, ownerReferences: [{kind: ScheduledJob, name: a}]}, spec: {}}"
    result = called("cronjobs", "-", stdin=text)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "it belongs to ScheduledJob a" in result.stderr


def test_a_name_that_no_scheduled_job_can_have_is_refused() -> None:
    pod = "{containers: [{name: a, image: b, command: [c]}]}"
    job = f"{{schedule: '@daily', jobTemplate: {{spec: {{template: {{spec: {pod}}}}}}}}}"
    for name in ("a.b", "x" * 53):
        result = called("cronjobs", "-", stdin=f"{{kind: CronJob, metadata: {{name: {name}}}, spec: {job}}}")
        assert result.exit_code == 65
        assert "52 characters at most" in result.stderr
