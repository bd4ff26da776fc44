"""A web server whose answers are written in the test, and that remembers what it was asked."""

from __future__ import annotations

import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """cut: the connection is closed before the body is whole, or, at status 0, without an answer."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    delay: threading.Event | None = None
    """It comes when this is set, or after ten seconds."""
    drops: float = 0
    """Seconds between one byte and the next."""


class WebServer:
    """`answers` are given in turn, the last one from then on."""

    def __init__(self, certificate: Path | None = None) -> None:
        self.answers = [Answer()]
        self.requests: list[Request] = []
        self.closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        scheme = "http"
        if certificate is not None:
            scheme = "https"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        web_server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                request = Request(self.command, self.path, dict(self.headers), self.rfile.read(length))
                web_server.requests.append(request)
                self._answer(web_server.answers.pop(0) if web_server.answers[1:] else web_server.answers[0])

            do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_GET  # noqa: N815

            def _answer(self, answer: Answer) -> None:
                if answer.delay is not None:
                    answer.delay.wait(10)
                self.close_connection = answer.cut
                if not answer.status:
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if "Transfer-Encoding" not in answer.headers:
                    self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                body = answer.body[:-1] if answer.cut else answer.body
                for piece in [bytes([byte]) for byte in body] if answer.drops else [body]:
                    self.wfile.write(piece)
                    self.wfile.flush()
                    web_server.closing.wait(answer.drops)

            def log_message(self, *args: object) -> None: ...

        return Handler


@contextmanager
def web_server(certificate: Path | None = None) -> Iterator[WebServer]:
    server = WebServer(certificate)
    try:
        yield server
    finally:
        server.close()


def make_certificate(folder: Path, *, name: str = "127.0.0.1") -> Path:
    """A file with a key and a certificate for an address, or a host's name, that nobody trusts by itself."""
    kind = "IP" if name[0].isdigit() else "DNS"
    file = folder / f"{name}.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-noenc", "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName={kind}:{name}"),
            *("-keyout", str(file), "-out", str(folder / "certificate")),
        ],
        check=True,
        capture_output=True,
    )
    file.write_bytes(file.read_bytes() + (folder / "certificate").read_bytes())
    return file
