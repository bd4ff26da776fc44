"""Requests of handlers: what is tried again, what a failure becomes, and how long any of it may take."""

from __future__ import annotations

import gzip
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from job_runner import Cancelled, Context
from job_runner.connections.http_client import HttpClient, open_http
from job_runner.testing import Outcome, Result, run_handler
from tests.handlers.cancelling import cancelled_when
from tests.handlers.web_server import Answer, WebServer, make_certificate, web_server

Use = Callable[[HttpClient, str], Any]


@pytest.fixture
def web() -> Iterator[WebServer]:
    with web_server() as server:
        yield server


def outcome(
    url: str, use: Use, *, run_timeout: float = 30.0, cancel_after: float | None = None, **options: Any
) -> Outcome:
    """How a handler ends that opens a client with the options, and uses it."""

    def it(context: Context) -> Any:
        with open_http(context, **options) as client:
            return use(client, url)

    return run_handler(it, timeout=run_timeout, cancel_after=cancel_after)


def status(method: str = "GET", path: str = "/", **arguments: Any) -> Use:
    return lambda client, url: client.request(method, url + path, **arguments).status_code


def error(ended: Outcome) -> str:
    assert ended.error is not None, ended
    return f"{ended.error.type}: {ended.error.message}"


def place(web: WebServer, method: str = "GET", path: str = "/") -> str:
    return f"{method} 127.0.0.1:{web.port}{path}"


def unused_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def test_the_answer_is_whole_and_decompressed(web: WebServer) -> None:
    web.answers = [
        Answer(body=gzip.compress(b"[1, 2]"), headers={"Content-Encoding": "gzip", "X-Kept": "yes"})
    ]

    def use(client: HttpClient, url: str) -> Any:
        response = client.request("GET", url)
        return [response.json(), response.headers["X-Kept"], response.extensions["attempts"]]

    assert outcome(web.url, use).value == [[1, 2], "yes", 1]


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b"[1,") + gzip.compress(b"2]")),
        ("gzip", gzip.compress(b"[1,2]") + b"\0\0\n"),
        ("deflate", zlib.compress(b"[1,2]")),
        ("utf-8", b"[1,2]"),
        ("GZIP, identity", gzip.compress(b"[1,2]")),
    ],
)
def test_what_is_not_too_unusual_is_read(web: WebServer, encoding: str, body: bytes) -> None:
    web.answers = [Answer(body=body, headers={"Content-Encoding": encoding})]
    assert outcome(web.url, lambda client, url: client.get_json(url)).value == [1, 2]
    assert web.requests[0].headers["Accept-Encoding"] == "gzip"


def test_a_small_answer_never_becomes_a_large_one_in_memory(web: WebServer) -> None:
    """A compressed text of a thousandth of its size, and one of it again."""
    once = gzip.compress(bytes(100 * 2**20))
    answers = [
        Answer(body=once, headers={"Content-Encoding": "gzip"}),
        Answer(body=gzip.compress(once), headers={"Content-Encoding": "gzip, gzip"}),
    ]

    def largest(client: HttpClient, url: str) -> int:
        with client.stream("GET", url) as response:
            return max(len(piece) for piece in response.iter_bytes())

    web.answers = answers[:1]
    assert outcome(web.url, largest).value == 65536
    web.answers = answers[1:]
    for use in (status(), largest):
        assert error(outcome(web.url, use, max_bytes=1000)) == (
            f"DataError: {place(web)}: the answer is not compressed in the way it says, or was asked for"
        )


def test_a_base_address_headers_and_a_query_are_sent(web: WebServer) -> None:
    ended = outcome(
        web.url,
        lambda client, _: client.get_json("/tokens", params={"limit": 5}),
        base_url=f"{web.url}/v1",
        headers={"X-Api-Key": "k"},
    )
    assert ended.value == {}
    assert web.requests[0].path == "/v1/tokens?limit=5"
    assert web.requests[0].headers["X-Api-Key"] == "k"


