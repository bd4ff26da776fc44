"""What was seen of namespaces: their master switches, and which are being deleted. In memory, no I/O."""

from collections.abc import Collection
from dataclasses import dataclass, field

from scheduledjob_operator.observed import Body
from scheduledjob_operator.suspension import Switch, namespace_switch


@dataclass(slots=True, kw_only=True)
class _Namespace:
    uid: str
    switch: Switch | None
    going: bool
    inside: set[str] = field(default_factory=set, compare=False)
    """Uids of what is in it for sure."""


@dataclass(slots=True)
class Namespaces:
    """Those that have a master switch or are being deleted; nothing is remembered of the others.

    A namespace of before may have had the same name, and what is in either is seen by watches of its own.
    So that one is being deleted is a reason to ask; what it is about is `inside` only after that.
    """

    _seen: dict[str, _Namespace] = field(default_factory=dict)

    def switch(self, name: str) -> Switch | None:
        """The master switch of a namespace, while its annotation is there."""
        seen = self._seen.get(name)
        return seen.switch if seen else None

    def is_going(self, name: str) -> bool:
        """Whether a namespace was seen to be deleted: nothing new can be made in it."""
        seen = self._seen.get(name)
        return seen is not None and seen.going

    def put(self, body: Body) -> bool:
        """Take in a namespace; whether its master switch has changed, or it is being deleted now."""
        metadata = body["metadata"]
        name, before = metadata["name"], self._seen.pop(metadata["name"], None)
        going = "deletionTimestamp" in metadata
        switch = None if going else namespace_switch(metadata.get("annotations") or {})
        if going or switch:
            seen = _Namespace(uid=metadata["uid"], switch=switch, going=going)
            if before is not None and before.uid == seen.uid:
                seen.inside = before.inside
            self._seen[name] = seen
        return self._seen.get(name) != before

    def drop(self, name: str) -> bool:
        """A namespace is gone; whether anything was remembered of it."""
        return self._seen.pop(name, None) is not None

    def drop_earlier(self, body: Body) -> None:
        """Forget one that is being deleted when this one, which was asked for, has come after it.

        A master switch of this one is left to its watch, which then has news and wakes what is in it.
        """
        metadata = body["metadata"]
        seen = self._seen.get(metadata["name"])
        # Of the same uid, what was seen is the newer: no namespace comes back from its deletion.
        if seen is not None and seen.going and seen.uid != metadata["uid"]:
            del self._seen[metadata["name"]]

    def missing(self, uids: Collection[str]) -> list[str]:
        """Names of those that are not among the uids of all that exist."""
        return [name for name, seen in self._seen.items() if seen.uid not in uids]

    def has_inside(self, name: str, uids: Collection[str]) -> bool:
        """Whether these objects are in a namespace that is being deleted, and not in one of its name."""
        seen = self._seen.get(name)
        return seen is not None and seen.going and seen.inside.issuperset(uids)

    def put_inside(self, name: str, uids: Collection[str]) -> None:
        """The namespace was being deleted when these had been seen already: they are in it, or were."""
        if name in self._seen:
            self._seen[name].inside.update(uids)
