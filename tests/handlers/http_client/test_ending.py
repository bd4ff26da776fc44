"""A run that is over waits for no answer."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from job_runner import Cancelled, Context
from job_runner.connections.http_client import HttpClient, open_http
from job_runner.testing import Result
from tests.handlers.cancelling import cancelled_when
from tests.handlers.http_client.requesting import outcome, status
from tests.handlers.web_server import Answer, WebServer


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
