"""`python -m job_runner` on a laptop: no cluster, no variables."""

import json
from pathlib import Path

import pytest

from job_runner import UsageError
from job_runner.durations import seconds_of
from tests.runner.process import Runner


def test_list_shows_name_arguments_schedule_source_and_summary(runner: Runner) -> None:
    runner.write(
        "sync.py",
        "from typing import Annotated\nfrom pydantic import Field\n"
        "@every_minutes(5)\n@daily_at(3, 30, time_zone='Europe/Berlin')\n"
        "@job_handler('sync')\ndef sync(context: Context, batch: Annotated[int, Field(gt=0)] = 100):\n"
        '    """Syncs all.\n\n    And more."""',
    )
    lines = runner.run("list").lines
    assert lines[0].split() == ["NAME", "ARGS", "SCHEDULE", "SOURCE", "SUMMARY"]
    row = next(line for line in lines if line.startswith("sync "))
    assert [cell.strip() for cell in row.split("  ") if cell] == [
        "sync",
        "batch: int = 100",
        "every 5m; 30 3 * * * Europe/Berlin",
        str(runner.handlers),
        "Syncs all.",
    ]
    assert " - " in next(line for line in lines if line.startswith("hello "))
    assert {"allocate_memory", "fail", "http", "sleep"} < {line.split()[0] for line in lines[1:]}


def test_list_shows_the_first_of_many_arguments_and_json_all(runner: Runner) -> None:
    row = next(line for line in runner.run("list").lines if line.startswith("send_mail "))
    assert "to: list[str], subject: str, sender: str, and 5 more  " in row
    listed = json.loads("\n".join(runner.run("list", "-o", "json").lines))
    arguments = next(one["args"] for one in listed["handlers"] if one["name"] == "send_mail")
    assert {"to", "subject", "sender", "text", "html"} < set(arguments["properties"])


def test_list_as_json_has_schedules_schemas_and_what_is_broken(runner: Runner) -> None:
    path = runner.write(
        "sync.py",
        "@every_seconds(90)\n@cron('@daily', time_zone='Asia/Tokyo')\n"
        "@job_handler('sync')\ndef sync(batch: int):\n    'Syncs all.'",
    )
    odd = runner.write("odd.py", "class Odd: ...\n@job_handler('odd')\ndef odd(thing: Odd): ...")
    bad = runner.write("bad.py", "1 / 0")
    listed = json.loads("\n".join(runner.run("list", "-o", "json").lines))
    assert next(one for one in listed["handlers"] if one["name"] == "sync") == {
        "name": "sync",
        "source": str(runner.handlers),
        "place": f"{path}:2",
        "summary": "Syncs all.",
        "schedules": [{"every": "90s"}, {"schedule": "@daily", "timeZone": "Asia/Tokyo"}],
        "args": {
            "title": "sync",
            "type": "object",
            "properties": {"batch": {"title": "Batch", "type": "integer"}},
            "required": ["batch"],
            "additionalProperties": False,
        },
    }
    assert listed["broken"][0] == {"where": str(bad), "error": "ZeroDivisionError: division by zero (line 2)"}
    assert listed["broken"][1]["where"] == f"{odd}:3"
    assert "Unable to generate pydantic-core schema" in listed["broken"][1]["error"]


@pytest.mark.parametrize("from_file", [False, True])
def test_run_takes_its_arguments_as_json_or_from_a_file(
    runner: Runner, tmp_path: Path, from_file: bool
) -> None:
    text = '{"name": "you"}'
    (tmp_path / "args.json").write_text(text)
    given = f"@{tmp_path}/args.json" if from_file else text
    ended = runner.run("run", "hello", "--args", given, env={"SCHEDULEDJOB_ARGS": '{"name": "not me"}'})
    assert ended.message is not None
    assert ended.message["value"] == {"greeting": "Hello, you!"}


def test_run_takes_its_arguments_and_timeout_from_the_pod_otherwise(runner: Runner) -> None:
    environment = {"SCHEDULEDJOB_ARGS": '{"name": "you"}', "SCHEDULEDJOB_TIMEOUT_SECONDS": "60.5"}
    runner.write(
        "it.py", "@job_handler('it')\ndef it(context: Context, name: str): return [context.deadline, name]"
    )
    ended = runner.run("run", "it", env=environment)
    assert ended.message is not None
    assert ended.message["value"][0].endswith("+00:00")
    assert ended.message["value"][1] == "you"


def test_a_folder_can_be_named_on_the_command_line(runner: Runner, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "it.py").write_text("from job_runner import *\n@job_handler('it')\ndef it(): ...")
    assert runner.run("run", "it", "--handlers", str(tmp_path / "mine")).exit_code == 0


WRONG = {
    "no command": [],
    "an unknown command": ["walk"],
    "run without a name": ["run"],
    "a bad namespace": ["generate", "--namespace", "My Jobs"],
    "an unknown option": ["run", "hello", "--fast"],
    "a bad duration": ["run", "hello", "--timeout", "soon"],
    "a file that is not there": ["run", "hello", "--args", "@/does/not/exist"],
}


@pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG)
def test_wrong_usage_is_exit_64_and_shows_how(runner: Runner, arguments: list[str]) -> None:
    ended = runner.run(*arguments)
    assert ended.exit_code == 64
    assert ended.errors.startswith("usage: python -m job_runner")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("5m", 300), ("1h30m", 5400), ("1d", 86400), ("500ms", 0.5), ("1.5h", 5400), ("7", 7)],
)
def test_a_duration_is_read_as_in_a_manifest(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "5 m", "-5m", "5x", "1h!", "m5", "five"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="write 90s, 5m or 1h30m"):
        seconds_of(text)
