"""A mail server of the tests' own on aiosmtpd: with a login, with TLS, and refusing on demand."""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from tests.servers.process import free_port


@dataclass
class MailServer:
    """What it answers, and what it got. An empty answer means: hang up."""

    user: str = ""
    password: str = ""
    certificate: Path | None = None
    starttls: bool = False
    recipients: dict[str, str] = field(default_factory=dict)
    sender: str = "250 OK"
    message: str = "250 OK"
    limit: int | None = None
    """How many messages one connection may bring: after them it hangs up."""
    hold: threading.Event | None = None
    """A message is answered when this is set, or after ten seconds."""
    mails: list[Envelope] = field(default_factory=list)
    port: int = 0

    def __post_init__(self) -> None:
        self._brought: dict[Session, int] = {}

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self._said(server, self.sender)

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        answer = self.recipients.get(address, "250 OK")
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return self._said(server, answer)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.mails.append(envelope)
        if self.hold is not None:
            await asyncio.to_thread(self.hold.wait, 10)
        self._brought[session] = self._brought.get(session, 0) + 1
        if self._brought[session] == self.limit and server.transport is not None:
            asyncio.get_running_loop().call_later(0.01, server.transport.close)
        return self._said(server, self.message)

    def authenticate(
        self, _server: object, _session: object, _envelope: object, _method: str, given: Any
    ) -> AuthResult:
        right = [given.login, given.password] == [self.user.encode(), self.password.encode()]
        return AuthResult(success=right, handled=False)

    def _said(self, server: SMTP, answer: str) -> str:
        if not answer:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return answer or "250 OK"


@contextmanager
def mail_server(**settings: Any) -> Iterator[MailServer]:
    """Runs while the block does, on `port`."""
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # aiosmtpd's own
    server = MailServer(port=free_port(), **settings)
    context = None
    if server.certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(server.certificate)
    controller = Controller(
        server,
        hostname="127.0.0.1",
        port=server.port,
        ssl_context=None if server.starttls else context,
        tls_context=context if server.starttls else None,
        require_starttls=server.starttls,
        authenticator=server.authenticate if server.user else None,
        auth_required=bool(server.user),
        auth_exclude_mechanism=None if server.user else ["LOGIN", "PLAIN"],
        auth_require_tls=False,
        enable_SMTPUTF8=True,
    )
    controller.start()
    try:
        yield server
    finally:
        controller.stop()
