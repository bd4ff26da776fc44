"""How a run ends, as Kubernetes and the operator see it: exit code and termination message."""

import pytest

from tests.runner.process import Runner

RAISED = {
    "a returned value is success": ("return {'rows': 3}", 0, None),
    "data the handler finds wrong": ("raise DataError('row 3')", 65, ("DataError", "row 3")),
    "a service that does not answer": ("raise Unavailable('db')", 69, ("Unavailable", "db")),
    "any exception": ("raise ValueError('odd')", 70, ("ValueError", "odd")),
    "an exception without a text": ("raise ValueError", 70, ("ValueError", "")),
    "a moment that is not right": ("raise TryAgain('locked')", 75, ("TryAgain", "locked")),
    "a setting that is wrong": ("raise ConfigurationError('no DSN')", 78, ("ConfigurationError", "no DSN")),
    "sys.exit() is success": ("raise SystemExit", 0, None),
    "sys.exit(0) is success": ("raise SystemExit(0)", 0, None),
    "sys.exit(3) is honoured": ("raise SystemExit(3)", 3, ("SystemExit", "exit code 3")),
    "sys.exit('why') is 1": ("raise SystemExit('why')", 1, ("SystemExit", "why")),
    "a keyboard interrupt of its own": ("raise KeyboardInterrupt", 130, ("KeyboardInterrupt", "")),
    "a group of equal failures": (
        "raise ExceptionGroup('two', [TryAgain('a'), TryAgain('b')])",
        75,
        ("ExceptionGroup", "two (2 sub-exceptions): TryAgain: a; TryAgain: b"),
    ),
    "a group of unlike failures": (
        "raise ExceptionGroup('two', [TryAgain('a'), KeyError('b')])",
        70,
        ("ExceptionGroup", "two (2 sub-exceptions): TryAgain: a; KeyError: 'b'"),
    ),
    "an exception whose text cannot be had": (
        "raise type('Odd', (Exception,), {'__str__': lambda self: 1 / 0})",
        70,
        ("Odd", "(its text cannot be read)"),
    ),
    "an exit code of the team's own": (
        "raise type('NoInput', (JobError,), {'exit_code': 66})('empty')",
        66,
        ("NoInput", "empty"),
    ),
}


@pytest.mark.parametrize("style", ["def", "async def"])
@pytest.mark.parametrize(("body", "exit_code", "error"), RAISED.values(), ids=RAISED)
def test_what_a_handler_does_decides_the_exit_code(
    runner: Runner, style: str, body: str, exit_code: int, error: tuple[str, str] | None
) -> None:
    runner.write("it.py", f"@job_handler('it')\n{style} it():\n    {body}")
    ended = runner.run("run", "it")
    assert ended.exit_code == exit_code, ended
    assert ended.message is not None
    assert ended.message["version"] == 1
    assert ended.message["result"] == ("Failed" if error else "Succeeded")
    if error:
        assert ended.message["error"] == {"type": error[0], "message": error[1]}
    else:
        assert "error" not in ended.message


def test_the_message_holds_the_value_the_time_and_the_memory_of_a_run(runner: Runner) -> None:
    ended = runner.run("run", "allocate_memory", "--args", '{"mebibytes": 150}')
    assert ended.message is not None
    assert ended.message["value"] == {"bytes": 150 * 2**20}
    assert ended.message["peakMemoryBytes"] > 150 * 2**20
    assert 0 < ended.message["durationSeconds"] < ended.seconds


def test_memory_of_a_child_process_counts(runner: Runner) -> None:
    runner.write(
        "child.py",
        "import subprocess, sys\n"
        "@job_handler('child')\n"
        "def child():\n"
        "    subprocess.run([sys.executable, '-c', \"x = b'x' * 150_000_000\"], check=True)\n",
    )
    ended = runner.run("run", "child")
    assert ended.message is not None
    assert "value" not in ended.message
    assert ended.message["peakMemoryBytes"] > 150_000_000


def test_an_unknown_handler_is_exit_64_and_says_which_there_are(runner: Runner) -> None:
    ended = runner.run("run", "helo")
    assert ended.exit_code == 64
    assert ended.message is not None
    assert ended.message["error"] == {
        "type": "UnknownHandler",
        "message": "there is no handler 'helo', did you mean 'hello'? "
        "There are: allocate_memory, command, fail, fetch_insert, hello, http, ping, "
        "redis_cleanup, send_mail, sleep, sql",
    }


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("SCHEDULEDJOB_TIMEOUT_SECONDS", "soon"),
        ("SCHEDULEDJOB_TIMEOUT_SECONDS", "-1"),
        ("SCHEDULEDJOB_GRACE_PERIOD_SECONDS", "inf"),
        ("SCHEDULEDJOB_TIME_ZONE", "Mars/Olympus"),
        ("SCHEDULEDJOB_HANDLERS_PATH", "/does/not/exist"),
    ],
)
def test_a_wrong_setting_is_exit_78_and_named(runner: Runner, setting: str, value: str) -> None:
    ended = runner.run("run", "hello", env={setting: value})
    assert ended.exit_code == 78
    assert ended.message is not None
    assert ended.message["error"]["type"] == "ConfigurationError"
    expected = value if setting == "SCHEDULEDJOB_TIME_ZONE" else setting
    assert expected in ended.message["error"]["message"]


def test_nothing_is_written_where_there_is_no_termination_log(runner: Runner) -> None:
    ended = runner.run("run", "hello", env={"SCHEDULEDJOB_TERMINATION_LOG": ""})
    assert ended.exit_code == 0
    assert ended.message is None


def test_a_termination_log_that_cannot_be_written_does_not_fail_the_run(runner: Runner) -> None:
    ended = runner.run("run", "hello", env={"SCHEDULEDJOB_TERMINATION_LOG": str(runner.handlers)})
    assert ended.exit_code == 0
    assert any("cannot be written" in message for message in ended.messages)


def test_a_result_that_is_no_json_is_written_as_text_with_a_warning(runner: Runner) -> None:
    runner.write("it.py", "@job_handler('it')\ndef it():\n    return {'kind': complex(1, 2)}")
    ended = runner.run("run", "it")
    assert ended.exit_code == 0
    assert ended.message is not None
    assert ended.message["value"] == {"kind": "(1+2j)"}
    assert "a complex is no JSON value and is written as text" in ended.messages


def test_a_result_that_cannot_be_written_is_left_out_with_a_warning(runner: Runner) -> None:
    runner.write("it.py", "@job_handler('it')\ndef it():\n    return [0] * 1_000_000")
    ended = runner.run("run", "it")
    assert ended.exit_code == 0
    assert ended.message is not None
    assert "value" not in ended.message
    assert ended.message["truncated"] is True
    assert any("left out" in message for message in ended.messages)
