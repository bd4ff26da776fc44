"""What all objects have in common."""

from dataclasses import dataclass
from datetime import datetime
from sys import intern
from typing import Any, Self

from scheduledjob_operator.models.types import parse_time

Body = dict[str, Any]


def moment(text: str | None) -> datetime | None:
    """An API time as an aware UTC datetime."""
    return parse_time(text) if text else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The controlling owner of an object."""

    kind: str
    name: str
    uid: str

    @classmethod
    def of(cls, metadata: Body) -> Self | None:
        for reference in metadata.get("ownerReferences") or ():
            if reference.get("controller"):
                # One text for all Jobs of a CronJob: there are thousands of them.
                kind, name, uid = (intern(reference[key]) for key in ("kind", "name", "uid"))
                return cls(kind=kind, name=name, uid=uid)
        return None
