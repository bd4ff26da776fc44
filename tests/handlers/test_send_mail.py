"""The handler `send_mail`."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from job_runner import DataError
from job_runner.connections.mail_address import is_one_line, mail_address
from job_runner.handlers.send_mail import send_mail
from job_runner.testing import Outcome, run_handler
from tests.handlers.mail_server import MailServer, mail_server

GIVEN = {"to": ["ann@example.com"], "sender": "Jobs <jobs@example.com>", "subject": "Report", "text": "Well."}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    with mail_server() as server:
        monkeypatch.setenv("SMTP_URL", f"smtp://127.0.0.1:{server.port}")
        yield server


def run(**arguments: Any) -> Outcome:
    slot = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
    return run_handler(send_mail, args={**GIVEN, **arguments}, slot=slot, timeout=30)


def received(server: MailServer) -> EmailMessage:
    content = server.mails[-1].original_content
    assert isinstance(content, bytes)
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def error(ended: Outcome) -> str:
    assert ended.error is not None, ended
    return ended.error.message


def test_a_mail_arrives_with_all_it_was_given(server: MailServer) -> None:
    ended = run(
        to=["Ann Müller <ann@example.com>", "bob@example.com"],
        cc=['"Doe, Jane" <jane@example.com>'],
        subject="Bericht für März",
        html="<p>Well.</p>",
        reply_to="team@example.com",
    )
    message = received(server)
    assert ended.value == {"messageId": message["Message-ID"], "accepted": 3, "refused": {}}
    assert server.mails[0].rcpt_tos == ["ann@example.com", "bob@example.com", "jane@example.com"]
    assert message["From"] == "Jobs <jobs@example.com>"
    assert message["To"] == "Ann Müller <ann@example.com>, bob@example.com"
    assert message["Cc"] == '"Doe, Jane" <jane@example.com>'
    assert message["Subject"] == "Bericht für März"
    assert message["Reply-To"] == "team@example.com"
    bodies = [message.get_body((kind,)) for kind in ("plain", "html")]
    assert [body and body.get_content().strip() for body in bodies] == ["Well.", "<p>Well.</p>"]


def test_a_mail_can_be_html_alone(server: MailServer) -> None:
    assert run(text=None, html="<p>Well.</p>").exit_code == 0
    assert received(server).get_content_type() == "text/html"


def test_a_retry_is_recognised_by_its_message_id(server: MailServer) -> None:
    ids = [run().value, run().value, run(subject="Another").value]
    assert ids[0] == ids[1] != ids[2]


def test_refused_recipients_are_named_by_their_place(server: MailServer) -> None:
    server.recipients = {"bob@example.com": "550 5.1.1 no bob", "cy@example.com": "450 later"}
    ended = run(to=["ann@example.com", "bob@example.com"], cc=["bob@example.com", "Cy <cy@example.com>"])
    assert isinstance(ended.value, dict)
    assert ended.value["accepted"] == 1
    assert ended.value["refused"] == {"to 2": "550 5.1.1", "cc 2": "450"}
    assert ended.logs == ["recipient to 2 was refused (550 5.1.1)", "recipient cc 2 was refused (450)"]


def test_it_is_wrong_data_when_nobody_is_to_get_it(server: MailServer) -> None:
    server.recipients = {"ann@example.com": "550 5.1.1 no ann@example.com"}
    ended = run()
    assert ended.exit_code == 65
    assert error(ended) == f"127.0.0.1:{server.port}: no recipient of 1 was accepted (550 5.1.1)"


WRONG: dict[str, dict[str, Any]] = {
    "the mail has no recipient: name one in `to`": {"to": []},
    "to 2 is no mail address: ": {"to": ["ann@example.com", "canary-bob"]},
    "cc 1 is no mail address: ": {"cc": ["a@example.com, canary@example.com"]},
    "sender is no mail address: ": {"sender": "canary <jobs>"},
    "reply_to is no mail address: ": {"reply_to": "a@example.com\r\nBcc: canary@example.com"},
    "subject has a line break or another control character in it": {
        "subject": "canary\nBcc: eve@example.com"
    },
    "give text or html, or both": {"text": None},
    "args.attachments: ": {"attachments": ["canary"]},
}


@pytest.mark.parametrize("sentence", WRONG)
def test_wrong_arguments_are_named_and_not_quoted(server: MailServer, sentence: str) -> None:
    ended = run(**WRONG[sentence])
    assert ended.exit_code == 65
    assert error(ended).startswith(sentence)
    assert "canary" not in error(ended)
    assert not server.mails


def test_a_variable_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SMTP_URL", raising=False)
    ended = run()
    assert ended.exit_code == 78
    assert error(ended).startswith("the variable SMTP_URL is not set: ")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(subject=st.text(max_size=200), text=st.text(max_size=200), name=st.text(max_size=80))
def test_no_text_becomes_a_header_of_its_own(server: MailServer, subject: str, text: str, name: str) -> None:
    ended = run(subject=subject, text=text, to=[f"{name} <ann@example.com>"])
    if ended.exit_code == 0:
        message = received(server)
        assert server.mails[-1].rcpt_tos == ["ann@example.com"]
        assert set(message.keys()) <= {
            *("Subject", "From", "To", "Date", "Message-ID", "MIME-Version", "X-Peer"),
            *("Content-Type", "Content-Transfer-Encoding"),
        }
    else:
        assert ended.exit_code == 65


@given(st.text(max_size=100))
def test_an_address_that_is_taken_is_one_address_on_one_line(text: str) -> None:
    try:
        address = mail_address(text, what="to 1")
    except DataError:
        return
    assert is_one_line(text)
    assert address.addr_spec.count("@") == 1
    assert not set(address.addr_spec) & set(" ,;<>\r\n")


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("ann@example.com", "ann@example.com"),
        (" <ann@example.com> ", "ann@example.com"),
        ("Ann <ann@example.com>", "Ann <ann@example.com>"),
        ("ann+jobs@mail.example.com", "ann+jobs@mail.example.com"),
        ("ann@localhost", "ann@localhost"),
        ("größe@example.com", "größe@example.com"),
        ("ann@example.com <bob@example.com>", '"ann@example.com" <bob@example.com>'),
    ],
)
def test_addresses_are_written_as_people_write_them(text: str, taken: str) -> None:
    assert str(mail_address(text, what="to 1")) == taken


@pytest.mark.parametrize("text", ["", "ann@", "@example.com", "ann@a@b", "ann..x@example.com", "ann", "<>"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="to 1 is no mail address"):
        mail_address(text, what="to 1")
