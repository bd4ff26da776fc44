"""The servers that examples are tried on: what they answer, and what goes wrong when it is asked for."""

from __future__ import annotations

import smtplib
import time
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import httpx
import pytest

from tests.servers.sample_api import SampleApi
from tests.servers.smtp_sink import SmtpSink

BOTS: dict[str, Any] = {
    "items": [{"id": f"b{number}", "status": "up" if number % 2 else "down"} for number in range(1, 6)],
    "actions": {"restart": {"status": "up"}},
}
PATTERN = {"id": "t-{n}", "rank": "{n}", "name": "token {n}"}


@pytest.fixture
def api(sample_api: SampleApi) -> Iterator[httpx.Client]:
    """Five bots, and two thousand tokens that are made up."""
    sample_api.serve(bots=BOTS, tokens={"generate": {"count": 2000, "item": PATTERN}})
    with httpx.Client(base_url=sample_api.url) as client:
        yield client


def ids(answer: httpx.Response) -> list[str]:
    return [item["id"] for item in answer.json()["items"]]


@pytest.mark.parametrize(
    "query", ["limit=2&offset=2", "limit=2&cursor=at-2", "limit=2&page=2"], ids=["offset", "cursor", "page"]
)
def test_a_page_says_how_many_there_are_and_where_the_next_one_is(query: str, api: httpx.Client) -> None:
    page = api.get(f"/v1/bots?{query}")
    assert ids(page) == ["b3", "b4"]
    assert (page.json()["total"], page.json()["cursor"]) == (5, "at-4")
    last = api.get(page.json()["next"])
    assert ids(last) == ["b5"]
    assert (last.json()["next"], last.json()["cursor"]) == (None, None)


def test_items_are_chosen_by_their_fields(api: httpx.Client) -> None:
    page = api.get("/v1/bots?status=up&limit=2")
    assert (ids(page), page.json()["total"]) == (["b1", "b3"], 3)
    assert ids(api.get(page.json()["next"])) == ["b5"]


def test_items_are_changed_added_and_acted_upon(api: httpx.Client) -> None:
    assert api.patch("/v1/bots/b2", json={"seen": 1}).json() == {"id": "b2", "status": "down", "seen": 1}
    assert api.post("/v1/bots/b2/restart").json()["status"] == "up"
    assert api.get("/v1/bots/b2").json() == {"id": "b2", "status": "up", "seen": 1}
    assert api.post("/v1/bots", json={"id": "b6"}).status_code == 201
    assert api.get("/v1/bots").json()["total"] == 6
    assert api.post("/reset").is_success
    assert api.get("/v1/bots").json()["total"] == 5
    refused = [api.post("/v1/bots/b2/kill"), api.get("/v1/bots/b9"), api.get("/v1/nothing")]
    assert [answer.status_code for answer in refused] == [404] * 3


def test_items_are_made_up_while_they_are_read(api: httpx.Client) -> None:
    page = api.get("/v1/tokens?limit=1500&offset=1000")
    assert len(page.json()["items"]) == 1000
    assert page.json()["items"][0] == {"id": "t-1001", "rank": 1001, "name": "token 1001"}
    assert api.get("/v1/tokens/t-7").json()["rank"] == 7
    lines = api.get("/v1/tokens.ndjson").text.splitlines()
    assert (len(lines), lines[-1]) == (2000, '{"id": "t-2000", "rank": 2000, "name": "token 2000"}')


def test_a_fault_comes_when_and_as_often_as_it_was_asked_for(
    api: httpx.Client, sample_api: SampleApi
) -> None:
    sample_api.fail(path="/v1/bots", query="limit=1", after=1, times=2, status=503, retry_after=4)
    answers = [api.get("/v1/bots?limit=1") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 503, 503, 200]
    assert answers[1].headers["Retry-After"] == "4"
    assert api.get("/v1/bots?limit=2").status_code == 200
    assert [each["status"] for each in sample_api.requests()] == [200, 503, 503, 200, 200]


def test_an_answer_ends_half_way(api: httpx.Client, sample_api: SampleApi) -> None:
    sample_api.fail(cut_after_bytes=50)
    for path in ("/v1/bots", "/v1/tokens.ndjson"):
        with pytest.raises(httpx.RemoteProtocolError):
            api.get(path)


def test_an_answer_is_late(api: httpx.Client, sample_api: SampleApi) -> None:
    sample_api.fail(delay_seconds=0.2, times=1)
    began = time.monotonic()
    assert api.get("/v1/bots").is_success
    assert time.monotonic() - began >= 0.2


def test_a_record_is_bad_wherever_it_is_read(api: httpx.Client, sample_api: SampleApi) -> None:
    sample_api.fail(path="/v1/tokens", replace_item=1200, **{"with": {"id": None}})
    assert api.get("/v1/tokens?limit=100&offset=1200").json()["items"][0] == {"id": None}
    assert api.get("/v1/tokens.ndjson").text.splitlines()[1200] == '{"id": null}'
    assert api.get("/v1/tokens?limit=1&offset=1201").json()["items"][0]["rank"] == 1202


@pytest.mark.parametrize("content", [b"{", b'{"colour": "blue"}'], ids=["no JSON", "no such field"])
def test_a_fault_that_there_is_none_of_is_refused(content: bytes, api: httpx.Client) -> None:
    assert api.post("/faults", content=content).status_code == 400


def mail() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = (
        "a@example.com",
        "b@example.com, c@example.com",
        "Grüße",
    )
    message.set_content("viel Spaß\n")
    return message


def handed_over(sink: SmtpSink) -> Any:
    """What smtplib makes of handing a mail over."""
    try:
        with smtplib.SMTP("127.0.0.1", sink.port) as server:
            return server.send_message(mail())
    except smtplib.SMTPException as error:
        return type(error)


def test_a_mail_is_kept_as_it_came(smtp_sink: SmtpSink) -> None:
    assert handed_over(smtp_sink) == {}
    [kept] = smtp_sink.mails()
    assert (kept["sender"], kept["recipients"]) == ("a@example.com", ["b@example.com", "c@example.com"])
    [message] = smtp_sink.messages()
    assert (message["Subject"], message.get_content()) == ("Grüße", "viel Spaß\r\n")


def test_one_recipient_is_refused(smtp_sink: SmtpSink) -> None:
    smtp_sink.fail(recipient="b@example.com", code=552)
    assert handed_over(smtp_sink) == {"b@example.com": (552, b"this address takes no mail")}
    assert smtp_sink.mails()[0]["recipients"] == ["c@example.com"]


@pytest.mark.parametrize("keep", [False, True])
def test_the_server_hangs_up_with_the_mail_or_without(keep: bool, smtp_sink: SmtpSink) -> None:
    smtp_sink.fail(disconnect=True, keep=keep, times=1)
    assert handed_over(smtp_sink) is smtplib.SMTPServerDisconnected
    assert len(smtp_sink.mails()) == keep
    assert handed_over(smtp_sink) == {}


def test_a_mail_is_put_off(smtp_sink: SmtpSink) -> None:
    smtp_sink.fail(code=451, times=1)
    assert handed_over(smtp_sink) is smtplib.SMTPDataError
    assert smtp_sink.mails() == []
