"""No secret and no argument leaves a run of the handlers that come along: not in any log, error or result.

Every run has the most talkative log level, and its variables and arguments are full of canaries.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.handlers.mail_server import MailServer, mail_server
from tests.handlers.web_server import Answer, WebServer, make_certificate, web_server
from tests.runner.process import Ended, Runner
from tests.servers.process import free_port

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")

USER, PASSWORD, WRITTEN = "canaryuser7", "canary/pass!7", "canary%2Fpass%217"
TOKEN, HEADER, TEXT = "canarytoken-9f3c7a21", "canaryheader-55aa", "canarytext-77bb"
QUERY = "canaryquery-31ce"
CANARIES = [
    *(USER, PASSWORD, WRITTEN, TOKEN, HEADER, TEXT, QUERY),
    base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode(),
    base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode(),
    "canary",
]
ANSWERED = f'{{"said": "{TEXT}"}}'.encode()


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    runner = Runner(tmp_path)
    yield runner
    runner.close()


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    with web_server() as server:
        yield server


@pytest.fixture(scope="module")
def mail() -> Iterator[MailServer]:
    with mail_server(user=USER, password=PASSWORD) as server:
        yield server


def run(runner: Runner, name: str, arguments: dict[str, Any], **variables: str) -> Ended:
    env = {"SCHEDULEDJOB_LOG_LEVEL": "DEBUG", "SCHEDULEDJOB_ARGS": json.dumps(arguments), **variables}
    return runner.run("run", name, env=env)


def assert_silent(ended: Ended, *, but: str = "") -> None:
    said = "\n".join([*ended.lines, ended.errors, json.dumps(ended.message, ensure_ascii=False)])
    if but:
        said = said.replace(but, "")
    found = [canary for canary in CANARIES if canary in said]
    assert not found, said


def url(port: int, *, scheme: str = "http") -> str:
    return f"{scheme}://{USER}:{WRITTEN}@127.0.0.1:{port}/v1/{TOKEN}?key={QUERY}"


HTTP: dict[str, tuple[Answer | None, int]] = {
    "success": (Answer(body=ANSWERED, headers={"Set-Cookie": f"session={TEXT}", "X-Said": TEXT}), 0),
    "a wrong request": (Answer(400, body=ANSWERED), 65),
    "a wrong password": (Answer(401, body=ANSWERED, headers={"WWW-Authenticate": f"Basic {TEXT}"}), 78),
    "too many requests": (Answer(429, body=ANSWERED, headers={"Retry-After": "0"}), 75),
    "a server's failure": (Answer(500, body=ANSWERED), 69),
    "a redirect": (Answer(301, headers={"Location": f"http://{USER}:{WRITTEN}@elsewhere/{TOKEN}"}), 65),
    "a connection that breaks": (Answer(body=ANSWERED, cut=True), 69),
    "no connection": (None, 69),
    "a header that is none": (Answer(headers={"Content-Encoding": "gzip"}, body=ANSWERED), 65),
}


@pytest.mark.parametrize("by", ["variable", "argument"])
@pytest.mark.parametrize("name", HTTP)
def test_http_says_nothing_on(runner: Runner, web: WebServer, name: str, by: str) -> None:
    answer, exit_code = HTTP[name]
    if answer is not None:
        web.answers = [answer]
    port = free_port() if answer is None else web.port
    arguments: dict[str, Any] = {
        "method": "POST",
        "headers": {"X-Plain": HEADER},
        "header_variables": {"Authorization": "API_TOKEN"},
        "body": {"text": TEXT},
        "attempts": 2,
    }
    variables = {"API_TOKEN": f"Bearer {HEADER}"}
    if by == "variable":
        ended = run(runner, "http", {**arguments, "url_variable": "API_URL"}, **variables, API_URL=url(port))
    else:
        plain = f"http://127.0.0.1:{port}/v1?key={QUERY}"
        ended = run(runner, "http", {**arguments, "url": plain}, **variables)
    assert ended.exit_code == exit_code
    assert_silent(ended)


@pytest.mark.parametrize(
    "arguments",
    [
        {"url": f"http://{USER}:{WRITTEN}@127.0.0.1/"},
        {"url": f"htp://{TOKEN}"},
        {"url": f"http://[{TOKEN}"},
        {"url": f"http://127.0.0.1:port/{TOKEN}"},
        {"url_variable": f"http://{USER}:{WRITTEN}@127.0.0.1/"},
        {"url": "http://127.0.0.1", "headers": {"X-Key": f"{HEADER}\n"}},
        {"url": "http://127.0.0.1", "header_variables": {"X-Key": "TWO_LINES"}},
        {"url": "http://127.0.0.1", "header_variables": {"X-Key": "BEYOND_ASCII"}},
        {"url": f"http://127.0.0.1/{TOKEN}", "timeout": TEXT},
    ],
)
def test_http_does_not_quote_what_it_refuses(runner: Runner, arguments: dict[str, Any]) -> None:
    ended = run(runner, "http", arguments, TWO_LINES=f"{HEADER}\n{TOKEN}", BEYOND_ASCII=f"{HEADER}ü")
    assert ended.exit_code in (65, 78)
    assert_silent(ended)


def test_http_does_not_quote_a_certificate_it_does_not_trust(runner: Runner, tmp_path: Path) -> None:
    with web_server(make_certificate(tmp_path)) as server:
        ended = run(runner, "http", {"url_variable": "API_URL"}, API_URL=url(server.port, scheme="https"))
    assert ended.exit_code == 78
    assert_silent(ended)


MAIL: dict[str, tuple[dict[str, Any], int]] = {
    "success": ({}, 0),
    "refused recipients": ({"recipients": {f"{TEXT}@example.com": f"550 5.1.1 no {TEXT} here"}}, 65),
    "a refused sender": ({"sender": f"553 5.7.1 not you, {TEXT}"}, 65),
    "a refused message": ({"message": f"554 5.6.0 spam: {TEXT}"}, 65),
    "a busy server": ({"message": f"451 4.3.0 {TEXT} later"}, 75),
    "a connection that breaks": ({"message": ""}, 69),
    "a wrong password": ({"password": "another"}, 78),
}


@pytest.mark.parametrize("name", MAIL)
def test_send_mail_says_nothing_on(runner: Runner, mail: MailServer, name: str) -> None:
    settings, exit_code = MAIL[name]
    before = dict(vars(mail))
    vars(mail).update(settings)
    try:
        ended = run(
            runner,
            "send_mail",
            {
                "to": [f"Ann {TEXT} <{TEXT}@example.com>"],
                "sender": f"{HEADER}@example.com",
                "subject": TEXT,
                "text": TEXT,
            },
            SMTP_URL=f"smtp://{USER}:{WRITTEN}@127.0.0.1:{mail.port}",
        )
    finally:
        vars(mail).update(before)
    assert ended.exit_code == exit_code
    assert_silent(ended)


@pytest.mark.parametrize(
    "address",
    [
        f"smtp://{USER}:{WRITTEN}@127.0.0.1:1/",
        f"smtp://{USER}:{PASSWORD}@127.0.0.1:25/",
        f"smtp://{USER}:{WRITTEN}@{TOKEN}.invalid",
        f"smtp://{USER}:{WRITTEN}@127.0.0.1:25?token={TOKEN}",
        f"http://{USER}:{WRITTEN}@127.0.0.1",
    ],
)
def test_send_mail_does_not_quote_an_address_that_it_cannot_use(runner: Runner, address: str) -> None:
    arguments = {"to": ["ann@example.com"], "sender": "a@example.com", "subject": TEXT, "text": TEXT}
    ended = run(runner, "send_mail", arguments, SMTP_URL=address)
    assert ended.exit_code in (69, 78)
    assert_silent(ended, but=f"{TOKEN}.invalid")


@pytest.mark.parametrize("answer", [Answer(), Answer(404, body=ANSWERED), Answer(0, cut=True), None])
@pytest.mark.parametrize("inner", ["hello", "fail", "nobody"])
def test_ping_says_nothing(runner: Runner, web: WebServer, inner: str, answer: Answer | None) -> None:
    if answer is not None:
        web.answers = [answer]
    address = url(free_port() if answer is None else web.port)
    arguments = {"handler": inner, "handler_args": {"exit_code": 3} if inner == "fail" else {"nam": TEXT}}
    assert_silent(run(runner, "ping", arguments, PING_URL=address))


@pytest.mark.parametrize(
    ("command", "exit_code"),
    [
        (["false", TEXT], 1),
        ([f"/no/{TEXT}"], 78),
        (["/bin/sh", "-c", f": {TEXT}; echo $API_TOKEN; echo $API_URL >&2; exit 4"], 4),
        (["/bin/sh", "-c", f": {TEXT}; kill -9 $$"], 137),
        ([f"nul\0{TEXT}"], 65),
    ],
)
def test_command_says_nothing_but_what_its_program_does(
    runner: Runner, command: list[str], exit_code: int
) -> None:
    ended = run(runner, "command", {"command": command}, API_TOKEN=HEADER, API_URL=url(1))
    assert ended.exit_code == exit_code
    assert_silent(ended)
