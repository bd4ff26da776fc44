"""The handler `ping`: a monitor hears how a run goes, and the run goes as it would without one."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from job_runner.handlers.ping import ping
from job_runner.pings import monitor
from job_runner.testing import run_handler
from tests.handlers.web_server import Answer, WebServer, web_server
from tests.runner.process import Ended, Runner, Running
from tests.servers.process import free_port

TOKEN = "7bd1c5f2-0c11-4c6e-9d0e-2f1d3b6a8c55"
HANDLERS = """
import asyncio, sys, time

@job_handler("inner")
def inner(context: Context, how: str = "", rows: int = 0):
    if how == "keep":
        try:
            print("busy")
            time.sleep(60)
        except Cancelled: return {"rows": 1}
    print("busy")
    if how == "exit": sys.exit(3)
    if how == "fine": sys.exit(0)
    if how == "data": raise DataError("row 5")
    if how == "bug": raise ValueError("odd")
    if how == "wait": time.sleep(60)
    return {"rows": rows, "name": context.name, "slot": context.slot, "attempt": context.attempt}

@job_handler("asynchronous")
async def asynchronous(seconds: float = 0):
    print("busy")
    await asyncio.sleep(seconds)
    return {"rows": 4}

@job_handler("asking", interrupt=False)
def asking(context: Context):
    print("busy")
    while not context.cancelled: time.sleep(0.05)
    return {"rows": 9}
