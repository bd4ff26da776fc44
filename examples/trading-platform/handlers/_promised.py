"""Values of an answer that have to be what was promised. What is not is a DataError, which says where."""

from decimal import Context as Arithmetic
from decimal import Decimal, Inexact, InvalidOperation
from typing import Any

from job_runner import DataError

PLACES = 18
"""Decimals that the database keeps: as many as the smallest unit of any currency here has."""
_EXACTLY = Arithmetic(prec=40, traps=[Inexact, InvalidOperation])


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
    """An amount. It comes as text, as a JSON number would be rounded. above: it has to be more than 0.

    One that the database would have to round is a DataError too: what somebody owns is not changed silently.
    """
    least = "above 0" if above else "from 0"
    try:
        number = Decimal(value) if isinstance(value, str) else Decimal("NaN")
        if number.is_finite() and (0 < number < Decimal(10) ** 12 or (number == 0 and not above)):
            number.quantize(Decimal(1).scaleb(-PLACES), context=_EXACTLY)
            return number
    except (InvalidOperation, Inexact):
        pass
    raise DataError(
        f'{what} is no amount {least} with {PLACES} decimals at most: it is to be text such as "12.50"'
    )
