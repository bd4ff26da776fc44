"""JSON as it was written: numbers that are not whole keep their digits."""

import json
from typing import Any, NoReturn

from job_runner.fetching.flaws import NotAsPromised


class Number(str):
    """A number with a fraction or an exponent, as text: a float would round it."""

    __slots__ = ()


def parsed(text: str) -> Any:
    """The value of a JSON text. Raises NotAsPromised."""
    try:
        return _DECODER.decode(text)
    except RecursionError:
        raise NotAsPromised("its JSON is nested too deep") from None
    except ValueError:  # also for a whole number of more than 4,300 digits
        raise NotAsPromised("it is not JSON") from None


def json_text(value: Any) -> str:
    """JSON again, with every number as it was written."""
    match value:
        case Number():
            return str(value)
        case dict():
            return "{" + ",".join(f"{_quoted(name)}:{json_text(item)}" for name, item in value.items()) + "}"
        case list():
            return "[" + ",".join(map(json_text, value)) + "]"
    return _quoted(value)


def _refuse(_constant: str) -> NoReturn:
    raise ValueError


_DECODER = json.JSONDecoder(parse_float=Number, parse_constant=_refuse)
_quoted = json.JSONEncoder(ensure_ascii=False).encode