"""


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    runner = Runner(tmp_path)
    runner.write("handlers.py", HANDLERS)
    yield runner
    runner.close()


@pytest.fixture
def web() -> Iterator[WebServer]:
    with web_server() as server:
        yield server


def start(runner: Runner, url: str, name: str = "inner", *options: str, **arguments: Any) -> Running:
    given = json.dumps({"handler": name, "handler_args": arguments})
    return runner.start("run", "ping", "--args", given, *options, env={"PING_URL": url})


def pinged(runner: Runner, url: str, name: str = "inner", *options: str, **arguments: Any) -> Ended:
    return start(runner, url, name, *options, **arguments).end()


def pings(web: WebServer) -> list[tuple[str, Any]]:
    """What was put behind the address, and the body, of each."""
    return [
        (one.path.removeprefix(f"/ping/{TOKEN}"), json.loads(one.body) if one.body else None)
        for one in web.requests
    ]


def message(ended: Ended) -> dict[str, Any]:
    """The termination message, but for what differs from run to run."""
    assert ended.message is not None, ended
    return {
        name: value
        for name, value in ended.message.items()
        if name not in ("durationSeconds", "peakMemoryBytes")
    }


ENDINGS: dict[str, tuple[str, dict[str, Any], str, str, int]] = {
    "success": ("inner", {"rows": 7}, "", "Succeeded", 0),
    "success without arguments": ("inner", {}, "", "Succeeded", 0),
    "an exit that is fine": ("inner", {"how": "fine"}, "", "Succeeded", 0),
    "an exit code": ("inner", {"how": "exit"}, "/3", "Failed", 3),
    "a failure with a meaning": ("inner", {"how": "data"}, "/65", "Failed", 65),
    "a bug": ("inner", {"how": "bug"}, "/70", "Failed", 70),
    "wrong arguments": ("inner", {"rows": "many"}, "/65", "Failed", 65),
    "a name nobody has": ("inner_", {}, "/64", "Failed", 64),
    "an async handler": ("asynchronous", {"seconds": 0.1}, "", "Succeeded", 0),
    "a handler that comes along": ("fail", {"exit_code": 9}, "/9", "Failed", 9),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_a_run_with_pings_ends_as_one_without(runner: Runner, web: WebServer, name: str) -> None:
    handler, arguments, suffix, result, exit_code = ENDINGS[name]
    alone = runner.run("run", handler, "--args", json.dumps(arguments))
    ended = pinged(runner, f"{web.url}/ping/{TOKEN}", handler, **arguments)
    assert message(ended) == message(alone)
    assert ended.exit_code == alone.exit_code == exit_code
    assert pings(web) == [("/start", None), (suffix, {"result": result, "exitCode": exit_code})]


CANCELLED: dict[str, tuple[str, dict[str, Any], Any]] = {
    "waits": ("inner", {"how": "wait"}, None),
    "keeps its result": ("inner", {"how": "keep"}, {"rows": 1}),
    "is async": ("asynchronous", {"seconds": 60}, None),
    "asks by itself": ("asking", {}, {"rows": 9}),
}


@pytest.mark.parametrize("name", CANCELLED)
def test_a_monitor_hears_of_the_cancellation_of_a_handler_that(
    runner: Runner, web: WebServer, name: str
) -> None:
    handler, arguments, value = CANCELLED[name]
    running = start(runner, f"{web.url}/ping/{TOKEN}", handler, **arguments)
    running.wait_for_line("busy")
    running.send(signal.SIGTERM)
    ended = running.end()
    assert ended.exit_code == 143
    assert message(ended)["error"] == {"type": "Cancelled", "message": "stopped by SIGTERM"}
    assert message(ended).get("value") == value
    assert pings(web)[-1] == ("/fail", {"result": "Cancelled", "exitCode": 143})


def test_a_monitor_hears_of_a_timeout(runner: Runner, web: WebServer) -> None:
    ended = pinged(runner, f"{web.url}/ping/{TOKEN}", "inner", "--timeout", "2s", how="wait")
    assert message(ended)["error"] == {"type": "TimedOut", "message": "did not end within 2 s"}
    assert pings(web)[-1] == ("/fail", {"result": "TimedOut", "exitCode": 124})


@pytest.mark.parametrize("answer", [Answer(404), Answer(0, cut=True), None], ids=["404", "hangs up", "gone"])
def test_a_monitor_that_fails_is_one_warning_and_no_more(
    runner: Runner, web: WebServer, answer: Answer | None
) -> None:
    url = f"http://127.0.0.1:{free_port()}/ping/{TOKEN}"
    if answer is not None:
        url, web.answers = f"{web.url}/ping/{TOKEN}", [answer]
    ended = pinged(runner, url, rows=7)
    assert message(ended)["value"]["rows"] == 7
    warnings = [one for one in ended.records if one["level"] == "warning"]
    assert len(warnings) == 1
    assert warnings[0]["message"].startswith(
        "the monitor of PING_URL was not told how the run goes: POST PING_URL: "
    )
    assert TOKEN not in "\n".join(ended.lines)


def test_a_monitor_that_does_not_answer_delays_neither_the_start_nor_the_deadline(
    runner: Runner, web: WebServer
) -> None:
    over = threading.Event()
    web.answers = [Answer(delay=over)]
    ended = pinged(runner, f"{web.url}/ping/{TOKEN}", "inner", "--timeout", "4s", rows=7)
    over.set()
    assert message(ended) == {
        "version": 1,
        "result": "Succeeded",
        "value": {"rows": 7, "name": "inner", "slot": None, "attempt": None},
    }
    assert ended.seconds < 9, "the answer comes after ten"


def test_a_query_of_the_address_stays_behind_its_path(runner: Runner, web: WebServer) -> None:
    pinged(runner, f"{web.url}/ping/{TOKEN}?rid=5")
    assert [one.path for one in web.requests] == [f"/ping/{TOKEN}/start?rid=5", f"/ping/{TOKEN}?rid=5"]


def test_a_missing_address_is_said_before_anything_runs(runner: Runner) -> None:
    ended = runner.run("run", "ping", "--args", '{"handler": "inner"}')
    assert ended.exit_code == 78
    assert message(ended)["error"]["message"].startswith("the variable PING_URL is not set: ")
    assert "busy" not in ended.lines


def test_the_context_is_the_runs_own(runner: Runner, web: WebServer) -> None:
    env = {
        "PING_URL": web.url,
        "SCHEDULEDJOB_NAME": "nightly",
        "SCHEDULEDJOB_SLOT": "2026-11-22T03:00:00Z",
        "SCHEDULEDJOB_ATTEMPT": "2",
    }
    ended = runner.run("run", "ping", "--args", '{"handler": "inner"}', env=env)
    assert message(ended)["value"] == {
        "rows": 0,
        "name": "nightly",
        "slot": "2026-11-22T03:00:00+00:00",
        "attempt": 2,
    }


def test_whatever_goes_wrong_with_the_pings_is_one_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> NoReturn:
        raise RuntimeError("canary")

    monkeypatch.setenv("PING_URL", "http://127.0.0.1:1/a")
    monkeypatch.setattr(monitor, "open_http", broken)
    ended = run_handler(ping, args={"handler": "hello"})
    assert ended.error is None
    assert [line for line in ended.logs if "was not told" in line] == [
        "the monitor of PING_URL was not told how the run goes: RuntimeError"
    ]
