"""What can be a handler, and what is told to who writes one that cannot."""

import re
from collections.abc import Callable, Iterator
from functools import partial, wraps
from typing import Any

import pytest

from job_runner import ConfigurationError, Context, UnknownHandler, job_handler
from job_runner.handlers.hello import hello as built_in
from job_runner.registry import REGISTRY, Registry, make_handler

HERE = re.escape(__file__)

pytestmark = pytest.mark.usefixtures("empty_registry")


def test_a_function_stays_as_it_is_when_it_is_registered() -> None:
    @job_handler("double")
    def double(number: int) -> int:
        """Doubles.

        More about it.
        """
        return 2 * number

    assert double(4) == 8
    handler = REGISTRY.get("double")
    assert handler.function is double
    assert handler.summary == "Doubles."
    assert handler.place.file == __file__
    assert handler.signature.described() == ["number: int"]


def test_the_context_may_be_any_parameter() -> None:
    def first(context: Context, rows: int) -> None: ...
    def last(rows: int, where: Context) -> None: ...
    def by_name(rows: int, *, it: "Context") -> None: ...
    def none(rows: int) -> None: ...

    names = [make_handler(function, "it").signature.context for function in (first, last, by_name, none)]
    assert names == ["context", "where", "it", None]


def test_annotations_may_be_written_as_text_and_name_local_types() -> None:
    class Window: ...

    @job_handler("it")
    def it(args: "Window") -> None: ...

    assert REGISTRY.get("it").signature.arguments["args"].annotation is Window


def test_a_decorated_function_is_registered_with_the_place_it_is_written() -> None:
    def twice(function: Callable[..., None]) -> Callable[..., None]:
        @wraps(function)
        def both(*arguments: Any, **named: Any) -> None:
            function(*arguments, **named)
            function(*arguments, **named)

        return both

    @job_handler("it")
    @twice
    def it(rows: int) -> None: ...

    assert REGISTRY.get("it").place.line == it.__wrapped__.__code__.co_firstlineno  # type: ignore[attr-defined]
    assert list(REGISTRY.get("it").signature.arguments) == ["rows"]


def generator() -> Iterator[int]:
    yield 1


async def async_generator() -> Any:
    yield 1


def unannotated(rows):  # type: ignore[no-untyped-def]
    ...


def positional(rows: int, /) -> None: ...
def starred(*rows: int) -> None: ...
def open_ended(**rows: int) -> None: ...
def underscored(_rows: int) -> None: ...
def two_contexts(one: Context, two: Context) -> None: ...
def whole_and_part(args: dict[str, int], rows: int) -> None: ...
def unknown_type(rows: "Rows") -> None: ...  # type: ignore[name-defined]  # noqa: F821


REFUSED = {
    "a generator": (generator, "it cannot yield"),
    "an async generator": (async_generator, "it cannot yield"),
    "a parameter without an annotation": (
        unannotated,
        "'rows' has no annotation: write for instance rows: int",
    ),
    "a positional parameter": (positional, "has no name of its own"),
    "a starred parameter": (starred, "has no name of its own"),
    "an open end": (open_ended, "has no name of its own"),
    "an underscored parameter": (underscored, "'_rows' may not start with an underscore"),
    "two contexts": (two_contexts, "both 'one' and 'two' take the Context"),
    "args beside others": (whole_and_part, "'args' takes all the arguments: move 'rows' into it"),
    "an unknown type": (unknown_type, "name 'Rows' is not defined"),
}


@pytest.mark.parametrize(("function", "sentence"), REFUSED.values(), ids=REFUSED)
def test_refused_with_file_and_line(function: Callable[..., Any], sentence: str) -> None:
    line = function.__code__.co_firstlineno
    with pytest.raises(ConfigurationError, match=rf"^{HERE}:{line}: handler 'it': .*{re.escape(sentence)}"):
        job_handler("it")(function)
    assert "it" not in REGISTRY


@pytest.mark.parametrize("thing", [int, partial(print, 1)], ids=["a class", "a partial"])
def test_only_functions_are_handlers(thing: Callable[..., Any]) -> None:
    with pytest.raises(ConfigurationError, match="a handler is a function"):
        job_handler("it")(thing)


@pytest.mark.parametrize("name", ["", "-it", "it-", "two words", "ümlaut", "a" * 129, "a/b", "it\n"])
def test_a_bad_name_is_refused_with_file_and_line(name: str) -> None:
    def it() -> None: ...

    with pytest.raises(ConfigurationError, match=rf"^{HERE}:\d+: .* is no handler name"):
        job_handler(name)(it)


@pytest.mark.parametrize("name", ["a", "7", "sync_all-portfolios.v2", "a" * 128])
def test_a_name_that_a_manifest_can_hold_is_taken(name: str) -> None:
    job_handler(name)(lambda: None)
    assert name in REGISTRY


def test_the_decorator_without_a_name_says_how_to_write_it() -> None:
    with pytest.raises(ConfigurationError, match=rf'^{HERE}:\d+: write @job_handler\("a-name"\)'):

        @job_handler  # type: ignore[arg-type]
        def it() -> None: ...


def test_a_name_used_twice_names_both_places_and_belongs_to_neither() -> None:
    def one() -> None: ...
    def two() -> None: ...

    job_handler("it")(one)
    lines = [function.__code__.co_firstlineno for function in (one, two)]
    with pytest.raises(
        ConfigurationError, match=rf"^{HERE}:{lines[1]}: the name 'it' is already .* {HERE}:{lines[0]}$"
    ):
        job_handler("it")(two)
    with pytest.raises(
        ConfigurationError, match=rf"more than once: {HERE}:{lines[0]} and {HERE}:{lines[1]}$"
    ):
        REGISTRY.get("it")


def test_the_same_file_may_be_loaded_again() -> None:
    def it() -> None: ...

    registry = Registry()
    registry.add(make_handler(it, "it"))
    again = make_handler(it, "it")
    registry.add(again)
    assert registry.get("it") is again


def test_a_handler_that_comes_with_the_runner_gives_way_to_another_of_its_name() -> None:
    def own() -> None: ...

    orders: list[list[Callable[..., Any]]] = [[built_in, own], [own, built_in]]
    for order in orders:
        registry = Registry()
        for function in order:
            registry.add(make_handler(function, "hello"))
        assert registry.get("hello").function is own


def test_an_unknown_name_is_answered_with_those_there_are() -> None:
    with pytest.raises(UnknownHandler, match=r"^there is no handler 'it', and no other either$"):
        REGISTRY.get("it")
    job_handler("sync-prices")(lambda: None)
    with pytest.raises(UnknownHandler, match=r"'it'; there are: sync-prices$"):
        REGISTRY.get("it")
    with pytest.raises(UnknownHandler, match=r"did you mean 'sync-prices'\? There are: sync-prices$"):
        REGISTRY.get("sync_prices")
