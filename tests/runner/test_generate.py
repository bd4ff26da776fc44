"""`python -m job_runner generate`: the manifests of all handlers that have a schedule."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.runner.process import Ended, Runner

MANY = """
@every_minutes(5)
@daily_at(3, 30, time_zone="Europe/Berlin")
@cron('0 8 * * mon-fri # "early"')
@job_handler("sync_all.Portfolios")
async def sync(batch: int = 100): ...

@every_seconds(90)
@job_handler("123")
def numbers(args: dict[str, int]): ...

@job_handler("idle")
def idle(): ...
"""


def documents(ended: Ended) -> list[dict[str, Any]]:
    assert ended.exit_code == 0, ended.errors
    return [document for document in yaml.safe_load_all("\n".join(ended.lines)) if document]


def manifest(name: str, **spec: str) -> dict[str, Any]:
    return {
        "apiVersion": "scheduledjob.dev/v1alpha1",
        "kind": "ScheduledJob",
        "metadata": {"name": name},
        "spec": spec,
    }


def test_each_schedule_is_a_manifest_and_they_are_in_the_order_of_their_names(runner: Runner) -> None:
    runner.write("many.py", MANY)
    ended = runner.run("generate")
    portfolios = "sync_all.Portfolios"
    assert documents(ended) == [
        manifest("123", handler="123", every="90s"),
        manifest("sync-all-portfolios", handler=portfolios, every="5m"),
        manifest(
            "sync-all-portfolios-2", handler=portfolios, schedule="30 3 * * *", timeZone="Europe/Berlin"
        ),
        manifest("sync-all-portfolios-3", handler=portfolios, schedule='0 8 * * mon-fri # "early"'),
    ]
    assert ended.errors == ""
    assert runner.run("generate").lines == ended.lines


def test_your_handlers_without_a_schedule_are_a_comment_at_the_end(runner: Runner) -> None:
    runner.write("many.py", MANY)
    assert runner.run("generate").lines[-1] == "# without a schedule: idle"


def test_the_operator_reads_what_is_generated_as_it_was_meant(runner: Runner) -> None:
    models = pytest.importorskip("scheduledjob_operator.models")
    runner.write("many.py", MANY)
    specs = [
        models.ScheduledJobSpec.model_validate(document["spec"])
        for document in documents(runner.run("generate"))
    ]
    portfolios = "sync_all.Portfolios"
    assert [(spec.handler, spec.every, spec.schedule, spec.time_zone) for spec in specs] == [
        ("123", timedelta(seconds=90), None, "Etc/UTC"),
        (portfolios, timedelta(minutes=5), None, "Etc/UTC"),
        (portfolios, None, "30 3 * * *", "Europe/Berlin"),
        (portfolios, None, '0 8 * * mon-fri # "early"', "Etc/UTC"),
    ]


def test_a_namespace_can_be_given(runner: Runner) -> None:
    runner.write("it.py", "@every_minutes(1)\n@job_handler('it')\ndef it(): ...")
    (document,) = documents(runner.run("generate", "--namespace", "jobs"))
    assert document["metadata"] == {"name": "it", "namespace": "jobs"}


def test_a_folder_can_be_named_on_the_command_line(runner: Runner, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "it.py").write_text(
        "from job_runner import *\n@every_minutes(1)\n@job_handler('it')\ndef it(): ..."
    )
    assert len(documents(runner.run("generate", "--handlers", str(tmp_path / "mine")))) == 1
    ended = runner.run("generate", "--handlers", "/does/not/exist")
    assert (ended.exit_code, ended.lines) == (78, [])


def test_what_handler_files_print_is_kept_out_of_the_manifests(runner: Runner) -> None:
    runner.write("it.py", "print('loading')\n@every_minutes(1)\n@job_handler('it')\ndef it(): ...")
    ended = runner.run("generate")
    assert len(documents(ended)) == 1
    assert ended.errors == "loading\n"


def test_a_schedule_may_come_from_the_environment(runner: Runner) -> None:
    runner.write("it.py", "import os\n@cron(os.environ['SYNC_AT'])\n@job_handler('it')\ndef it(): ...")
    (document,) = documents(runner.run("generate", env={"SYNC_AT": "17 3 * * sun"}))
    assert document["spec"]["schedule"] == "17 3 * * sun"


def test_no_schedule_at_all_is_told_beside_the_comment(runner: Runner) -> None:
    ended = runner.run("generate")
    assert documents(ended) == []
    assert ended.errors == (
        'no handler has a schedule: write for instance @every_minutes(5) above @job_handler("a-name")\n'
    )


def test_arguments_that_a_schedule_cannot_give_are_told_beside_the_manifest(runner: Runner) -> None:
    runner.write(
        "it.py", "@every_minutes(1)\n@job_handler('it')\ndef it(who: str, rows: int, dry: bool = True): ..."
    )
    ended = runner.run("generate")
    assert len(documents(ended)) == 1
    assert ended.errors == (
        "handler 'it' gets no arguments from its schedule: give who and rows a default, "
        "or add spec.args to the manifest\n"
    )


def test_two_handlers_that_would_be_one_scheduledjob_are_refused(runner: Runner) -> None:
    runner.write(
        "it.py",
        "@every_minutes(1)\n@job_handler('sync-all')\ndef one(): ...\n"
        "@every_minutes(1)\n@job_handler('sync_all')\ndef two(): ...",
    )
    ended = runner.run("generate")
    assert (ended.exit_code, ended.lines) == (78, [])
    assert ended.errors == (
        "the handlers 'sync-all' and 'sync_all' would both be the ScheduledJob 'sync-all': "
        "rename one of them\n"
    )


def test_a_name_with_a_number_gives_way_to_no_other_handler(runner: Runner) -> None:
    runner.write(
        "it.py",
        "@every_minutes(1)\n@every_minutes(2)\n@job_handler('sync')\ndef one(): ...\n"
        "@every_minutes(1)\n@job_handler('sync-2')\ndef two(): ...",
    )
    ended = runner.run("generate")
    assert ended.exit_code == 78
    assert "'sync' and 'sync-2' would both be the ScheduledJob 'sync-2'" in ended.errors


@pytest.mark.parametrize(("length", "schedules", "code"), [(52, 1, 0), (53, 1, 78), (51, 2, 78)])
def test_a_name_too_long_for_a_scheduledjob_is_refused_with_its_number_counted(
    runner: Runner, length: int, schedules: int, code: int
) -> None:
    name = "a" * length
    path = runner.write("it.py", "@every_minutes(1)\n" * schedules + f"@job_handler('{name}')\ndef it(): ...")
    ended = runner.run("generate")
    assert ended.exit_code == code
    if code:
        assert ended.lines == []
        assert ended.errors == (
            f"{path}:2: the name of a ScheduledJob has 52 characters at most, and "
            f"'{name}{'-2' * (schedules - 1)}' has 53: give the handler a shorter one\n"
        )


def test_nothing_is_generated_when_a_file_is_broken(runner: Runner) -> None:
    runner.write("good.py", "@every_minutes(1)\n@job_handler('good')\ndef good(): ...")
    path = runner.write("late.py", "@daily_at(24)\n@job_handler('late')\ndef late(): ...")
    ended = runner.run("generate")
    assert (ended.exit_code, ended.lines) == (78, [])
    assert ended.errors == (
        f"not loaded: {path}: ConfigurationError: daily_at takes an hour from 0 to 23 and a minute from "
        "0 to 59: write for instance @daily_at(3, 30) (line 2)\n"
    )


def test_a_run_is_as_ever_for_a_handler_with_a_schedule(runner: Runner) -> None:
    runner.write("it.py", "@every_minutes(1)\n@daily_at(3)\n@job_handler('it')\nasync def it(): return 7")
    ended = runner.run("run", "it")
    assert ended.message is not None
    assert ended.message["value"] == 7
