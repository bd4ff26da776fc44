"""The handlers in examples/handlers do what they say."""

import importlib.util
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from job_runner.testing import Result, run_handler

FOLDER = Path(__file__).parents[2] / "examples/handlers"


def handler(name: str) -> Callable[..., Any]:
    """The function `name` of the example file `name`.py."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function: Callable[..., Any] = getattr(module, name)
    return function


def test_clean_up_counts_old_files(tmp_path: Path) -> None:
    for name, days in (("new", 0), ("old", 8), ("older", 80)):
        (tmp_path / name).touch()
        when = (tmp_path / name).stat().st_mtime - days * 86_400
        os.utime(tmp_path / name, (when, when))
    outcome = run_handler(handler("clean_up"), args={"folder": str(tmp_path), "older_than_days": 7})
    assert outcome.value == {"files": 3, "old": 2}


def test_an_import_run_twice_inserts_nothing_the_second_time(tmp_path: Path) -> None:
    arguments = {"database": str(tmp_path / "db"), "records": 250, "batch": 100}
    assert run_handler(handler("import_records"), args=arguments).value == {"inserted": 250}
    assert run_handler(handler("import_records"), args=arguments).value == {"inserted": 0}


def test_an_import_that_is_stopped_leaves_whole_batches_and_tells_their_number(tmp_path: Path) -> None:
    arguments = {"database": str(tmp_path / "db"), "records": 10**9, "batch": 100}
    outcome = run_handler(handler("import_records"), args=arguments, cancel_after=0.3)
    assert outcome.result is Result.CANCELLED
    with sqlite3.connect(tmp_path / "db") as database:
        count = database.execute("SELECT count(*) FROM record").fetchone()[0]
    assert count > 0
    assert count % 100 == 0
    assert outcome.value == {"inserted": count}


@pytest.mark.parametrize("arguments", [{}, {"database": "x", "batch": 0}, {"database": "x", "rows": 1}])
def test_an_import_refuses_wrong_arguments(arguments: dict[str, Any]) -> None:
    assert run_handler(handler("import_records"), args=arguments).exit_code == 65


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(503 if self.path == "/down" else 200)
        self.end_headers()
        self.wfile.write(b"all is well")

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def site() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_page_is_checked(site: str) -> None:
    check = handler("check_page")
    assert run_handler(check, args={"url": f"{site}/", "expect": "well"}).value == {
        "status": 200,
        "bytes": 11,
    }
    assert run_handler(check, args={"url": f"{site}/", "expect": "ill"}).exit_code == 65
    assert run_handler(check, args={"url": f"{site}/down"}).exit_code == 69
    assert run_handler(check, args={"url": "http://127.0.0.1:1/"}).exit_code == 69
    assert run_handler(check, args={"url": "ftp://x"}).exit_code == 65
