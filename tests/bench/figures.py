"""The results: figures with their goals, as a table for people and as JSON for comparing."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.cluster import versions


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured figure."""

    size: int
    """How many ScheduledJobs there were."""
    what: str
    value: float
    unit: str = ""
    goal: str = ""
    met: bool | None = None
    """None where there is no goal."""
    floor: bool = False
    """Counted in requests, so it must be met on every machine, however slow or busy."""
    samples: tuple[float, ...] = ()
    """What the value is the median of."""
    note: str = ""

    @property
    def text(self) -> str:
        shown = _number(self.value)
        if len(self.samples) > 1:
            shown += f" ({_number(min(self.samples))} to {_number(max(self.samples))})"
        return f"{shown} {self.unit}".rstrip()


def _number(value: float) -> str:
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.1f}" if abs(value) >= 100 else f"{value:.3g}"


@dataclass
class Figures:
    """All figures of one run of the benchmark."""

    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    rows: list[Figure] = field(default_factory=list)
    details: list[dict[str, Any]] = field(default_factory=list)

    def add(self, figure: Figure) -> None:
        """Keep a figure, and show it at once: a run takes minutes."""
        self.rows.append(figure)
        verdict = {True: "met", False: "MISSED", None: ""}[figure.met]
        goal = f"  (goal {figure.goal}: {verdict})" if figure.goal else ""
        print(f"  {figure.size:>6,}  {figure.what}: {figure.text}{goal}", flush=True)

    def floor(self, *, size: int, what: str, value: float, most: float, exactly: bool = False) -> None:
        """A count of requests that must hold: at most so many, or exactly so many."""
        met = value == most if exactly else value <= most
        goal = _number(most) if exactly else f"at most {_number(most)}"
        self.add(Figure(size=size, what=what, value=value, goal=goal, met=met, floor=True))

    def time(
        self, *, size: int, what: str, seconds: float, most: float | None = None, note: str = ""
    ) -> None:
        """A length of time, which on a slow machine may miss its goal."""
        goal = "" if most is None else f"at most {_number(most)} s"
        met = None if most is None else seconds <= most
        self.add(
            Figure(size=size, what=what, value=round(seconds, 3), unit="s", goal=goal, met=met, note=note)
        )

    def median(self, *, size: int, what: str, samples: Sequence[float], unit: str, note: str = "") -> float:
        """The median of repeated measurements, shown with its spread."""
        value = statistics.median(samples)
        self.add(Figure(size=size, what=what, value=value, unit=unit, samples=tuple(samples), note=note))
        return value

    def detail(self, **values: Any) -> None:
        """Something for the JSON file only."""
        self.details.append(values)

    @property
    def broken_floors(self) -> list[Figure]:
        return [row for row in self.rows if row.floor and not row.met]

    def table(self) -> str:
        """A table in Markdown."""
        lines = ["| ScheduledJobs | what | figure | goal | met |", "|---:|---|---:|---|---|"]
        for row in self.rows:
            met = {True: "yes", False: "**no**", None: ""}[row.met]
            lines.append(f"| {row.size:,} | {row.what} | {row.text} | {row.goal} | {met} |")
        return "\n".join(lines)

    def write(self, path: Path, *, arguments: dict[str, Any]) -> None:
        document = {
            "began": self.began.isoformat(timespec="seconds"),
            "ended": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine(),
            "arguments": arguments,
            "figures": [asdict(row) for row in self.rows],
            "details": self.details,
        }
        path.write_text(json.dumps(document, indent=1) + "\n")


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memoryBytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": platform.platform(),
        "python": platform.python_version(),
        "kubernetes": versions.KUBERNETES,
        "etcd": versions.ETCD,
        "loadAverage": [round(load, 2) for load in os.getloadavg()],
    }
