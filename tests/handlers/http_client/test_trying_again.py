"""Which failures are tried again, when, and what becomes of the others."""

from __future__ import annotations

import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tests.handlers.http_client.requesting import error, outcome, place, status
from tests.handlers.web_server import Answer, WebServer


def unused_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


FINAL = {
    400: ("DataError", 65, "400 Bad Request"),
    401: ("ConfigurationError", 78, "401 Unauthorized"),
    403: ("ConfigurationError", 78, "403 Forbidden"),
    404: ("ConfigurationError", 78, "404 Not Found"),
    500: ("Unavailable", 69, "500 Internal Server Error"),
    302: ("DataError", 65, "302 Found: give the address that it leads to"),
    299: ("", 0, ""),
    599: ("Unavailable", 69, "599"),
}


@pytest.mark.parametrize("code", FINAL)
def test_a_status_that_no_repetition_changes_is_asked_for_once(web: WebServer, code: int) -> None:
    web.answers = [Answer(code)]
    ended = outcome(web.url, status(path="/a?key=secret"))
    kind, exit_code, text = FINAL[code]
    assert ended.exit_code == exit_code
    if kind:
        assert error(ended) == f"{kind}: {place(web, path='/a')}: answered {text}"
    assert len(web.requests) == 1


@pytest.mark.parametrize(("code", "kind", "exit_code"), [(429, "TryAgain", 75), (503, "Unavailable", 69)])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_busy_server_is_asked_again_with_any_method(
    web: WebServer, method: str, code: int, kind: str, exit_code: int
) -> None:
    web.answers = [Answer(code, headers={"Retry-After": "0"})]
    ended = outcome(web.url, status(method))
    assert ended.exit_code == exit_code
    assert error(ended).startswith(f"{kind}: {place(web, method)}: answered {code} ")
    assert error(ended).endswith("(4 attempts)")
    assert len(web.requests) == 4


@pytest.mark.parametrize("code", [502, 504])
@pytest.mark.parametrize(("method", "times"), [("GET", 2), ("DELETE", 2), ("POST", 1), ("PATCH", 1)])
def test_a_gateways_failure_is_tried_again_only_where_repeating_is_safe(
    web: WebServer, code: int, method: str, times: int
) -> None:
    web.answers = [Answer(code)]
    assert outcome(web.url, status(method), attempts=2).exit_code == 69
    assert len(web.requests) == times


def test_a_success_after_failures_is_a_success(web: WebServer) -> None:
    web.answers = [Answer(503), Answer(cut=True), Answer(0, cut=True), Answer()]
    ended = outcome(web.url, lambda client, url: client.request("GET", url).extensions["attempts"])
    assert ended.value == 4
    assert len([line for line in ended.logs if ", trying again in " in line]) == 3


def test_retry_after_is_waited_for_in_seconds_and_until_a_date(web: WebServer) -> None:
    moment = datetime.now(tz=UTC) + timedelta(seconds=3)
    web.answers = [
        Answer(429, headers={"Retry-After": "1"}),
        Answer(503, headers={"Retry-After": format_datetime(moment, usegmt=True)}),
        Answer(),
    ]
    started = time.monotonic()
    assert outcome(web.url, status()).value == 200
    assert 1.9 <= time.monotonic() - started < 10


@pytest.mark.parametrize("code", [429, 503])
def test_a_long_retry_after_is_left_to_the_next_attempt_of_the_job(web: WebServer, code: int) -> None:
    web.answers = [Answer(code, headers={"Retry-After": "3600"})]
    ended = outcome(web.url, status(), run_timeout=7200)
    assert ended.exit_code == 75
    assert error(ended).endswith(", to be asked again in 3600 s")
    assert len(web.requests) == 1


@pytest.mark.parametrize("text", ["", "soon", "Fri, 31 Dec 1999 23:59:59 +99999999999999999999"])
def test_a_retry_after_that_is_none_does_not_matter(web: WebServer, text: str) -> None:
    web.answers = [Answer(503, headers={"Retry-After": text}), Answer()]
    assert outcome(web.url, status()).value == 200


def test_a_retry_after_beyond_the_end_of_the_run_is_not_waited_for(web: WebServer) -> None:
    web.answers = [Answer(429, headers={"Retry-After": "50"})]
    ended = outcome(web.url, status(), run_timeout=20)
    assert ended.exit_code == 75
    assert ended.duration_seconds < 15
    assert len(web.requests) == 1


@pytest.mark.parametrize(("method", "times"), [("GET", 2), ("POST", 1)])
def test_a_connection_that_breaks_is_unavailable(web: WebServer, method: str, times: int) -> None:
    for answer in (Answer(cut=True), Answer(0, cut=True)):
        web.answers, web.requests = [answer], []
        ended = outcome(web.url, status(method), attempts=2)
        assert error(ended).startswith(f"Unavailable: {place(web, method)}: the connection broke")
        assert len(web.requests) == times


def test_a_request_that_never_reached_the_server_is_tried_again_with_any_method() -> None:
    port = unused_port()
    ended = outcome(f"http://127.0.0.1:{port}", status("POST"), attempts=2)
    assert error(ended) == (
        f"Unavailable: POST 127.0.0.1:{port}/: no connection: Connection refused (2 attempts)"
    )
    assert ended.exit_code == 69


def test_an_unknown_host_is_unavailable() -> None:
    ended = outcome("http://nowhere.invalid", status(), attempts=1)
    assert error(ended) == "Unavailable: GET nowhere.invalid/: no connection: there is no host of this name"


@pytest.mark.parametrize(("method", "times"), [("GET", 2), ("POST", 1)])
def test_no_answer_in_time_is_unavailable(web: WebServer, method: str, times: int) -> None:
    over = threading.Event()
    web.answers = [Answer(delay=over)]
    ended = outcome(web.url, status(method), attempts=2, timeout=0.5)
    over.set()
    assert error(ended).startswith(f"Unavailable: {place(web, method)}: no answer in time")
    assert len(web.requests) == times


def test_an_answer_that_comes_drop_by_drop_is_cut_off(web: WebServer) -> None:
    web.answers = [Answer(body=b"x" * 1000, drops=0.1)]
    ended = outcome(web.url, status(), attempts=1, timeout=1.0)
    assert error(ended) == f"Unavailable: {place(web)}: no answer in time"
    assert ended.duration_seconds < 20
