"""What a program writes, as log lines: the first of them, and the last."""

import logging
from collections import deque

_LONGEST = 16 * 1024
"""Bytes. A line of the log takes fewer: a secret that is cut in two here, and so not known, is beyond."""
_LAST = 20
_CUT = b" [...]"


class Lines:
    """Logs lines of bytes as they come in. limit: how many; of the others the last few come at the end."""

    def __init__(self, logger: logging.Logger, *, limit: int) -> None:
        self.count = 0
        self._logger = logger
        self._limit = limit
        self._begun: dict[str, bytes] = {}
        self._last: deque[tuple[str, bytes]] = deque(maxlen=_LAST)

    def take(self, stream: str, piece: bytes) -> None:
        """A piece of `stdout` or `stderr`, wherever it was cut."""
        *whole, rest = (self._begun.get(stream, b"") + piece).split(b"\n")
        for line in whole:
            self._add(stream, line)
        self._begun[stream] = _shortened(rest)

    def finish(self) -> None:
        """Nothing comes any more."""
        for stream, line in self._begun.items():
            if line:
                self._add(stream, line)
        left_out = self.count - self._limit - len(self._last)
        if left_out > 0:
            self._logger.warning("%d lines of the command are left out here", left_out)
        for stream, line in self._last:
            self._log(stream, line)

    def _add(self, stream: str, line: bytes) -> None:
        self.count += 1
        if self.count <= self._limit:
            self._log(stream, line)
        else:
            self._last.append((stream, line))

    def _log(self, stream: str, line: bytes) -> None:
        text = _shortened(line).decode(errors="replace").rstrip("\r")
        self._logger.info("%s", text, extra={"stream": stream})


def _shortened(line: bytes) -> bytes:
    """Its beginning, marked, when it is too long: the end of a line that never ends is not kept."""
    return line if len(line) <= _LONGEST else line[: _LONGEST - len(_CUT)] + _CUT
