"""The mail sink of the examples, run on this machine."""

from __future__ import annotations

import email
import email.policy
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from tests.cluster.paths import CHECKOUT
from tests.servers.process import ServerProcess, answers, free_port, plain_http, server_folder

PROGRAM = CHECKOUT / "examples" / "servers" / "smtp_sink"


class SmtpSink(ServerProcess):
    def __init__(self, folder: Path) -> None:
        self.port, self._http_port = free_port(), free_port()
        self.url = f"smtp://127.0.0.1:{self.port}"
        ports = ("--port", str(self.port), "--http-port", str(self._http_port))
        super().__init__(
            [sys.executable, str(PROGRAM), *ports],
            folder=folder,
            ready=lambda: answers(self.port) and answers(self._http_port),
        )

    def messages(self) -> list[EmailMessage]:
        """The mails that came in, in order."""
        parsed = [
            email.message_from_bytes(
                mail["text"].encode(errors="surrogateescape"), policy=email.policy.default
            )
            for mail in self.mails()
        ]
        return [message for message in parsed if isinstance(message, EmailMessage)]

    def mails(self) -> list[dict[str, Any]]:
        """Sender, recipients and text of each, as the envelope had them."""
        found: list[dict[str, Any]] = self._ask("GET", "/mails")
        return found

    def fail(self, **fault: Any) -> None:
        """Something goes wrong from now on, such as recipient=..., code=450."""
        self._ask("POST", "/faults", fault)

    def clear(self) -> None:
        """No mails and no faults."""
        self._ask("DELETE", "/mails")
        self._ask("DELETE", "/faults")

    def _ask(self, method: str, path: str, content: object = None) -> Any:
        address = f"http://127.0.0.1:{self._http_port}{path}"
        return plain_http(method, address, json=content)


@contextmanager
def smtp_sink() -> Iterator[SmtpSink]:
    """A server that runs while the block does."""
    with server_folder("smtp", owner=None) as folder:
        server = SmtpSink(folder)
        try:
            server.start()
            yield server
        finally:
            server.stop()
