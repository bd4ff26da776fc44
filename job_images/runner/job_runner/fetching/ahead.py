"""Reads ahead in a thread, while what was read before is being used.

The thread and the main thread take turns at what needs the interpreter: the thread to parse a page, the main
thread for the many short exchanges that send a batch. Without that each of these would wait until a page is
parsed, which a call into C does in one go, and reading ahead would be slower than not doing it. While the
server inserts a batch, and while a page is on its way, it is the other's turn.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from queue import Empty, Full, Queue
from typing import Generic, TypeVar

T = TypeVar("T")

LOOK_EVERY = 0.2
"""Seconds between two looks at whether the other side has given up."""


class Ahead(Generic[T]):
    """The items of an iterable, of which a few are kept ready."""

    def __init__(self, source: Iterable[T], *, depth: int) -> None:
        self._source = source
        self._queue: Queue[tuple[T | None, BaseException | None]] = Queue(depth)
        self._given_up = threading.Event()

    def items(self, gave_up: Callable[[], bool]) -> Iterator[T]:
        """The items in order, until the end or until `gave_up` says so. Raises what the source raised."""
        while not gave_up():
            try:
                item, raised = self._queue.get(timeout=LOOK_EVERY)
            except Empty:
                continue
            if raised is not None:
                raise raised
            if item is None:
                return
            yield item

    def read(self) -> None:
        """Run in a thread of its own."""
        try:
            for item in self._source:
                if not self._put(item, None):
                    return
        except BaseException as error:  # noqa: BLE001  (it is raised where the items are used)
            self._put(None, error)
        else:
            self._put(None, None)

    def stop(self) -> None:
        self._given_up.set()

    def _put(self, item: T | None, raised: BaseException | None) -> bool:
        while not self._given_up.is_set():
            try:
                self._queue.put((item, raised), timeout=LOOK_EVERY)
            except Full:
                continue
            return True
        return False


@contextmanager
def reading_ahead(source: Iterable[T], *, depth: int = 2) -> Iterator[Ahead[T]]:
    """Read while the block runs. A read that hangs at its end is left alone and ends with the process."""
    ahead = Ahead(source, depth=depth)
    thread = threading.Thread(target=ahead.read, name="reading ahead", daemon=True)
    thread.start()
    try:
        yield ahead
    finally:
        ahead.stop()
        thread.join(LOOK_EVERY)
