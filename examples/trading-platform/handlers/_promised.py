"""Values of an answer that have to be what was promised. What is not is a DataError, which says where."""

from decimal import Decimal, InvalidOperation
from typing import Any

from job_runner import DataError


def json_object(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DataError(f"{what} is no JSON object")
    return value


def json_list(value: object, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise DataError(f"{what} is no list")
    return value


def text(value: object, what: str) -> str:
    if not isinstance(value, str) or not value or not value.isprintable():
        raise DataError(f"{what} is no text in one line")
    return value


def whole_number(value: object, what: str, *, most: int = 2**31 - 1) -> int:
    """A number of things, such as a column of the database holds."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise DataError(f"{what} is no whole number from 0")
    return value


def amount(value: object, what: str, *, above: bool = True) -> Decimal:
    """An amount. It comes as text, as a JSON number would be rounded. above: it has to be more than 0."""
    try:
        number = Decimal(value) if isinstance(value, str) else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number < 0 or (above and number == 0) or number >= Decimal(10) ** 12:
        least = "above 0" if above else "from 0"
        raise DataError(f'{what} is no amount {least}: it is to be text such as "12.50"')
    return number
