"""Validators for the annotations that most handlers have, without importing pydantic.

pydantic takes 150 ms to import, its core a fraction of that. The core checks `int`, `str`, `list[str]` and
the like exactly as pydantic does, for pydantic itself calls it; everything else is left to pydantic.
"""

from collections.abc import Mapping
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from job_runner.signature import Argument

if TYPE_CHECKING:
    from pydantic_core import CoreSchema, SchemaValidator

_SCALARS: dict[Any, "CoreSchema"] = {
    str: {"type": "str"},
    int: {"type": "int"},
    float: {"type": "float"},
    bool: {"type": "bool"},
    Any: {"type": "any"},
}


def simple_validator(arguments: Mapping[str, Argument]) -> "SchemaValidator | None":
    """A validator from a JSON object to keyword arguments; None when pydantic is needed for one of them."""
    schemas = {name: _schema(argument.annotation) for name, argument in arguments.items()}
    known = {name: schema for name, schema in schemas.items() if schema is not None}
    if len(known) < len(schemas):
        return None
    from pydantic_core import SchemaValidator  # noqa: PLC0415  (not for runs without arguments)

    return SchemaValidator(
        {
            "type": "typed-dict",
            "extra_behavior": "forbid",
            "fields": {
                name: {"type": "typed-dict-field", "schema": schema, "required": arguments[name].required}
                for name, schema in known.items()
            },
        }
    )


def _schema(annotation: Any) -> "CoreSchema | None":
    if _hashable(annotation) and annotation in _SCALARS:
        return _SCALARS[annotation]
    inner = get_args(annotation)
    match get_origin(annotation):
        case origin if origin is list and inner and (items := _schema(inner[0])):
            return {"type": "list", "items_schema": items}
        case origin if origin is dict and inner[:1] == (str,) and (members := _schema(inner[1])):
            return {"type": "dict", "keys_schema": {"type": "str"}, "values_schema": members}
        case origin if origin in (Union, UnionType) and len(inner) == 2 and NoneType in inner:
            present = _schema(next(one for one in inner if one is not NoneType))
            return {"type": "nullable", "schema": present} if present else None
    return None


def _hashable(annotation: Any) -> bool:
    try:
        hash(annotation)
    except TypeError:
        return False
    return True
