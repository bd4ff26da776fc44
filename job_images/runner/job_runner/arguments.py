"""Checks a run's JSON arguments against the types of the handler's parameters.

pydantic does the work and is imported only when there is work: it takes longer to import than all the rest.
"""

import json
import sys
import warnings
from typing import TYPE_CHECKING, Any

from job_runner.errors import ConfigurationError, DataError
from job_runner.registry import Handler
from job_runner.signature import WHOLE
from job_runner.simple_types import simple_validator

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_NOTHING = {"type": "object", "properties": {}, "additionalProperties": False}


def validated(handler: Handler, text: str) -> dict[str, Any]:
    """The keyword arguments for `handler` from a JSON object. Raises DataError; it never quotes a value."""
    given = _object(text)
    signature = handler.signature
    if not signature.arguments and given:
        names = ", ".join(map(repr, given))
        raise DataError(f"handler {handler.name!r} takes no arguments, but got {names}")
    required = any(argument.required for argument in signature.arguments.values())
    described = _has_described_default(handler)
    if not given and not required and not described:
        return {}
    simple = None if signature.whole or described else simple_validator(signature.arguments)
    validator = simple or _adapter(handler)
    try:
        value = validator.validate_json(text)
    except ValueError as error:
        raise DataError(validation_text(error, root=WHOLE) or "the arguments are not valid") from None
    if signature.whole:
        return {WHOLE: value}
    members = value if isinstance(value, dict) else vars(value)
    return {name: member for name, member in members.items() if name in signature.arguments}


def schema(handler: Handler) -> dict[str, Any]:
    """JSON Schema of the handler's arguments. Raises ConfigurationError for types pydantic cannot check."""
    if not handler.signature.arguments:
        return dict(_NOTHING)
    from pydantic.errors import PydanticUserError  # noqa: PLC0415

    adapter = _adapter(handler)
    try:
        return adapter.json_schema()
    except PydanticUserError as error:
        raise _unusable(handler, error) from error


def validation_text(error: BaseException, *, root: str = "") -> str | None:
    """A pydantic ValidationError as one line without any input value; None for any other exception."""
    pydantic_core = sys.modules.get("pydantic_core")
    if pydantic_core is None or not isinstance(error, pydantic_core.ValidationError):
        return None
    details = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(
        f"{'.'.join([root or error.title, *map(str, detail['loc'])])}: {detail['msg']}" for detail in details
    )


def _object(text: str) -> dict[str, Any]:
    try:
        given = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(f"the arguments are not JSON: {error.msg}, line {error.lineno}") from None
    except (ValueError, RecursionError):
        raise DataError(
            "the arguments are not JSON that can be read: too deep, or a number too long"
        ) from None
    if not isinstance(given, dict):
        raise DataError('the arguments are not a JSON object: write for instance {"batch": 100}')
    return given


def _has_described_default(handler: Handler) -> bool:
    """Whether a default is not the value itself but a description of it made with pydantic's Field."""
    defaults = [argument.default for argument in handler.signature.arguments.values()]
    return any(type(default).__module__ == "pydantic.fields" for default in defaults)


def _adapter(handler: Handler) -> "TypeAdapter[Any]":
    from pydantic import ConfigDict, TypeAdapter, create_model  # noqa: PLC0415  (120 ms, see above)
    from pydantic.errors import PydanticUserError  # noqa: PLC0415

    arguments = handler.signature.arguments
    try:
        if handler.signature.whole:
            return TypeAdapter(arguments[WHOLE].annotation)
        members: dict[str, Any] = {
            name: (argument.annotation, ... if argument.required else argument.default)
            for name, argument in arguments.items()
        }
        with warnings.catch_warnings():  # a parameter may well be called `json` or `copy`
            warnings.simplefilter("ignore", UserWarning)
            config = ConfigDict(extra="forbid", protected_namespaces=())
            return TypeAdapter(create_model(handler.name, __config__=config, **members))
    except (PydanticUserError, NameError, TypeError, ValueError) as error:
        raise _unusable(handler, error) from error


def _unusable(handler: Handler, error: Exception) -> ConfigurationError:
    reason = next(iter(str(error).splitlines()), type(error).__name__)
    return ConfigurationError(f"{handler.place}: handler {handler.name!r}: {reason}")
