"""A job as it is written in Python source, before anything is made of it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

ADD_JOB = (
    "func",
    "trigger",
    "args",
    "kwargs",
    "id",
    "name",
    "misfire_grace_time",
    "coalesce",
    "max_instances",
    "next_run_time",
    "jobstore",
    "executor",
    "replace_existing",
)
"""Parameters of add_job in their order; the decorator has those from the second one on."""


@dataclass(frozen=True, slots=True)
class Place:
    """Under which conditions something stands."""

    conditional: bool = False
    """Whether it stands under an if or in a loop."""
    arms: tuple[tuple[int, str], ...] = ()
    """Of every if around it: which one, and on which side."""

    def excludes(self, other: "Place") -> bool:
        """Whether no run of the program comes to both."""
        mine = dict(self.arms)
        return any(mine.get(branching, arm) != arm for branching, arm in other.arms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A job with what is said about it by name."""

    line: int
    column: int
    words: dict[str, ast.expr]
    place: Place = Place()
    function: str | None = None
    """Of a decorator: what is decorated."""
    unpacked: bool = False
    """Whether some of it is in * or **."""
    scheduler: str | None = None
    """The name of the scheduler that it is added to."""
    row: bool = False
    """Whether it is a row of a registry, which may have columns that APScheduler knows nothing of."""
    columns: int = 0
    """How many columns of a row stand behind those that are known by their place."""
    problem: str | None = None
    """Why it cannot be read, although it stands among jobs."""
    malformed: bool = True
    """Of the problem: whether it is a mistake."""

    @property
    def identity(self) -> str | None:
        """Its id, where that is a text."""
        node = self.words.get("id")
        return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def walk(tree: ast.Module) -> Iterator[tuple[ast.AST, Place]]:
    """Every node, in the order of the text, and where it stands."""
    waiting: list[tuple[ast.AST, Place]] = [(tree, Place())]
    while waiting:
        node, place = waiting.pop()
        yield node, place
        waiting += reversed(list(_children(node, place)))


def _children(node: ast.AST, place: Place) -> Iterator[tuple[ast.AST, Place]]:
    branches = isinstance(node, ast.If | ast.IfExp | ast.Match) and not _is_main(node)
    loops = isinstance(node, ast.For | ast.AsyncFor | ast.While)
    for name, value in ast.iter_fields(node):
        for number, child in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(child, ast.AST):
                continue
            if branches and name in {"body", "orelse", "cases"}:
                arm = f"case {number}" if name == "cases" else name
                yield child, Place(True, (*place.arms, (id(node), arm)))
            else:
                yield child, Place(True, place.arms) if loops else place


def _is_main(node: ast.AST) -> bool:
    """Whether it is the if of a module that is run as a program."""
    return isinstance(node, ast.If) and any(
        isinstance(part, ast.Name) and part.id == "__name__" for part in ast.walk(node.test)
    )
