"""A mail server that keeps what it gets instead of delivering it, and refuses on demand.

    python examples/servers/smtp_sink --port 1025 --http-port 8025

| request | answer |
|---|---|
| GET /mails | [{"sender", "recipients", "text"}], text being the whole message |
| DELETE /mails | empties it |
| POST /faults | what goes wrong from now on: see Fault below |
| DELETE /faults | nothing any more |
| GET /healthz | 200 |

With SMTP_USER and SMTP_PASSWORD in the environment, mail is taken from that user only.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

LARGEST_MAIL = 32 * 2**20


@dataclass
class Fault:
    """One thing that goes wrong, so many times (None: until the faults are taken away)."""

    recipient: str | None = None
    """The address that is refused; None lets all in and refuses the message after its text."""
    code: int = 550
    disconnect: bool = False
    """Hang up in place of the answer."""
    keep: bool = False
    """Keep the message all the same, as a server does whose answer is lost."""
    delay_seconds: float = 0
    times: int | None = None

    def take(self) -> bool:
        """Whether it still goes wrong; counts it."""
        if self.times == 0:
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass
class Mailbox:
    """What came in, and what goes wrong. aiosmtpd calls the methods named handle_..."""

    mails: list[dict[str, Any]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802  # as aiosmtpd names it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Whether an address is taken."""
        del session
        for fault in self.faults:
            if fault.recipient == address and fault.take():
                return await self._fail(server, fault, f"{fault.code} this address takes no mail")
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(  # noqa: N802  # as aiosmtpd names it
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """A whole message has come."""
        del session
        text = (envelope.original_content or b"").decode(errors="surrogateescape")
        mail = {"sender": envelope.mail_from, "recipients": list(envelope.rcpt_tos), "text": text}
        for fault in self.faults:
            if fault.recipient is None and fault.take():
                if fault.keep:
                    self.mails.append(mail)
                return await self._fail(server, fault, f"{fault.code} no mail is taken now")
        self.mails.append(mail)
        return "250 OK"

    async def _fail(self, server: SMTP, fault: Fault, answer: str) -> str:
        await asyncio.sleep(fault.delay_seconds)
        if fault.disconnect and server.transport is not None:
            server.transport.abort()
        return answer


class Control(BaseHTTPRequestHandler):
    """The HTTP side."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    mailbox: Mailbox

    def do_GET(self) -> None:
        """Answer every method."""
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answers: dict[tuple[str, str], Callable[[], Any]] = {
            ("GET", "/healthz"): lambda: {"status": "ok"},
            ("GET", "/mails"): lambda: list(self.mailbox.mails),
            ("DELETE", "/mails"): self.mailbox.mails.clear,
            ("POST", "/faults"): lambda: self.mailbox.faults.append(Fault(**json.loads(content))),
            ("DELETE", "/faults"): self.mailbox.faults.clear,
        }
        answer = answers.get((self.command, self.path))
        if answer is None:
            self._send(404, {"error": f"there is no {self.command} {self.path}"})
            return
        try:
            self._send(200, answer())
        except (TypeError, ValueError) as error:
            self._send(400, {"error": str(error)})

    do_POST = do_DELETE = do_GET  # noqa: N815  # as http.server names them

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # as http.server names it
        """Nothing: a probe comes every second."""

    def _send(self, status: int, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def smtp_server(mailbox: Mailbox) -> SMTP:
    """One connection's server."""
    user, password = os.environ.get("SMTP_USER"), os.environ.get("SMTP_PASSWORD")
    wanted = user and [user.encode(), (password or "").encode()]

    def authenticate(
        _server: object, _session: object, _envelope: object, _method: str, given: Any
    ) -> AuthResult:
        return AuthResult(success=[given.login, given.password] == wanted)

    return SMTP(
        mailbox,
        data_size_limit=LARGEST_MAIL,
        enable_SMTPUTF8=True,
        hostname="smtp-sink",
        authenticator=authenticate if wanted else None,
        auth_required=bool(wanted),
        auth_require_tls=False,
    )


async def serve(options: argparse.Namespace) -> None:
    """Serve until SIGTERM. The first line of the output names the ports."""
    mailbox = Mailbox()
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    control = type("BoundControl", (Control,), {"mailbox": mailbox})
    web = ThreadingHTTPServer((options.host, options.http_port), control)
    web.daemon_threads = True
    threading.Thread(target=web.serve_forever, daemon=True).start()
    mail = await loop.create_server(lambda: smtp_server(mailbox), options.host, options.port)
    port = mail.sockets[0].getsockname()[1]
    sys.stdout.write(json.dumps({"smtp": port, "http": web.server_port}) + "\n")
    sys.stdout.flush()
    await ended.wait()


def main() -> None:
    """Read the options and serve."""
    parser = argparse.ArgumentParser(prog="smtp_sink")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1025, help="0 is a free one, which the first line names")
    parser.add_argument("--http-port", type=int, default=8025, help="0 is a free one, too")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
