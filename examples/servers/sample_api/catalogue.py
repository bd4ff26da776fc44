"""What the sample API serves: collections from JSON files, kept in memory or made up as they are read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

NUMBER = "{n}"
"""In a generated item: stands for the item's number. A text that is only this becomes the number itself."""
PIECES = 1000


class Collection(Protocol):
    """Items in a fixed order, each as a piece of JSON text."""

    def total(self, chosen: Mapping[str, str]) -> int: ...

    def pieces(self, offset: int, limit: int, chosen: Mapping[str, str]) -> list[str]: ...

    def find(self, key: str) -> Any: ...


class Listed:
    """Items of a file, which may be changed; an action such as `restart` merges what the file says for it."""

    def __init__(
        self, items: list[dict[str, Any]], actions: Mapping[str, dict[str, Any]] | None = None
    ) -> None:
        self.items = items
        self.actions = actions or {}

    def total(self, chosen: Mapping[str, str]) -> int:
        return len(self._chosen(chosen))

    def pieces(self, offset: int, limit: int, chosen: Mapping[str, str]) -> list[str]:
        return [json.dumps(item) for item in self._chosen(chosen)[offset : offset + limit]]

    def _chosen(self, chosen: Mapping[str, str]) -> list[dict[str, Any]]:
        """The items whose fields have, as text, the values asked for."""
        if not chosen:
            return self.items
        return [
            item for item in self.items if all(str(item.get(field)) == text for field, text in chosen.items())
        ]

    def find(self, key: str) -> dict[str, Any] | None:
        return next((item for item in self.items if str(item.get("id")) == key), None)

    def merge(self, key: str, fields: Mapping[str, Any]) -> dict[str, Any] | None:
        """Change some fields of an item."""
        item = self.find(key)
        if item is not None:
            item.update(fields)
        return item

    def put(self, item: dict[str, Any]) -> dict[str, Any]:
        """Add an item, or replace the one with its id."""
        known = self.find(str(item.get("id")))
        if known is None:
            self.items.append(item)
        else:
            self.items[self.items.index(known)] = item
        return item


class Generated:
    """As many items as wanted, made up from a pattern while they are read: nothing of them is kept."""

    def __init__(self, count: int, item: Mapping[str, Any]) -> None:
        self.count = count
        # An item is this text with the number between its parts, which is the fastest that Python can do.
        text = json.dumps(item).replace(f'"{NUMBER}"', NUMBER)
        self._parts = text.split(NUMBER)

    def total(self, chosen: Mapping[str, str]) -> int:
        return 0 if chosen else self.count

    def pieces(self, offset: int, limit: int, chosen: Mapping[str, str]) -> list[str]:
        if chosen:
            return []
        parts = self._parts
        return [str(number).join(parts) for number in range(offset + 1, min(offset + limit, self.count) + 1)]

    def find(self, key: str) -> Any:
        """An item by its number, which is the last thing in its id."""
        digits = key.rpartition("-")[2]
        if not digits.isdecimal() or not 1 <= int(digits) <= self.count:
            return None
        return json.loads(digits.join(self._parts))


def read(folder: Path) -> dict[str, Collection]:
    """The collections of `NAME.json`: a list, {"items", "actions"} or {"generate": {"count", "item"}}."""
    return {path.stem: _collection(json.loads(path.read_text())) for path in sorted(folder.glob("*.json"))}


def _collection(content: Any) -> Collection:
    if isinstance(content, list):
        return Listed(content)
    if "generate" in content:
        wanted = content["generate"]
        return Generated(wanted["count"], wanted.get("item", {"id": f"item-{NUMBER}", "number": NUMBER}))
    return Listed(content["items"], content.get("actions"))


def blocks(collection: Collection, *, size: int = PIECES) -> Iterator[list[str]]:
    """All items, some at a time."""
    for offset in range(0, collection.total({}), size):
        yield collection.pieces(offset, size, {})
