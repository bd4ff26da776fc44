"""Answers that are compressed, as a few bytes at a time: a thousandth of them may be sent for a gibibyte.

httpx is imported here: this module is for when a connection is opened.
"""

import zlib
from collections.abc import Iterator

import httpx

ACCEPTED = "gzip"
"""Not deflate, which servers understand in two ways."""

_INFLATABLE = {"gzip", "x-gzip", "deflate"}
_COMPRESSED = _INFLATABLE | {"br", "compress", "x-compress", "zstd"}
_PIECE = 65536
_BEGINNING_OF_GZIP = b"\x1f"
_NO_LONGER_TRUE = {"content-encoding", "content-length", "transfer-encoding"}


def inflated(response: httpx.Response) -> httpx.Response:
    """The same answer, whose body is yet to be read, without its compression.

    Raises httpx.DecodingError for a compression that was not asked for, or two on top of each other; so does
    reading for what is not compressed in the way it says.
    """
    encodings = [name.strip().lower() for name in response.headers.get("Content-Encoding", "").split(",")]
    compressions = [name for name in encodings if name in _COMPRESSED]  # some servers say "utf-8"
    if len(compressions) > 1 or not _INFLATABLE.issuperset(compressions):
        response.close()
        raise httpx.DecodingError("not as asked for", request=response.request)
    return httpx.Response(
        response.status_code,
        headers=_remaining_headers(response),
        stream=_Body(response, compressed=bool(compressions)),
        request=response.request,
        extensions=response.extensions,
    )


def _remaining_headers(response: httpx.Response) -> list[tuple[str, str]]:
    """Those that are still true of a body without compression."""
    return [
        (name, value) for name, value in response.headers.multi_items() if name.lower() not in _NO_LONGER_TRUE
    ]


class _Body(httpx.SyncByteStream):
    def __init__(self, response: httpx.Response, *, compressed: bool) -> None:
        self._response = response
        self._compressed = compressed

    def __iter__(self) -> Iterator[bytes]:
        pieces = self._response.iter_raw()
        try:
            yield from _inflated(pieces) if self._compressed else pieces
        except zlib.error as error:
            raise httpx.DecodingError(str(error), request=self._response.request) from None

    def close(self) -> None:
        self._response.close()


def _inflated(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """At most 64 KiB at a time. Several compressed texts may follow each other; padding is none."""
    inflater = None
    for piece in pieces:
        left = piece
        while left:
            if inflater is None or inflater.eof:
                if inflater is not None and not left.startswith(_BEGINNING_OF_GZIP):
                    return
                inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)  # gzip or zlib, whichever it begins with
            yield inflater.decompress(left, _PIECE)
            left = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
    if inflater is not None and not inflater.eof:
        raise zlib.error("incomplete")
