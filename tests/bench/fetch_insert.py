"""One large job on the test cluster: a million records from the sample API into PostgreSQL, by fetch_insert.

Beside it, on the same servers and into the same table: a plain COPY of records that are made up on the way,
and the obvious loop, which inserts one record after the other.
"""

from __future__ import annotations

import statistics
from typing import Any

from tests.bench.figures import Figure, Figures
from tests.cluster import providers, release
from tests.cluster.access import Cluster
from tests.examples import importing
from tests.examples.importing import COPY, IMPORT, INSERT, known
from tests.examples.proxy import opened
from tests.examples.system import System

RECORDS, FEW_RECORDS = 1_000_000, 100_000
LOOPED = 20_000
"""Records of the loop: a million would take minutes. Its rate is theirs."""
MEBIBYTE = 2**20
TIMEOUT = 600
ADDRESS = "http://api/v1/tokens?limit=5000"


def measure(figures: Figures, *, short: bool, turns: int) -> None:
    """The jobs take turns, as what else the machine does changes in minutes."""
    count = FEW_RECORDS if short else RECORDS
    provider = providers.choose()
    cluster = Cluster(provider.up(), provider.name)
    release.install(cluster, provider.load_images())
    with opened(cluster) as proxy, importing.tokens(cluster, provider, proxy, count=count) as system:
        print(f"{count:,} records:", flush=True)
        runs = [_turn(system, count) for _ in range(turns)]
    _show(figures, runs, count=count)


def _turn(system: System, count: int) -> dict[str, dict[str, Any]]:
    """The records of the runs by what they did."""
    runs = {}
    _empty(system)
    runs["COPY"] = _succeeded(system, COPY, args={"count": count})
    _empty(system)
    runs["fetch_insert"] = _succeeded(system, IMPORT)
    assert known(system) == runs["fetch_insert"]["value"]["inserted"] == count
    runs["again"] = _succeeded(system, IMPORT)
    assert runs["again"]["value"]["inserted"] == 0
    _empty(system)
    runs["loop"] = _succeeded(system, INSERT, args={"count": LOOPED, "url": ADDRESS})
    return runs


def _succeeded(system: System, name: str, *, args: dict[str, Any] | None = None) -> dict[str, Any]:
    record = system.run(name, args=args, timeout=TIMEOUT)
    assert record["result"] == "Succeeded", record
    return record


def _empty(system: System) -> None:
    """What is still to be written of the turn before is written now."""
    system.sql("TRUNCATE tokens")
    system.sql("CHECKPOINT")


def _show(figures: Figures, runs: list[dict[str, dict[str, Any]]], *, count: int) -> None:
    rates = {
        what: [(LOOPED if what == "loop" else count) / float(run[what]["durationSeconds"]) for run in runs]
        for what in runs[0]
    }
    names = {
        "COPY": "plain COPY",
        "fetch_insert": "fetch_insert",
        "again": "fetch_insert, second run",
        "loop": f"loop of single inserts, of {LOOPED:,}",
    }
    for what, name in names.items():
        figures.median(size=count, what=name, samples=rates[what], unit="records/s")
    shares = [mine / copy for mine, copy in zip(rates["fetch_insert"], rates["COPY"], strict=True)]
    share = statistics.median(shares)
    figures.add(
        Figure(
            size=count,
            what="fetch_insert / plain COPY",
            value=share,
            goal="at least a third",
            met=share >= 1 / 3,
            samples=tuple(shares),
        )
    )
    peak = max(int(run[what]["peakMemoryBytes"]) for run in runs for what in ("fetch_insert", "again"))
    figures.add(
        Figure(
            size=count,
            what="fetch_insert: peak memory, in a pod of 256 MiB",
            value=round(peak / MEBIBYTE),
            unit="MiB",
        )
    )
    figures.detail(fetch_insert=runs)
