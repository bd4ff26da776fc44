"""Stands between a client and a server, and breaks off when the client says a certain word."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def breaking_proxy(server_port: int, *, at: bytes) -> Iterator[int]:
    """The port of it. The server hears the word and answers it, and the client hears nothing any more."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve, args=[listener, server_port, at], daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def _serve(listener: socket.socket, server_port: int, at: bytes) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            server = socket.create_connection(("127.0.0.1", server_port))
            said = threading.Event()
            for pair in ((client, server, at, said), (server, client, None, said)):
                threading.Thread(target=_pass_on, args=pair, daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket, at: bytes | None, said: threading.Event) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            if at is not None and at in piece:
                said.set()
            if at is None and said.is_set():
                break
            target.sendall(piece)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
