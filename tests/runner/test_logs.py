"""Log lines: JSON objects that say which run they belong to."""

import io
import json
import logging
import os
import pty
import re
import subprocess
import sys
from datetime import datetime

from job_runner.logs import HumanFormatter, JsonFormatter
from tests.runner.process import PATIENCE, Runner

POD = {
    "SCHEDULEDJOB_NAME": "portfolio-sync",
    "SCHEDULEDJOB_NAMESPACE": "trading",
    "SCHEDULEDJOB_JOB_NAME": "portfolio-sync-29921975",
    "SCHEDULEDJOB_ATTEMPT": "2",
}


def test_every_line_says_which_run_it_belongs_to(runner: Runner) -> None:
    ended = runner.run("run", "hello", env=POD)
    assert ended.messages == [
        "Running job 'portfolio-sync'",
        "Hello, world!",
        "Job 'portfolio-sync' completed successfully",
    ]
    for record in ended.records:
        assert datetime.fromisoformat(record["time"]).tzinfo is not None
        assert record["level"] == "info"
        assert record["scheduledjob"] == "portfolio-sync"
        assert record["namespace"] == "trading"
        assert record["job"] == "portfolio-sync-29921975"
        assert record["handler"] == "hello"
        assert record["trigger"] == "Schedule"
        assert record["slot"] == "2026-11-22T03:35:00Z"
        assert record["attempt"] == 2
    assert [record["logger"] for record in ended.records] == ["job_runner", "job", "job_runner"]
    last = ended.records[-1]
    assert last["result"] == "Succeeded"
    assert last["value"] == {"greeting": "Hello, world!"}
    assert last["exitCode"] == 0
    assert last["durationSeconds"] > 0
    assert last["peakMemoryBytes"] > 0


def test_a_failure_is_one_line_with_its_traceback(runner: Runner) -> None:
    runner.write("it.py", "@job_handler('it')\ndef it():\n    raise ValueError('two\\nlines')")
    last = runner.run("run", "it").records[-1]
    assert last["message"] == "Job 'it' failed: ValueError: two\nlines"
    assert last["level"] == "error"
    assert last["exception"].startswith("Traceback (most recent call last):\n")
    assert "raise ValueError('two\\nlines')" in last["exception"]
    assert last["exception"].endswith("ValueError: two\nlines")


def test_an_expected_failure_has_no_traceback_but_for_its_cause(runner: Runner) -> None:
    runner.write(
        "it.py",
        "@job_handler('it')\ndef it(deep: bool):\n    try: 1 / 0\n"
        "    except ZeroDivisionError as e:\n        if deep: raise Unavailable('x') from e\n"
        "    raise Unavailable('x')",
    )
    assert "exception" not in runner.run("run", "it", "--args", '{"deep": false}').records[-1]
    deep = runner.run("run", "it", "--args", '{"deep": true}').records[-1]["exception"]
    assert "ZeroDivisionError: division by zero" in deep
    assert "direct cause" in deep


def test_what_a_handler_prints_goes_through_untouched(runner: Runner) -> None:
    runner.write(
        "it.py",
        "import logging, sys\n@job_handler('it')\ndef it():\n    print('plain é')\n"
        "    print('to stderr', file=sys.stderr)\n"
        "    logging.getLogger('lib').info('of a library', extra={'rows': 5, 'odd': object})",
    )
    ended = runner.run("run", "it")
    assert "plain é" in ended.lines
    assert ended.errors == "to stderr\n"
    record = next(record for record in ended.records if record["logger"] == "lib")
    assert record["rows"] == 5
    assert record["odd"] == "<class 'object'>"


def test_the_level_is_a_setting_and_a_wrong_one_means_info(runner: Runner) -> None:
    assert runner.run("run", "hello", env={"SCHEDULEDJOB_LOG_LEVEL": "warning"}).lines == []
    assert len(runner.run("run", "hello", env={"SCHEDULEDJOB_LOG_LEVEL": "loud"}).lines) == 3


def test_a_terminal_gets_text_for_people(runner: Runner) -> None:
    terminal, other_end = pty.openpty()
    with os.fdopen(terminal, "rb", buffering=0) as screen:
        process = subprocess.Popen(
            [sys.executable, "-m", "job_runner", "run", "hello"],
            stdout=other_end,
            env={"PATH": os.environ["PATH"]},
        )
        os.close(other_end)
        assert process.wait(PATIENCE) == 0
        shown = screen.read(4096).decode().splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d INFO     Running job 'hello'", shown[0])
    assert "Hello, world!  for=no slot" in shown[1]


def test_a_traceback_for_people_has_lines() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(HumanFormatter(fields={}, values=str, errors=str))
    logger = logging.Logger("x")  # noqa: LOG001
    logger.addHandler(handler)
    try:
        int("odd")
    except ValueError:
        logger.exception("it failed")
    lines = stream.getvalue().splitlines()
    assert lines[0].endswith("ERROR    it failed")
    assert lines[-1] == "ValueError: invalid literal for int() with base 10: 'odd'"


def test_a_text_that_is_too_long_is_cut_and_says_so() -> None:
    record = logging.makeLogRecord({"msg": "%s", "args": ("x" * 20_000,)})
    line = json.loads(JsonFormatter(fields={}, values=str, errors=str).format(record))
    assert line["message"] == "x" * 9994 + " [...]"


def test_a_line_is_json_whatever_is_logged(runner: Runner) -> None:
    runner.write(
        "it.py",
        "import math\n@job_handler('it')\ndef it(context: Context):\n"
        "    context.logger.info('\\ud800 \"quoted\" \\n', extra={'x': math.nan, 'y': {1: b'z'}})",
    )
    record = runner.run("run", "it").records[1]
    assert record["message"] == '\ufffd "quoted" \n'
    assert json.dumps([record["x"], record["y"]]) == '["nan", {"1": "b\'z\'"}]'
