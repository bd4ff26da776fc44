"""The module people test their own handlers with."""

import asyncio
import logging
import re
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from job_runner import Cancelled, Context, TryAgain, UnknownHandler, job_handler
from job_runner.testing import Error, Result, run_handler
from tests.runner.process import PATIENCE

SOON = 0.3
"""Seconds in which a handler has begun, also on a busy machine."""

README = Path(__file__).parents[2] / "job_images/runner/README.md"


def greet(context: Context, name: str = "world") -> dict[str, str | int | None]:
    context.logger.info("greeting %s", name)
    return {
        "name": name,
        "slot": context.slot.isoformat() if context.slot else None,
        "attempt": context.attempt,
    }


def test_a_function_is_run_with_its_arguments_validated() -> None:
    outcome = run_handler(greet, args={"name": "you"}, slot=datetime(2026, 11, 22, 3, 35, tzinfo=UTC))
    assert outcome.result is Result.SUCCEEDED
    assert outcome.exit_code == 0
    assert outcome.error is None
    assert outcome.value == {"name": "you", "slot": "2026-11-22T03:35:00+00:00", "attempt": 1}
    assert outcome.logs == ["greeting you"]
    assert outcome.termination_message["value"] == outcome.value


def test_a_wrong_argument_is_an_outcome_not_an_exception() -> None:
    outcome = run_handler(greet, args={"name": 5})
    assert outcome.exit_code == 65
    assert outcome.error == Error("DataError", "args.name: Input should be a valid string")


def test_a_failure_is_an_outcome() -> None:
    def later() -> None:
        raise TryAgain("the table is locked")

    outcome = run_handler(later)
    assert (outcome.result, outcome.exit_code) == (Result.FAILED, 75)
    assert outcome.error == Error("TryAgain", "the table is locked")


def test_a_handler_can_be_named() -> None:
    assert run_handler("hello", args={"name": "you"}).value == {"greeting": "Hello, you!"}
    with pytest.raises(UnknownHandler):
        run_handler("not-there")


def test_a_registered_function_keeps_its_name_and_its_ways() -> None:
    @job_handler("polling-for-a-test", interrupt=False)
    def polling(context: Context) -> str:
        while not context.cancelled:
            time.sleep(0.001)
        return context.name

    assert run_handler(polling, cancel_after=SOON).value == "polling-for-a-test"


async def patient() -> str:
    try:
        await asyncio.sleep(PATIENCE)
    except asyncio.CancelledError:
        return "stopped"
    return "not stopped"


def patient_plain() -> str:
    try:
        time.sleep(PATIENCE)
    except Cancelled:
        return "stopped"
    return "not stopped"


@pytest.mark.parametrize("function", [patient, patient_plain])
def test_a_timeout_and_a_sigterm_can_be_tried(function: object) -> None:
    assert callable(function)
    outcome = run_handler(function, timeout=SOON)
    assert (outcome.result, outcome.exit_code, outcome.value) == (Result.TIMED_OUT, 124, "stopped")
    outcome = run_handler(function, cancel_after=SOON)
    assert (outcome.result, outcome.exit_code, outcome.value) == (Result.CANCELLED, 143, "stopped")


def test_the_process_of_the_tests_is_left_as_it_was() -> None:
    watched = [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1]
    before = [signal.getsignal(number) for number in watched]
    threads, level = threading.active_count(), logging.getLogger().level
    run_handler(patient_plain, timeout=SOON)
    assert [signal.getsignal(number) for number in watched] == before
    assert (threading.active_count(), logging.getLogger().level) == (threads, level)


def test_it_works_in_a_thread_of_its_own() -> None:
    outcomes = []
    thread = threading.Thread(target=lambda: outcomes.append(run_handler(patient, timeout=SOON)))
    thread.start()
    thread.join(PATIENCE)
    assert outcomes[0].value == "stopped"


def test_an_event_loop_that_runs_already_is_refused_with_advice() -> None:
    async def test() -> None:
        run_handler(greet)

    with pytest.raises(RuntimeError, match="call it from a plain function"):
        asyncio.run(test())


def test_a_slot_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="slot has no time zone"):
        run_handler(greet, slot=datetime(2026, 11, 22))  # noqa: DTZ001


def code_blocks() -> list[tuple[str, str]]:
    """(file name, text) of every Python block of the README that begins with its name in a comment."""
    return re.findall(r"```python\n# (\S+\.py)\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def test_the_examples_of_the_readme_pass(tmp_path: Path) -> None:
    blocks = code_blocks()
    assert any(name.startswith("test_") for name, _ in blocks)
    for name, text in blocks:
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "--rootdir",
            str(tmp_path),
            "-p",
            "no:cacheprovider",
            str(tmp_path),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        timeout=4 * PATIENCE,
    )
    assert done.returncode == 0, done.stdout
