"""The handler `command`."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from job_runner.handlers.command import command
from job_runner.testing import Outcome, Result, run_handler
from tests.handlers.cancelling import cancelled_when
from tests.runner.process import Runner
from tests.runner.test_ending import can_make_a_namespace
from tests.waiting import wait_until


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    runner = Runner(tmp_path)
    yield runner
    runner.close()


def run(*words: str, **arguments: Any) -> Outcome:
    return run_handler(command, args={"command": list(words), **arguments}, timeout=30)


def shell(text: str, **arguments: Any) -> Outcome:
    return run("/bin/sh", "-c", text, **arguments)


def error(ended: Outcome) -> str:
    assert ended.error is not None, ended
    return f"{ended.error.type}: {ended.error.message}"


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def has_line(file: Path) -> bool:
    """Whether a program has written a whole line."""
    return file.exists() and file.read_text().endswith("\n")


def test_the_output_becomes_log_lines_and_the_exit_code_the_result() -> None:
    ended = shell("echo one; echo two >&2; printf 'three\\nfour'")
    assert ended.value == {"exitCode": 0, "lines": 4}
    assert sorted(ended.logs) == ["four", "one", "three", "two"]


def test_there_is_no_shell_and_no_input() -> None:
    assert run("echo", "$HOME; exit 3").logs == ["$HOME; exit 3"]
    assert shell("cat").value == {"exitCode": 0, "lines": 0}


def test_it_runs_in_a_directory_with_the_runs_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGION", "eu")
    assert shell("pwd; echo $REGION", directory=str(tmp_path)).logs == [str(tmp_path), "eu"]


@pytest.mark.parametrize(
    ("text", "exit_code", "sentence"),
    [
        ("echo; exit 3", 3, "CommandFailed: the command ended with exit code 3 (lines of output: 1)"),
        ("exit 255", 255, "CommandFailed: the command ended with exit code 255 (lines of output: 0)"),
        ("kill -9 $$", 137, "CommandFailed: the command was ended by SIGKILL (lines of output: 0)"),
    ],
)
def test_its_exit_code_is_that_of_the_run(text: str, exit_code: int, sentence: str) -> None:
    ended = shell(text)
    assert ended.exit_code == exit_code
    assert error(ended) == sentence


def test_which_exit_codes_are_fine_can_be_said() -> None:
    assert shell("exit 1", expected_exit_codes=[0, 1]).value == {"exitCode": 1, "lines": 0}
    unexpected = shell("exit 0", expected_exit_codes=[1])
    assert unexpected.exit_code == 70
    assert "ended with exit code 0" in error(unexpected)


def test_the_first_and_the_last_lines_are_logged_and_all_are_counted() -> None:
    ended = shell("seq 100000", lines_logged=10)
    assert ended.value == {"exitCode": 0, "lines": 100_000}
    assert ended.logs[:10] == [str(number) for number in range(1, 11)]
    assert ended.logs[10] == "99970 lines of the command are left out here"
    assert ended.logs[11:] == [str(number) for number in range(99_981, 100_001)]


def test_a_line_that_does_not_end_takes_no_memory() -> None:
    ended = shell("head -c 50000000 /dev/zero | tr '\\0' x; echo; echo end")
    assert ended.value == {"exitCode": 0, "lines": 2}
    assert len(ended.logs[0]) < 20_000
    assert ended.logs[0].endswith("x [...]")
    assert ended.logs[1] == "end"


def test_bytes_that_are_no_text_do_not_matter() -> None:
    assert shell("printf 'a\\377b\\r\\n'").logs == ["a\ufffdb"]


WRONG: dict[str, tuple[dict[str, Any], int]] = {
    "DataError: command names no program: ": ({"command": []}, 65),
    "DataError: args.command": ({"command": "echo canary"}, 65),
    "ConfigurationError: there is no such directory: ": (
        {"command": ["true"], "directory": "/canary"},
        78,
    ),
    "ConfigurationError: the command's program cannot be started: No such file": (
        {"command": ["canary-program"]},
        78,
    ),
    "ConfigurationError: the command's program cannot be started: Permission denied": (
        {"command": ["/etc/passwd", "canary"]},
        78,
    ),
}


@pytest.mark.parametrize("sentence", WRONG)
def test_what_cannot_be_run_is_said_without_quoting_it(sentence: str) -> None:
    arguments, exit_code = WRONG[sentence]
    ended = run_handler(command, args=arguments)
    assert ended.exit_code == exit_code
    assert error(ended).startswith(sentence)
    assert "canary" not in error(ended)


def test_an_ended_run_asks_the_whole_group_to_end_and_keeps_the_result(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    text = f"trap 'echo cleaned; exit 0' TERM; sleep 100 & echo begun; echo $! $$ > {pids}; wait"
    ended = cancelled_when(lambda: has_line(pids), command, args={"command": ["/bin/sh", "-c", text]})
    assert ended.result is Result.CANCELLED
    assert ended.value == {"exitCode": 0, "lines": 2}
    assert ended.logs == ["begun", "cleaned"]
    assert not any(is_running(int(pid)) for pid in pids.read_text().split())


def test_what_a_program_has_started_gets_the_time_to_clean_up_though_the_program_is_gone(
    tmp_path: Path,
) -> None:
    """A shell dies of the SIGTERM at once; its child takes longer than what is left behind gets otherwise."""
    signals = tmp_path / "signals"
    on_term = f"echo TERM >> {signals}; sleep 1.5; echo cleaned; exit 0"
    listens = tmp_path / "listens"
    child = f"trap '{on_term}' TERM; echo > {listens}; while :; do sleep 0.1; done"
    text = f'/bin/sh -c "{child}"; echo not reached'
    ended = cancelled_when(lambda: has_line(listens), command, args={"command": ["/bin/sh", "-c", text]})
    assert ended.result is Result.CANCELLED
    assert isinstance(ended.value, dict)
    assert ended.value["exitCode"] == 143
    assert "cleaned" in ended.logs
    assert signals.read_text() == "TERM\n"
    assert ended.duration_seconds < 10


@pytest.mark.parametrize("how", ["SIGTERM", "timeout"])
def test_a_program_that_does_not_listen_is_killed_and_its_children_too(
    runner: Runner, tmp_path: Path, how: str
) -> None:
    pids = tmp_path / "pids"
    text = f"trap '' TERM; (trap '' TERM; while :; do sleep 0.1; done) & echo $! $$ > {pids}; wait; sleep 100"
    arguments = ["run", "command", "--args", json.dumps({"command": ["/bin/sh", "-c", text]})]
    env = {"SCHEDULEDJOB_GRACE_PERIOD_SECONDS": "5"}
    if how == "timeout":
        arguments += ["--timeout", "4s"]  # a slow machine has started the program by then
    running = runner.start(*arguments, env=env)
    wait_until(lambda: has_line(pids))
    begun = time.monotonic()
    if how == "SIGTERM":
        os.kill(running.process.pid, 15)
    ended = running.end()
    assert time.monotonic() - begun < (5 if how == "SIGTERM" else 9), (
        "Kubernetes kills it after the grace period"
    )
    assert ended.exit_code == (143 if how == "SIGTERM" else 124)
    assert ended.message is not None
    assert ended.message["value"] == {"exitCode": 137, "lines": 0}
    assert not any(is_running(int(pid)) for pid in pids.read_text().split())


def test_what_a_program_leaves_behind_is_ended_and_not_waited_for(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    ended = shell(f"sleep 100 & echo $! > {pid}; echo done")
    assert ended.value == {"exitCode": 0, "lines": 1}
    assert ended.duration_seconds < 20
    wait_until(lambda: not is_running(int(pid.read_text())))


@pytest.mark.skipif(not can_make_a_namespace(), reason="needs the right to make process namespaces")
def test_orphans_do_not_hold_up_the_first_process_of_a_container(runner: Runner) -> None:
    text = "trap '' TERM; for n in 1 2 3 4 5; do sleep 0.1 & done; sleep 100 & sleep 0.5; echo done"
    arguments = json.dumps({"command": ["/bin/sh", "-c", f"({text}) & wait"]})
    ended = runner.start("run", "command", "--args", arguments, first_of_namespace=True).end()
    assert ended.message is not None
    assert ended.message["value"] == {"exitCode": 0, "lines": 1}
    assert ended.message["durationSeconds"] < 20


def test_a_program_that_closes_its_output_is_waited_for() -> None:
    assert shell("exec >&- 2>&-; sleep 1; exit 4").exit_code == 4


def test_what_comes_before_and_with_the_end_is_all_logged() -> None:
    code = "import sys; [print(n) for n in range(5000)]; sys.stderr.write('last\\n')"
    assert run(sys.executable, "-c", code).value == {"exitCode": 0, "lines": 5001}
