"""The answer to each request."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from catalogue import Listed, blocks
from faults import Fault, from_json

if TYPE_CHECKING:
    from catalogue import Collection

    from __main__ import SampleApi

PAGING = {"limit", "offset", "cursor", "page"}
DEFAULT_LIMIT, LARGEST_LIMIT = 100, 10_000


class CutError(Exception):
    """The connection ends here, on demand."""


class Answers(BaseHTTPRequestHandler):
    """HTTP/1.1, many requests over one connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # header and body leave together, and no packet waits for the other side's acknowledgement
    disable_nagle_algorithm = True
    server: SampleApi

    def do_GET(self) -> None:
        self._answer()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_GET  # noqa: N815  # as http.server names them

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # as http.server names it
        """Nothing: GET /requests tells."""

    def _answer(self) -> None:
        address = urlsplit(self.path)
        self.query = dict(parse_qsl(address.query, keep_blank_values=True))
        self.content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.room: int | None = None
        self.bad: list[Fault] = []
        self.served: dict[str, Any] = {}
        try:
            if address.path == "/v1" or address.path.startswith("/v1/"):
                with self.server.counted() as busy:
                    self._data(address.path, address.query, busy)
            else:
                self._control(address.path)
        except json.JSONDecodeError:
            self._send(400, {"error": "the body is not JSON"})
        except CutError:
            self.wfile.flush()
            self.close_connection = True

    def _control(self, path: str) -> None:
        match self.command, path:
            case "GET", "/healthz":
                self._send(200, {"status": "ok"})
            case "GET", "/requests":
                self._send(200, list(self.server.requests))
            case "DELETE", "/requests":
                self.server.requests.clear()
                self._send(200, {})
            case "POST", "/faults":
                self._add_fault()
            case "DELETE", "/faults":
                self.server.faults.clear()
                self._send(200, {})
            case "POST", "/reset":
                self.server.reset()
                self._send(200, {})
            case _:
                self._send(404, {"error": f"there is no {self.command} {path}"})

    def _add_fault(self) -> None:
        try:
            self.server.faults.add(from_json(json.loads(self.content)))
        except TypeError as error:
            self._send(400, {"error": str(error)})
        else:
            self._send(200, {})

    def _data(self, path: str, query: str, busy: int) -> None:
        self.served = {"method": self.command, "path": path, "query": query, "status": None, "busy": busy}
        self.server.requests.append(self.served)
        self.bad = self.server.faults.of_request(self.command, path, query)
        time.sleep(sum(fault.delay_seconds for fault in self.bad))
        self.room = next(
            (each.cut_after_bytes for each in self.bad if each.cut_after_bytes is not None), None
        )
        for fault in self.bad:
            if fault.status is not None or fault.body is not None:
                self._send_fault(fault)
                return
        token = self.server.token
        if token and self.headers.get("Authorization") != f"Bearer {token}":
            self._send(401, {"error": "this API wants its token"})
            return
        name, *rest = path.removeprefix("/v1/").split("/")
        collection = self.server.collections.get(name.removesuffix(".ndjson"))
        if collection is None:
            self._send(404, {"error": f"there is no collection {name}"})
        elif name.endswith(".ndjson"):
            self._send_lines(collection)
        elif rest:
            self._one(collection, *rest)
        elif self.command == "POST" and isinstance(collection, Listed):
            with self.server.lock:
                self._send(201, collection.put(json.loads(self.content)))
        else:
            self._page(name, collection)

    def _page(self, name: str, collection: Collection) -> None:
        """A page as JSON text put together from the pieces: no item is made into objects for it."""
        query = self.query
        try:
            limit = min(int(query.get("limit", DEFAULT_LIMIT)), LARGEST_LIMIT)
            offset = int(query.get("cursor", "").removeprefix("at-") or query.get("offset") or 0)
            if "page" in query:
                offset = (int(query["page"]) - 1) * limit
        except ValueError:
            self._send(400, {"error": "limit, offset, page and cursor are numbers that this API gave"})
            return
        chosen = {field: text for field, text in query.items() if field not in PAGING}
        with self.server.lock:
            pieces, total = collection.pieces(offset, limit, chosen), collection.total(chosen)
        cursor = f"at-{offset + limit}" if offset + limit < total else None
        address = urlencode({**chosen, "cursor": cursor, "limit": limit})
        end = {"total": total, "next": cursor and f"/v1/{name}?{address}", "cursor": cursor}
        text = f'{{"items": [{", ".join(self._replaced(pieces, offset))}], {json.dumps(end)[1:]}'
        self._send_text(200, text)

    def _replaced(self, pieces: list[str], offset: int) -> list[str]:
        """The pieces with the bad records that were asked for."""
        for fault in self.bad:
            if fault.replace_item is not None and 0 <= fault.replace_item - offset < len(pieces):
                pieces[fault.replace_item - offset] = json.dumps(fault.replacement)
        return pieces

    def _one(self, collection: Collection, key: str, action: str | None = None, *_: str) -> None:
        with self.server.lock:
            found = self._changed(collection, key, action)
        if found is None:
            self._send(404, {"error": f"there is no {key}" + (f" to {action}" if action else "")})
        else:
            self._send(200, found)

    def _changed(self, collection: Collection, key: str, action: str | None) -> Any:
        """The item after the change that is asked for; None when there is no such item or action."""
        if self.command == "GET" and action is None:
            return collection.find(key)
        if not isinstance(collection, Listed):
            return None
        if action is not None:
            change = collection.actions.get(action)
            return None if change is None else collection.merge(key, change)
        fields = json.loads(self.content)
        if self.command == "PATCH":
            return collection.merge(key, fields)
        return collection.put({**fields, "id": key})

    def _send_lines(self, collection: Collection) -> None:
        self._begin(200, {"Content-Type": "application/x-ndjson", "Transfer-Encoding": "chunked"})
        place = 0
        for pieces in blocks(collection):
            size = len(pieces)
            block = "".join(f"{piece}\n" for piece in self._replaced(pieces, place)).encode()
            place += size
            self.wfile.write(b"%x\r\n" % len(block))
            self._write(block)
            self.wfile.write(b"\r\n")
        self.wfile.write(b"0\r\n\r\n")

    def _send_fault(self, fault: Fault) -> None:
        headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        if fault.body is not None:
            self._send_text(fault.status or 200, fault.body, headers)
        else:
            self._send(fault.status or 200, {"error": "a fault that was asked for"}, headers)

    def _send(self, status: int, content: Any, headers: Mapping[str, str] | None = None) -> None:
        self._send_text(status, json.dumps(content), headers)

    def _send_text(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        body = text.encode()
        length = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        self._begin(status, {**length, **(headers or {})})
        if self.command != "HEAD":
            self._write(body)

    def _begin(self, status: int, headers: Mapping[str, str]) -> None:
        self.served["status"] = status
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _write(self, body: bytes) -> None:
        """Send what there is room for, and end the connection where a fault wants it."""
        if self.room is None:
            self.wfile.write(body)
            return
        self.wfile.write(body[: self.room])
        self.room -= len(body)
        if self.room < 0:
            raise CutError