def test_a_header_of_ones_own_takes_the_place_of_ours(web: WebServer) -> None:
    outcome(web.url, status(), headers={"accept-encoding": "identity"})
    assert [
        value for name, value in web.requests[0].headers.items() if name.lower() == "accept-encoding"
    ] == ["identity"]


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


@pytest.mark.parametrize("compressed", [False, True])
def test_an_answer_that_is_too_large_is_not_read_to_its_end(web: WebServer, compressed: bool) -> None:
    body = b"0" * 3_000_000
    headers = {"Content-Encoding": "gzip"} if compressed else {}
    web.answers = [Answer(body=gzip.compress(body) if compressed else body, headers=headers)]
    ended = outcome(web.url, status(), max_bytes=100_000)
    assert ended.exit_code == 65
    assert error(ended) == f"DataError: {place(web)}: the answer is larger than 100000 bytes"


def test_what_is_not_what_it_says_is_a_data_error(web: WebServer) -> None:
    web.answers = [
        Answer(body=b"<html>secret</html>"),
        Answer(body=b"[" * 100_000),
        Answer(body=b"plain", headers={"Content-Encoding": "gzip"}),
        Answer(body=gzip.compress(b"[1, 2]")[:-9], headers={"Content-Encoding": "gzip"}),
        Answer(body=b"plain", headers={"Content-Encoding": "br"}),
    ]
    texts = [error(outcome(web.url, lambda client, url: client.get_json(url))) for _ in range(5)]
    assert texts == [
        f"DataError: {place(web)}: the answer is not JSON",
        f"DataError: {place(web)}: the answer is not JSON",
        *[f"DataError: {place(web)}: the answer is not compressed in the way it says, or was asked for"] * 3,
    ]


def test_lines_of_a_stream_come_as_they_are_sent(web: WebServer) -> None:
    web.answers = [Answer(503, headers={"Retry-After": "0"}), Answer(body=b'{"a": 1}\n{"a": 2}\n' * 500)]

    def use(client: HttpClient, url: str) -> int:
        with client.stream("GET", url, params={"format": "ndjson"}) as response:
            return sum(1 for _ in response.iter_lines())

    assert outcome(web.url, use, max_bytes=10).value == 1000


def test_a_stream_that_breaks_off_is_unavailable(web: WebServer) -> None:
    web.answers = [Answer(body=b"1\n2\n3\n4", cut=True)]
    seen: list[str] = []

    def use(client: HttpClient, url: str) -> None:
        with client.stream("GET", f"{url}/x?key=secret") as response:
            seen.extend(response.iter_lines())

    ended = outcome(web.url, use)
    assert error(ended) == f"Unavailable: {place(web, path='/x')}: the connection broke"
    assert seen == ["1", "2", "3"]
    assert len(web.requests) == 1


def test_a_run_that_is_over_waits_for_no_answer_and_no_further_attempt(web: WebServer) -> None:
    over = threading.Event()
    web.answers = [Answer(delay=over)]
    ended = outcome(web.url, status(), cancel_after=0.5)
    assert ended.result is Result.CANCELLED
    assert ended.duration_seconds < 8
    web.answers = [Answer(503, headers={"Retry-After": "20"})]
    ended = outcome(web.url, status(), cancel_after=0.5)
    over.set()
    assert ended.result is Result.CANCELLED
    assert ended.duration_seconds < 8


def test_a_run_whose_time_is_up_has_timed_out_and_not_failed_for_the_answer(web: WebServer) -> None:
    over = threading.Event()
    web.answers = [Answer(delay=over)]
    ended = outcome(web.url, status(), run_timeout=1.0)
    over.set()
    assert ended.result is Result.TIMED_OUT
    assert ended.error is not None
    assert ended.error.type == "TimedOut"


