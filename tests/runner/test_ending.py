"""A run ends in time, whatever its handler does, and leaves evidence. The handlers are in `endings`."""

import signal
import subprocess
from datetime import datetime
from typing import Any

import pytest

from tests.runner.process import Ended, Runner

TIMEOUT = 3.0
"""Seconds; on a slow machine, too, a process must have come to its handler by then."""

BUSY = [
    "sleeping",
    "receiving",
    "waiting_for_a_process",
    "waiting_for_a_lock",
    "looping",
    "importing",
    "sleeping_async",
]
STUBBORN = [
    "stubborn",
    "stubborn_async",
    "blocking_its_loop",
    "waiting_in_c",
    "leaving_a_thread",
    "importing_stubbornly",
]
KEEPING = [
    "keeping_its_result",
    "keeping_its_result_async",
    "polling",
    "polling_async",
    "asking_between_pieces",
    "with_its_own_loop",
]


@pytest.fixture(scope="module")
def timed_out(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ended]:
    """How each that does not end by itself ended by its timeout. They start one by one and wait together."""
    running = {}
    names = [*BUSY, *STUBBORN, *KEEPING[:2], "failing_to_clean_up"]
    for name in sorted(names, key=lambda name: "importing" in name):
        runner = Runner(tmp_path_factory.mktemp("together"))
        runner.copy(f"endings/{name}.py")
        running[name] = runner.start("run", "it", env={"SCHEDULEDJOB_TIMEOUT_SECONDS": str(TIMEOUT)})
        if "importing" not in name:  # one after the other, so that none holds up another on its way
            running[name].wait_for_line("Running job 'it'")
    return {name: one.end() for name, one in running.items()}


def message_of(ended: Ended, result: str) -> dict[str, Any]:
    assert ended.message is not None
    assert ended.message["result"] == result
    return ended.message


@pytest.mark.parametrize("name", BUSY)
def test_a_timeout_ends_a_handler_that_is(timed_out: dict[str, Ended], name: str) -> None:
    ended = timed_out[name]
    assert ended.exit_code == 124
    message = message_of(ended, "TimedOut")
    assert message["error"] == {"type": "TimedOut", "message": "did not end within 3 s"}
    assert message["durationSeconds"] < TIMEOUT + 2, "it listened, so there was no need to insist"
    assert f"{name}.py" in ended.records[-1]["exception"], "the traceback says where the time went"


@pytest.mark.parametrize("name", STUBBORN)
def test_a_timeout_ends_before_the_hard_deadline_a_handler_that_is(
    timed_out: dict[str, Ended], name: str
) -> None:
    ended = timed_out[name]
    assert ended.exit_code == 124
    message = message_of(ended, "TimedOut")
    assert message["error"]["message"].startswith("did not end within 3 s; ")
    assert TIMEOUT + 3 <= message["durationSeconds"] < TIMEOUT + 5


@pytest.mark.parametrize("name", KEEPING[:2])
def test_a_timeout_keeps_the_result_of_a_handler_that_is(timed_out: dict[str, Ended], name: str) -> None:
    ended = timed_out[name]
    assert ended.exit_code == 124
    assert message_of(ended, "TimedOut")["value"] == {"done": 7}


def test_the_log_says_where_a_handler_is_that_ignores_its_timeout(timed_out: dict[str, Ended]) -> None:
    assert "time.sleep(60)" in timed_out["blocking_its_loop"].records[-1]["stack"]


def test_a_result_is_kept_when_a_thread_keeps_the_process_from_ending(timed_out: dict[str, Ended]) -> None:
    message = message_of(timed_out["leaving_a_thread"], "TimedOut")
    assert message["value"] == {"done": 7}
    assert "threads of it still ran" in message["error"]["message"]


def test_an_error_while_cleaning_up_is_reported_with_the_timeout(timed_out: dict[str, Ended]) -> None:
    ended = timed_out["failing_to_clean_up"]
    assert ended.exit_code == 124
    assert message_of(ended, "TimedOut")["error"] == {"type": "ValueError", "message": "clean-up"}


def test_the_stacks_are_dumped_when_the_interpreter_is_held(runner: Runner) -> None:
    runner.copy("endings/holding_the_interpreter.py")
    running = runner.start("run", "it", "--timeout", "1s")
    running.wait_for_line("Running job 'it'")
    assert running.process.stderr is not None
    assert running.process.stderr.readline().startswith("Timeout")
    assert any("holding_the_interpreter.py" in line for line in running.process.stderr)


