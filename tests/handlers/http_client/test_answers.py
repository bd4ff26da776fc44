"""Answers are whole, small enough and what they say they are."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import pytest

from job_runner.connections.http_client import HttpClient
from tests.handlers.http_client.requesting import error, outcome, place, status
from tests.handlers.web_server import Answer, WebServer


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
