"""Arguments are checked against the handler's types before it is called."""

import json
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from pydantic_core import SchemaValidator

from job_runner import ConfigurationError, DataError
from job_runner.arguments import _adapter, schema, validated, validation_text
from job_runner.registry import make_handler
from job_runner.simple_types import simple_validator


class Window(BaseModel, extra="forbid"):
    start: date
    days: int = Field(default=7, gt=0)


def scalars(batch: int, ratio: float = 0.5, dry: bool = False, name: str | None = None) -> None: ...
def whole(args: Window) -> None: ...
def whole_default(args: Window = Window(start=date(2026, 1, 1))) -> None: ...  # noqa: B008
def free(args: dict[str, Any]) -> None: ...
def part(window: Window) -> None: ...
def constrained(batch: Annotated[int, Field(gt=0, le=1000)] = 100) -> None: ...
def described(batch: int = Field(default=100, gt=0)) -> None: ...
def shadowing(json: int, copy: str, model_config_: int = 0) -> None: ...
def nothing() -> None: ...
def chosen(side: Literal["buy", "sell"]) -> None: ...
def nested(rows: list[dict[str, int | None]]) -> None: ...


ACCEPTED = {
    "scalars": (scalars, {"batch": 3}, {"batch": 3}),
    "all scalars": (
        scalars,
        {"batch": 3, "ratio": 1, "dry": True, "name": "x"},
        {"batch": 3, "ratio": 1.0, "dry": True, "name": "x"},
    ),
    "a number in quotes": (scalars, {"batch": "3"}, {"batch": 3}),
    "a model": (whole, {"start": "2026-11-22"}, {"args": Window(start=date(2026, 11, 22))}),
    "a model that has a default": (whole_default, {}, {}),
    "a free object": (free, {"a": [1, None]}, {"args": {"a": [1, None]}}),
    "a model for one argument": (
        part,
        {"window": {"start": "2026-11-22"}},
        {"window": Window(start=date(2026, 11, 22))},
    ),
    "a constraint": (constrained, {"batch": 1000}, {"batch": 1000}),
    "defaults are the function's": (constrained, {}, {}),
    "a default in a Field": (described, {}, {"batch": 100}),
    "names that a model has itself": (shadowing, {"json": 1, "copy": "x"}, {"json": 1, "copy": "x"}),
    "no arguments": (nothing, {}, {}),
    "a nested type": (nested, {"rows": [{"a": 1, "b": None}]}, {"rows": [{"a": 1, "b": None}]}),
}


@pytest.mark.parametrize(("function", "given_", "expected"), ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(function: Callable[..., Any], given_: object, expected: dict[str, Any]) -> None:
    passed = validated(make_handler(function, "it"), json.dumps(given_))
    assert {name: passed[name] for name in expected} == expected
    function(**passed)


CANARY = "canary-7b1f"
REFUSED = {
    "a wrong type": (
        scalars,
        {"batch": CANARY},
        "args.batch: Input should be a valid integer, unable to parse string as an integer",
    ),
    "one that is missing": (scalars, {}, "args.batch: Field required"),
    "one too many": (
        scalars,
        {"batch": 1, "bach": CANARY},
        "args.bach: Extra inputs are not permitted",
    ),
    "several at once": (
        scalars,
        {"batch": CANARY, "dry": CANARY},
        (
            "args.batch: Input should be a valid integer, unable to parse string as an integer; "
            "args.dry: Input should be a valid boolean, unable to interpret input"
        ),
    ),
    "a constraint": (constrained, {"batch": 0}, "args.batch: Input should be greater than 0"),
    "a constraint in a default": (described, {"batch": 0}, "args.batch: Input should be greater than 0"),
    "a member of a model": (
        whole,
        {"start": CANARY},
        "args.start: Input should be a valid date or datetime, invalid character in year",
    ),
    "a member of a part": (part, {"window": {}}, "args.window.start: Field required"),
    "a choice": (chosen, {"side": CANARY}, "args.side: Input should be 'buy' or 'sell'"),
    "an item": (nested, {"rows": [{}, {"a": CANARY}]}, "args.rows.1.a: Input should be a valid integer"),
    "any for a handler that takes none": (
        nothing,
        {"batch": CANARY},
        "handler 'it' takes no arguments, but got 'batch'",
    ),
    "no object": (scalars, [CANARY], "the arguments are not a JSON object"),
}


@pytest.mark.parametrize(("function", "given_", "sentence"), REFUSED.values(), ids=REFUSED)
def test_refused_without_quoting_the_value(
    function: Callable[..., Any], given_: object, sentence: str
) -> None:
    with pytest.raises(DataError) as refused:
        validated(make_handler(function, "it"), json.dumps(given_))
    assert str(refused.value).startswith(sentence)
    assert CANARY not in str(refused.value)
    assert refused.value.exit_code == 65


@pytest.mark.parametrize("text", ["", "{", f"{{{CANARY}}}", "[" * 100_000, '{"a": 1' + "0" * 5000 + "}"])
def test_text_that_is_no_json_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(DataError, match=r"^the arguments are not JSON") as refused:
        validated(make_handler(scalars, "it"), text)
    assert CANARY not in str(refused.value)


def test_a_type_that_cannot_be_checked_is_an_error_of_the_image_with_its_place() -> None:
    class Odd: ...

    def odd(thing: Odd) -> None: ...

    handler = make_handler(odd, "odd", local_names=locals())
    with pytest.raises(
        ConfigurationError, match=r"test_arguments\.py:\d+: handler 'odd': Unable to generate"
    ):
        validated(handler, '{"thing": 1}')
    with pytest.raises(ConfigurationError, match="Unable to generate"):
        schema(handler)


def test_the_schema_says_what_a_manifest_may_hold() -> None:
    assert schema(make_handler(nothing, "it")) == {
        "type": "object",
        "properties": {},
        "additionalProperties": False,
    }
    assert schema(make_handler(constrained, "it")) == {
        "title": "it",
        "type": "object",
        "properties": {
            "batch": {
                "title": "Batch",
                "type": "integer",
                "default": 100,
                "exclusiveMinimum": 0,
                "maximum": 1000,
            }
        },
        "additionalProperties": False,
    }
    assert schema(make_handler(whole, "it"))["required"] == ["start"]


def many(
    i: int,
    s: str,
    f: float = 1.0,
    b: bool = True,
    n: str | None = None,
    items: list[int] = [],  # noqa: B006
    table: dict[str, float] = {},  # noqa: B006
    anything: Any = None,
) -> None: ...


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["1", "true", "no"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["i", "s", "f", "b", "n", "items", "table", "anything", "more"]), JSON, max_size=9
    )
)
def test_simple_types_are_checked_exactly_as_pydantic_does(given_: dict[str, Any]) -> None:
    handler = make_handler(many, "it")
    simple = simple_validator(handler.signature.arguments)
    assert simple is not None
    text = json.dumps(given_)
    assert checked(simple, text) == checked(_adapter(handler), text)


def checked(validator: SchemaValidator | TypeAdapter[Any], text: str) -> str | None:
    """The members that were given, or the error."""
    try:
        value: Any = validator.validate_json(text)
    except ValidationError as error:
        return validation_text(error, root="args")
    members = value if isinstance(value, dict) else vars(value)
    return repr({name: members[name] for name in sorted(json.loads(text))})


@pytest.mark.parametrize("function", [whole, constrained, chosen, part])
def test_everything_else_is_left_to_pydantic(function: Callable[..., Any]) -> None:
    assert simple_validator(make_handler(function, "it").signature.arguments) is None