@pytest.mark.parametrize("name", KEEPING)
def test_sigterm_keeps_the_result_of_a_handler_that_is(runner: Runner, name: str) -> None:
    ended = signalled(runner, name)
    assert ended.exit_code == 143
    assert message_of(ended, "Cancelled")["value"] == {"done": 7}


def signalled(runner: Runner, name: str, *numbers: signal.Signals) -> Ended:
    """How a handler that prints `busy` ended by a signal, SIGTERM unless others are named."""
    runner.copy(f"endings/{name}.py")
    running = runner.start("run", "it")
    running.wait_for_line("busy")
    for number in numbers or [signal.SIGTERM]:
        running.send(number)
    return running.end()


def test_sigterm_ends_a_plain_handler_and_is_exit_143(runner: Runner) -> None:
    ended = signalled(runner, "sleeping")
    assert ended.exit_code == 143
    message = message_of(ended, "Cancelled")
    assert message["error"] == {"type": "Cancelled", "message": "stopped by SIGTERM"}
    assert "Job 'it' cancelled: Cancelled: stopped by SIGTERM" in ended.messages


def can_make_a_namespace() -> bool:
    return (
        subprocess.run(["unshare", "--fork", "--pid", "true"], capture_output=True, check=False).returncode
        == 0
    )


@pytest.mark.skipif(not can_make_a_namespace(), reason="needs the right to make process namespaces")
def test_sigterm_reaches_the_first_process_of_a_container(runner: Runner) -> None:
    runner.copy("endings/sleeping.py")
    running = runner.start("run", "it", first_of_namespace=True)
    running.wait_for_line("busy")
    running.send(signal.SIGTERM)
    ended = running.end()
    assert ended.exit_code == 143
    message_of(ended, "Cancelled")


def test_sigterm_gives_the_grace_period_but_two_seconds(runner: Runner) -> None:
    runner.copy("endings/blocking_its_loop.py")
    running = runner.start("run", "it", env={"SCHEDULEDJOB_GRACE_PERIOD_SECONDS": "3.5"})
    running.wait_for_line("busy")
    running.send(signal.SIGTERM)
    ended = running.end()
    assert ended.exit_code == 143
    message = message_of(ended, "Cancelled")
    assert message["error"]["message"] == "stopped by SIGTERM; it did not stop when cancelled"
    first, last = (datetime.fromisoformat(ended.records[index]["time"]) for index in (0, -1))
    assert 1.4 < (last - first).total_seconds() < 3.5


@pytest.mark.parametrize("name", ["shielding", "shielding_async"])
def test_a_shielded_block_is_finished_before_the_cancellation(runner: Runner, name: str) -> None:
    ended = signalled(runner, name)
    assert ended.exit_code == 143
    assert message_of(ended, "Cancelled")["value"] == ["whole"]


def test_a_second_sigterm_changes_nothing(runner: Runner) -> None:
    runner.copy("endings/cleaning_up.py")
    running = runner.start("run", "it", "--args", '{"seconds": 0.3}')
    running.wait_for_line("busy")
    running.send(signal.SIGTERM)
    running.wait_for_line("cleaning")
    running.send(signal.SIGTERM)
    ended = running.end()
    assert ended.exit_code == 143
    assert message_of(ended, "Cancelled")["value"] == "clean"


def test_ctrl_c_is_exit_130_and_a_second_one_does_not_wait(runner: Runner) -> None:
    runner.copy("endings/cleaning_up.py")
    running = runner.start("run", "it", "--args", '{"seconds": 60}')
    running.wait_for_line("busy")
    running.send(signal.SIGINT)
    running.wait_for_line("cleaning")
    running.send(signal.SIGINT)
    ended = running.end()
    assert ended.exit_code == 130
    assert message_of(ended, "Cancelled")["durationSeconds"] < 20, "the grace period is 30 s"


def test_a_forked_worker_can_be_terminated_without_ending_the_run(runner: Runner) -> None:
    runner.copy("endings/forking.py")
    ended = runner.run("run", "it")
    assert ended.exit_code == 0, ended
    assert message_of(ended, "Succeeded")["value"] == -signal.SIGTERM


def test_an_event_loop_that_takes_the_wake_up_descriptor_does_not_hide_sigterm(runner: Runner) -> None:
    assert signalled(runner, "with_signals_of_its_own").exit_code == 143


def test_a_thread_that_is_left_behind_is_waited_for_and_named(runner: Runner) -> None:
    runner.copy("endings/leaving_a_short_thread.py")
    ended = runner.run("run", "it")
    assert ended.exit_code == 0
    assert "late" in ended.lines
    assert any("these threads" in message for message in ended.messages)