def test_a_handler_that_cleans_up_can_still_make_a_request(web: WebServer) -> None:
    over = threading.Event()
    web.answers = [Answer(delay=over), Answer(201)]

    def it(context: Context) -> int:
        with open_http(context) as client:
            try:
                client.request("GET", web.url)
            except Cancelled:
                return client.request("DELETE", web.url).status_code
        return 0

    ended = cancelled_when(lambda: web.requests, it)
    over.set()
    assert ended.result is Result.CANCELLED
    assert ended.value == 201


def test_threads_share_a_client_and_do_not_outlast_the_run(web: WebServer) -> None:
    web.answers = [Answer(body=b"7")]

    def all_of(client: HttpClient, url: str) -> int:
        with ThreadPoolExecutor(8) as pool:
            return sum(pool.map(client.get_json, [f"{url}/{number}" for number in range(50)]))

    assert outcome(web.url, all_of).value == 350
    web.answers = [Answer(503, headers={"Retry-After": "20"})]
    ended = outcome(web.url, all_of, cancel_after=0.5)
    assert ended.result is Result.CANCELLED
    assert ended.duration_seconds < 8


@pytest.mark.parametrize(
    ("url", "headers", "text"),
    [
        ("example.com/v1", {}, "that is no address: write for instance https://host/path"),
        ("ftp://example.com", {}, "that is no address: write for instance https://host/path"),
        ("http://[::1", {}, "that is no address: write for instance https://host/path"),
        ("http://127.0.0.1", {"X-Key": "sec\r\nret"}, "header X-Key cannot be sent: "),
        ("http://127.0.0.1", {"X-Key": "s€cret"}, "header X-Key cannot be sent: "),
        ("http://127.0.0.1", {"X Key": "secret"}, "'X Key' is no name of a header: "),
    ],
)
def test_what_cannot_be_sent_is_a_setting_that_is_wrong(url: str, headers: dict[str, str], text: str) -> None:
    ended = outcome(url, status(path="", headers=headers))
    assert ended.exit_code == 78
    assert text in error(ended)
    assert "sec" not in error(ended)


def test_a_label_stands_for_an_address_that_is_secret(web: WebServer) -> None:
    web.answers = [Answer(404)]
    ended = outcome(web.url, status(path="/services/T01/abc"), label="HOOK_URL")
    assert error(ended) == "ConfigurationError: GET HOOK_URL: answered 404 Not Found"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return make_certificate(tmp_path)


def test_a_server_whose_certificate_nobody_vouches_for_is_not_talked_to(certificate: Path) -> None:
    with web_server(certificate) as web:
        ended = outcome(web.url, status())
        assert ended.exit_code == 78
        assert "its certificate is not trusted (self-signed certificate)" in error(ended)
        assert not web.requests


def test_an_authority_can_be_named(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with web_server(certificate) as web:
        assert outcome(web.url, status()).value == 200


def test_a_certificate_for_another_host_is_not_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_certificate(tmp_path, name="elsewhere.example.com")
    monkeypatch.setenv("SSL_CERT_FILE", str(other))
    with web_server(other) as web:
        ended = outcome(web.url, status())
    assert ended.exit_code == 78
    assert "IP address mismatch" in error(ended)


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_an_authority_that_cannot_be_read_is_a_setting_that_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    file = tmp_path / "authority.pem"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    ended = outcome("http://127.0.0.1", status())
    assert ended.exit_code == 78
    assert error(ended).startswith("ConfigurationError: the file of SSL_CERT_FILE cannot be read")


def test_a_proxys_address_that_cannot_be_used_is_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    for address in ("gopher://user:canary-password@proxy", "socks5://user:canary-password@proxy"):
        monkeypatch.setenv("HTTP_PROXY", address)
        ended = outcome("http://127.0.0.1", status())
        assert ended.exit_code == 78
        assert "HTTP_PROXY" in error(ended)
        assert "canary" not in error(ended)
