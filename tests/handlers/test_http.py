"""The handler `http`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from job_runner.handlers.http import http
from job_runner.testing import Outcome, run_handler
from tests.handlers.web_server import Answer, WebServer, web_server


@pytest.fixture
def web() -> Iterator[WebServer]:
    with web_server() as server:
        yield server


def run(**arguments: Any) -> Outcome:
    return run_handler(http, args=arguments, timeout=30)


def value(ended: Outcome) -> dict[str, Any]:
    assert isinstance(ended.value, dict), ended
    return ended.value


def text(ended: Outcome) -> str:
    assert ended.error is not None, ended
    return ended.error.message


def test_the_result_says_what_was_answered_and_not_its_content(web: WebServer) -> None:
    web.answers = [Answer(503, headers={"Retry-After": "0"}), Answer(201, body=b'{"id": 5}')]
    ended = run(url=f"{web.url}/v1/refresh", method="post", body={"all": True}, headers={"X-Team": "data"})
    seconds = value(ended)["seconds"]
    assert 0 <= seconds < 30
    assert value(ended) == {"status": 201, "bytes": 9, "attempts": 2, "seconds": seconds}
    assert [(one.method, one.path) for one in web.requests] == [("POST", "/v1/refresh")] * 2
    assert json.loads(web.requests[0].body) == {"all": True}
    assert web.requests[0].headers["X-Team"] == "data"
    assert web.requests[0].headers["Content-Type"] == "application/json"


def test_a_body_can_be_text(web: WebServer) -> None:
    assert run(url=web.url, method="PUT", text="größer").exit_code == 0
    assert web.requests[0].body == "größer".encode()


def test_address_and_headers_come_from_variables(web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_URL", f"{web.url}/v1\n")
    monkeypatch.setenv("API_TOKEN", "Bearer 123\n")
    assert run(url_variable="API_URL", header_variables={"Authorization": "API_TOKEN"}).exit_code == 0
    assert web.requests[0].path == "/v1"
    assert web.requests[0].headers["Authorization"] == "Bearer 123"


@pytest.mark.parametrize(("status", "exit_code"), [(404, 0), (410, 0), (200, 65)])
def test_which_statuses_are_fine_can_be_said(web: WebServer, status: int, exit_code: int) -> None:
    web.answers = [Answer(status)]
    assert run(url=web.url, method="DELETE", expected_status=[404, 410]).exit_code == exit_code


def test_an_expected_503_is_no_reason_to_ask_again(web: WebServer) -> None:
    web.answers = [Answer(503)]
    assert value(run(url=web.url, expected_status=[503]))["attempts"] == 1


@pytest.mark.parametrize(
    ("body", "kept", "line"),
    [
        (b'{"rows": [1, 2]}', {"rows": [1, 2]}, None),
        (b"null", None, None),
        (b"<html>", ..., "the body is left out: it is not JSON"),
        (b'"' + b"x" * 3000 + b'"', ..., "the body is left out: it has more than 2000 bytes"),
    ],
)
def test_a_small_body_is_kept_when_that_is_asked_for(
    web: WebServer, body: bytes, kept: object, line: str | None
) -> None:
    web.answers = [Answer(body=body)]
    ended = run(url=web.url, keep_body=True)
    assert ended.exit_code == 0
    assert value(ended).get("body", ...) == kept
    assert ended.logs == ([line] if line else [])


WRONG: dict[str, dict[str, Any]] = {
    "give url or url_variable": {},
    "give url or url_variable, not both": {"url": "http://a", "url_variable": "A_URL"},
    "the url is no address: ": {"url": "http://[::1"},
    "the url holds a user or a password: ": {"url": "http://user:secret@a"},
    "give body, which is sent as JSON, or text, not both": {"url": "http://a", "body": {}, "text": ""},
    "body is no JSON: ": {"url": "http://a", "body": [float("nan")]},
    "method is none of HTTP: ": {"url": "http://a", "method": "GET /"},
    "timeout is not above 0: ": {"url": "http://a", "timeout": 0},
    "attempts is below 1": {"url": "http://a", "attempts": 0},
    "args.retries: ": {"url": "http://a", "retries": 3},
}


@pytest.mark.parametrize("sentence", WRONG)
def test_wrong_arguments_are_named_in_a_sentence(sentence: str) -> None:
    ended = run(**WRONG[sentence])
    assert ended.exit_code == 65
    assert text(ended).startswith(sentence)


@pytest.mark.parametrize(
    "arguments", [{"url_variable": "API_URL"}, {"url": "http://a", "header_variables": {"K": "API_URL"}}]
)
def test_a_variable_that_is_missing_is_named(arguments: dict[str, Any]) -> None:
    ended = run(**arguments)
    assert ended.exit_code == 78
    assert text(ended) == (
        "the variable API_URL is not set: take it from a Secret with env.valueFrom.secretKeyRef"
    )


def test_a_secret_in_place_of_a_variables_name_is_not_quoted() -> None:
    ended = run(url_variable="https://hooks.example.com/T01/secret")
    assert ended.exit_code == 78
    assert text(ended) == "give the name of a variable, such as DATABASE_URL, and not its value"


def test_failures_of_an_address_from_a_variable_do_not_name_it(
    web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.answers = [Answer(404)]
    monkeypatch.setenv("HOOK_URL", f"{web.url}/services/a/b")
    assert text(run(url_variable="HOOK_URL")) == "GET HOOK_URL: answered 404 Not Found"
