"""Mail of handlers: what is handed over, once, and what a server's refusals become."""

from __future__ import annotations

import email
import email.policy
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from job_runner import Context, JobError
from job_runner.connections.smtp import open_smtp, send
from job_runner.testing import Outcome, Result, run_handler
from tests.handlers.cancelling import cancelled_when
from tests.handlers.mail_server import MailServer, mail_server
from tests.handlers.web_server import make_certificate
from tests.servers.process import free_port

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")

SLOT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


def mail(to: str = "ann@example.com", **headers: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "jobs@example.com", to, "Report"
    for name, value in headers.items():
        message[name] = value
    message.set_content("All is well.\n.\n..\n")
    return message


def sent(monkeypatch: pytest.MonkeyPatch, url: str, *messages: EmailMessage) -> Outcome:
    """How a handler ended that sent the messages."""
    monkeypatch.setenv("SMTP_URL", url)

    def it(context: Context) -> list[dict[str, str]]:
        with open_smtp(context) as mailer:
            return [mailer.send(message) for message in messages or [mail()]]

    return run_handler(it, slot=SLOT, timeout=30)


def error(ended: Outcome) -> str:
    assert ended.error is not None, ended
    return f"{ended.error.type}: {ended.error.message}"


def received(server: MailServer, number: int = 0) -> EmailMessage:
    content = server.mails[number].original_content
    assert isinstance(content, bytes)
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_a_message_arrives_as_it_was_written(server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    message = mail("Ann <ann@example.com>", Cc="bob@example.com, ann@example.com", Bcc="eve@example.com")
    ended = sent(monkeypatch, f"smtp://127.0.0.1:{server.port}", message)
    assert ended.value == [{}]
    assert server.mails[0].mail_from == "jobs@example.com"
    assert server.mails[0].rcpt_tos == ["ann@example.com", "bob@example.com", "eve@example.com"]
    arrived = received(server)
    assert arrived.get_content().replace("\r\n", "\n") == "All is well.\n.\n..\n"
    assert "Bcc" not in arrived
    assert arrived["Date"]
    assert message["Bcc"] == "eve@example.com", "the caller's message stays as it is"


def test_letters_of_all_the_world_arrive(server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    message = mail("Größe <größe@example.com>")
    message.replace_header("Subject", "Bericht für März " * 10)
    message.set_content("Größe: 三")
    assert sent(monkeypatch, f"smtp://127.0.0.1:{server.port}", message).value == [{}]
    arrived = received(server)
    assert arrived["Subject"].strip() == ("Bericht für März " * 10).strip()
    assert arrived.get_content().strip() == "Größe: 三"
    assert server.mails[0].rcpt_tos == ["größe@example.com"]


def test_a_retry_has_the_same_message_ids_and_different_mails_have_different_ones(
    server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        sent(
            monkeypatch,
            f"smtp://127.0.0.1:{server.port}",
            *(mail(), mail(), mail("bob@example.com")),
        )
    ids = [received(server, number)["Message-ID"] for number in range(6)]
    assert ids[:3] == ids[3:]
    assert len(set(ids)) == 3
    assert all(one.startswith("<20261122T080000Z.") for one in ids)


def test_recipients_that_are_refused_are_answered_and_the_others_get_it(
    server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.recipients = {"bob@example.com": "550 5.1.1 nobody called bob@example.com"}
    ended = sent(monkeypatch, f"smtp://127.0.0.1:{server.port}", mail("ann@example.com, bob@example.com"))
    assert ended.value == [{"bob@example.com": "550 5.1.1"}]
    assert server.mails[0].rcpt_tos == ["ann@example.com"]


PORT = "127.0.0.1:PORT"
ANN, BOB = "ann@example.com", "bob@example.com"
REFUSALS: dict[str, tuple[dict[str, Any], str, int]] = {
    "all recipients for good": (
        {"recipients": {ANN: "550 5.1.1 no ann", BOB: "553 no bob"}},
        f"RecipientsRefused: {PORT}: no recipient of 2 was accepted (550 5.1.1, 553)",
        65,
    ),
    "one recipient for good, the other for now": (
        {"recipients": {ANN: "550 5.1.1 no ann", BOB: "450 later"}},
        f"DataError: {PORT}: no recipient of 2 was accepted (450, 550 5.1.1)",
        65,
    ),
    "an address that Exchange Online does not know": (
        {"recipients": {ANN: "550 5.4.1 Recipient address rejected", BOB: "550 5.1.1 no bob"}},
        f"RecipientsRefused: {PORT}: no recipient of 2 was accepted (550 5.1.1, 550 5.4.1)",
        65,
    ),
    "the sender, when the recipient is looked at": (
        {"recipients": {ANN: "550 5.1.8 sender address rejected", BOB: "550 5.1.7 bad sender"}},
        f"DataError: {PORT}: no recipient of 2 was accepted (550 5.1.7, 550 5.1.8)",
        65,
    ),
    "all recipients by a server that does not relay": (
        {"recipients": {ANN: "554 5.7.1 relay access denied", BOB: "550 5.7.1 unable to relay"}},
        f"DataError: {PORT}: no recipient of 2 was accepted (550 5.7.1, 554 5.7.1)",
        65,
    ),
    "all recipients for now": (
        {"recipients": {ANN: "451 4.7.1 greylisted", BOB: "450 later"}},
        f"TryAgain: {PORT}: no recipient of 2 was accepted (450, 451 4.7.1)",
        75,
    ),
    "a server that closes": (
        {"recipients": {ANN: "421 4.3.2 shutting down"}},
        f"TryAgain: {PORT}: a recipient: the server answered 421 4.3.2",
        75,
    ),
    "the sender": (
        {"sender": "553 5.7.1 not you, jobs@example.com"},
        f"DataError: {PORT}: the sender was refused: the server answered 553 5.7.1",
        65,
    ),
    "a sender without a login": (
        {"sender": "530 5.7.0 authentication required"},
        (
            f"ConfigurationError: {PORT}: the sender was refused: the server answered 530 5.7.0: "
            "it wants a user and password, or STARTTLS"
        ),
        78,
    ),
    "the message for good": (
        {"message": "554 5.6.0 spam: All is well"},
        f"DataError: {PORT}: the message was refused: the server answered 554 5.6.0",
        65,
    ),
    "the message for now": (
        {"message": "452 4.3.1 disk full"},
        f"TryAgain: {PORT}: the message was refused: the server answered 452 4.3.1",
        75,
    ),
    "hanging up at a recipient": (
        {"recipients": {ANN: ""}},
        f"Unavailable: {PORT}: the connection broke",
        69,
    ),
    "hanging up after the message": (
        {"message": ""},
        (
            f"Unavailable: {PORT}: the connection broke after the whole message was handed over: "
            "it may have been sent or not, and this run does not send it again"
        ),
        69,
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_becomes_of_a_refusal_of(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, text, exit_code = REFUSALS[name]
    with mail_server(**settings) as server:
        ended = sent(monkeypatch, f"smtp://127.0.0.1:{server.port}", mail(f"{ANN}, {BOB}"))
        assert error(ended) == text.replace("PORT", str(server.port))
        assert ended.exit_code == exit_code
        assert len(server.mails) <= 1, "never twice"


def test_the_connection_goes_on_after_a_message_that_was_refused(
    server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_URL", f"smtp://127.0.0.1:{server.port}")
    server.recipients = {BOB: "550 no bob"}

    def it(context: Context) -> int:
        with open_smtp(context) as mailer:
            failures = 0
            for message in (mail(), mail(BOB), mail()):
                try:
                    mailer.send(message)
                except JobError:
                    failures += 1
            return failures

    assert run_handler(it).value == 1
    assert len(server.mails) == 2


def test_a_server_that_hangs_up_between_two_messages_is_called_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with mail_server(limit=2) as server:
        ended = sent(monkeypatch, f"smtp://127.0.0.1:{server.port}", *(mail() for _ in range(5)))
        assert ended.exit_code == 0
        assert len(server.mails) == 5


def test_nobody_at_the_address_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    ended = sent(monkeypatch, f"smtp://127.0.0.1:{port}")
    assert error(ended) == f"Unavailable: 127.0.0.1:{port}: no connection: Connection refused"
    assert error(sent(monkeypatch, "smtp://nowhere.invalid")) == (
        "Unavailable: nowhere.invalid:25: there is no host of this name"
    )


def test_a_login_is_made_with_user_and_password_of_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with mail_server(user="jobs@example.com", password="p/w:#1") as server:
        ended = sent(monkeypatch, f"smtp://jobs%40example.com:p%2Fw%3A%231@127.0.0.1:{server.port}")
        assert ended.exit_code == 0
        assert ended.logs == [f"the password goes to 127.0.0.1:{server.port} unencrypted: use STARTTLS"]
        wrong = sent(monkeypatch, f"smtp://jobs%40example.com:other-secret@127.0.0.1:{server.port}")
        assert error(wrong) == (
            f"ConfigurationError: 127.0.0.1:{server.port}: the user or the password is wrong (535)"
        )
        beyond = sent(monkeypatch, f"smtp://jobs:%C3%BCber-secret@127.0.0.1:{server.port}")
        assert beyond.exit_code == 78
        assert "letters beyond ASCII" in error(beyond)


def test_a_login_where_none_is_offered_is_a_setting_that_is_wrong(
    server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = sent(monkeypatch, f"smtp://jobs:secret@127.0.0.1:{server.port}")
    assert ended.exit_code == 78
    assert "does not offer what is needed" in error(ended)


@pytest.mark.parametrize("starttls", [False, True])
def test_tls_is_used_and_the_certificate_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, starttls: bool
) -> None:
    certificate = make_certificate(tmp_path)
    scheme, query = ("smtp", "?starttls=true") if starttls else ("smtps", "")
    with mail_server(certificate=certificate, starttls=starttls, user="jobs", password="secret") as server:
        url = f"{scheme}://jobs:secret@127.0.0.1:{server.port}{query}"
        refused = sent(monkeypatch, url)
        assert refused.exit_code == 78
        assert "its certificate is not trusted (self-signed certificate)" in error(refused)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert sent(monkeypatch, url).exit_code == 0
        assert len(server.mails) == 1


def test_starttls_that_is_not_offered_is_not_done_without(
    server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = sent(monkeypatch, f"smtp://127.0.0.1:{server.port}?starttls=true")
    assert ended.exit_code == 78
    assert not server.mails


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.com",
        "http://mail.example.com",
        "smtp://",
        "smtp://user:pass/word@host:25",
        "smtp://host:port",
        "smtp://host/path",
        "smtp://host?starttls=maybe",
        "smtp://host?tls=true",
        "smtps://host?starttls=true",
        "smtp://[::1",
        "smtp://user:12345#word@host:25",
        "smtp://user:12345?word@host:25",
        "smtp://user:password@mail..example.com:25",
    ],
)
def test_an_address_that_is_none_is_not_quoted(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = sent(monkeypatch, url)
    assert ended.exit_code == 78
    assert "SMTP_URL" in error(ended)
    assert url not in error(ended)
    assert "12345" not in error(ended)


def test_a_cancellation_does_not_interrupt_a_message_that_is_being_handed_over(
    server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.hold = hold = threading.Event()
    monkeypatch.setenv("SMTP_URL", f"smtp://127.0.0.1:{server.port}")

    def it(context: Context) -> None:
        with open_smtp(context) as mailer:
            for _ in range(2):
                mailer.send(mail())

    ended = cancelled_when(lambda: server.mails, it, then=hold.set)
    assert ended.result is Result.CANCELLED
    assert len(server.mails) == 1


def test_one_message_can_be_sent_without_a_connection_to_care_for(
    server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL", f"smtp://127.0.0.1:{server.port}")

    def it(context: Context) -> dict[str, str]:
        return send(context, mail(), variable="MAIL")

    assert run_handler(it).value == {}
    assert len(server.mails) == 1


@pytest.mark.parametrize("missing", ["From", "To"])
def test_a_message_without_sender_or_recipient_is_refused(
    server: MailServer, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    message = mail()
    del message[missing]
    ended = sent(monkeypatch, f"smtp://127.0.0.1:{server.port}", message)
    assert ended.exit_code == 65
    assert error(ended) == "DataError: the message has no sender, or no recipient: set From and To"
