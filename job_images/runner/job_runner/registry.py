"""The handlers of this process, by name."""

import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import FrameType
from typing import TypeVar

from job_runner.errors import ConfigurationError, UnknownHandler
from job_runner.signature import HandlerFunction, Signature, signature_of

F = TypeVar("F", bound=HandlerFunction)

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,126}[A-Za-z0-9])?")
_BUILT_IN = "job_runner.handlers."


@dataclass(frozen=True)
class Place:
    """Where a handler is written."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """When a handler is to run, in the words of a manifest: `every` or `cron` is given, the rest is empty."""

    every: str = ""
    cron: str = ""
    time_zone: str = ""

    def fields(self) -> dict[str, str]:
        """The same as fields of a ScheduledJob's spec."""
        fields = {"schedule": self.cron, "every": self.every, "timeZone": self.time_zone}
        return {name: text for name, text in fields.items() if text}

    def __str__(self) -> str:
        return f"every {self.every}" if self.every else f"{self.cron} {self.time_zone}".rstrip()


@dataclass(frozen=True, kw_only=True)
class Handler:
    """A registered function. interrupt=False: it is never interrupted and asks `context.cancelled` itself."""

    name: str
    function: HandlerFunction
    signature: Signature
    place: Place
    interrupt: bool = True
    schedules: tuple[Schedule, ...] = ()
    """As they are written above it, from top to bottom."""
    source: str = ""
    """How it was found: a folder, or the distribution whose entry point names it."""

    @property
    def summary(self) -> str:
        """First line of the docstring."""
        return next(iter((inspect.getdoc(self.function) or "").splitlines()), "")

    @property
    def built_in(self) -> bool:
        """Whether it comes with the runner: any other handler of the same name replaces it."""
        return self.function.__module__.startswith(_BUILT_IN)


class Registry:
    """Handlers by name. A name that two functions claim belongs to neither, and asking for it is an error."""

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}
        self._rivals: dict[str, list[Place]] = {}

    def add(self, handler: Handler) -> None:
        """Raises ConfigurationError, with both places, when the name is taken."""
        taken = self._handlers.get(handler.name)
        if taken is None or taken.place == handler.place or (taken.built_in and not handler.built_in):
            self._handlers[handler.name] = handler
        elif taken.built_in or not handler.built_in:
            self._rivals.setdefault(handler.name, [taken.place]).append(handler.place)
            raise ConfigurationError(
                f"{handler.place}: the name {handler.name!r} is already taken by the handler in {taken.place}"
            )

    def get(self, name: str) -> Handler:
        """Raises UnknownHandler, or ConfigurationError when several functions claim the name."""
        if name in self._rivals:
            places = " and ".join(map(str, self._rivals[name]))
            raise ConfigurationError(f"the name {name!r} is used more than once: {places}")
        if name not in self._handlers:
            raise UnknownHandler(f"there is no handler {name!r}{_suggestion(name, list(self))}")
        return self._handlers[name]

    def __contains__(self, name: str) -> bool:
        return name in self._handlers

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._handlers))

    def found_in(self, function: HandlerFunction) -> Handler | None:
        """The handler that this very function is registered as, the latest if it has several names."""
        return next(
            (known for known in reversed(self._handlers.values()) if known.function is function), None
        )

    def schedule(self, function: HandlerFunction, schedule: Schedule) -> bool:
        """Put the schedule above those its handler has already. False: the function is no handler."""
        known = self.found_in(function)
        if known is None:
            return False
        self._handlers[known.name] = replace(known, schedules=(schedule, *known.schedules))
        return True

    def handlers(self) -> list[Handler]:
        """Every handler, by name, but none whose name several functions claim."""
        return [self._handlers[name] for name in self if name not in self._rivals]

    def mark(self, names: set[str], source: str) -> None:
        """Note for every handler that is not in `names` where it was just found."""
        for name, handler in self._handlers.items():
            if name not in names:
                self._handlers[name] = replace(handler, source=source)

    def remove_file(self, file: str) -> list[str]:
        """Forget the handlers written in `file`, which turned out broken; answers their names."""
        names = [name for name, handler in self._handlers.items() if handler.place.file == file]
        for name in names:
            del self._handlers[name]
        return names


REGISTRY = Registry()
"""The registry that @job_handler fills."""


def job_handler(name: str, *, interrupt: bool = True) -> Callable[[F], F]:
    """Register the decorated function, plain or async, as the handler `name`. The function stays as it is.

    Its arguments are validated from its annotations: one parameter `args: MyModel` takes them all, any other
    parameters take one each, and a parameter annotated `Context` (anywhere) receives the run's context.

    interrupt: a plain handler is interrupted by the exception Cancelled, and an async one cancelled, when its
    time is up or its pod is stopped; False promises that it asks `context.cancelled` and ends by itself.

    Raises ConfigurationError, with file and line, for a bad or taken name or an unusable signature.
    """
    caller: FrameType | None = sys._getframe(1)  # noqa: SLF001  (inspect.currentframe is the same, typed worse)

    def register(function: F) -> F:
        REGISTRY.add(
            make_handler(function, name, interrupt=interrupt, local_names=caller.f_locals if caller else {})
        )
        return function

    if not isinstance(name, str):
        place = place_of(name)
        raise ConfigurationError(f'{place}: write @job_handler("a-name"), with the name in it')
    return register


def make_handler(
    function: HandlerFunction,
    name: str,
    *,
    interrupt: bool = True,
    local_names: Mapping[str, object] | None = None,
) -> Handler:
    """A Handler that is registered nowhere. Raises ConfigurationError as `job_handler` does."""
    place = place_of(function)
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"{place}: {name!r} is no handler name: letters, digits, '_', '-' and '.', 128 at most, "
            "with a letter or digit at both ends"
        )
    try:
        signature = signature_of(function, local_names=local_names)
    except ConfigurationError as error:
        raise ConfigurationError(f"{place}: handler {name!r}: {error}") from error.__cause__
    return Handler(name=name, function=function, signature=signature, place=place, interrupt=interrupt)


def place_of(function: object) -> Place:
    """Where the function under all its decorators is written."""
    code = getattr(inspect.unwrap(function), "__code__", None) if callable(function) else None
    return Place(code.co_filename, code.co_firstlineno) if code else Place("<unknown>", 0)


def _suggestion(name: str, known: list[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415  (only needed when the run is lost anyway)

    if not known:
        return ", and no other either"
    close = get_close_matches(name, known, n=1)
    question = f", did you mean {close[0]!r}? There" if close else "; there"
    return f"{question} are: {', '.join(known)}"
