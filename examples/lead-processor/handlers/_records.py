"""What others' answers must look like. A DataError names the first thing that is wrong, but not its value."""

from collections.abc import Mapping
from typing import Any

from job_runner import DataError


def page_of(answer: Any, number: int) -> tuple[list[Any], str | None]:
    """(the items of a page, the cursor of the next one or None)"""
    if not isinstance(answer, dict) or not isinstance(answer.get("items"), list):
        raise DataError(f"page {number} is not an object with a list of items")
    cursor = answer.get("cursor")
    if cursor is not None and not isinstance(cursor, str):
        raise DataError(f"page {number}: cursor is not a text")
    return answer["items"], cursor or None


def texts_of(item: Any, fields: Mapping[str, str], place: str) -> dict[str, str]:
    """Fields of an item, under the names that they have here: (name here -> field of the item)."""
    if not isinstance(item, dict):
        raise DataError(f"{place} is not an object")
    for field in fields.values():
        text = item.get(field)
        if not isinstance(text, str) or not text.strip() or "\0" in text:
            raise DataError(f"{place}: {field} is not a text, or is empty")
    return {name: item[field] for name, field in fields.items()}
