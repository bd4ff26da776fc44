"""What a reader finds in a file: jobs, and what cannot be carried over."""

from dataclasses import dataclass, field
from typing import Any

from scheduledjob_operator.models.types import parse_duration

LEAST_DEADLINE = parse_duration("10s")
MOST_DEADLINE = parse_duration("720h")
"""Bounds of startingDeadline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A job as it was read: its spec is not checked yet, and its name may be another's, too."""

    line: int
    name: str
    spec: dict[str, Any] = field(repr=False)
    namespace: str | None = None
    exact: bool = False
    """Whether it keeps its name or is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One sentence about what could not be carried over, and why."""

    line: int
    text: str
    malformed: bool = False
    """Whether the file itself is wrong there, so that nobody can know what was meant."""


Finding = Draft | Remark


class UnreadableError(ValueError):
    """Something that cannot be carried over; its text is the sentence that says why."""

    def __init__(self, text: str, *, malformed: bool = False) -> None:
        super().__init__(text)
        self.malformed = malformed

    def at(self, line: int) -> Remark:
        return Remark(line=line, text=str(self), malformed=self.malformed)


def literal_dollars(text: str, *, variables: frozenset[str]) -> str:
    """A text of which Kubernetes makes the given one again: it expands $(NAME), and makes one $ of two."""
    touched = "$$" in text or any(f"$({name})" in text for name in variables)
    return text.replace("$", "$$") if touched else text
