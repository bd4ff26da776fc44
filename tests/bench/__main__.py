"""Measure the operator on a control plane of its own, and one large job on the test cluster: `make bench`.

Exit code 1 when a floor is broken: a count of requests, which does not depend on the machine. Times are shown
beside their goals and decide nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from tests.bench import builds, fetch_insert, firing, punctual
from tests.bench.figures import Figures, machine
from tests.bench.life import live
from tests.bench.throughput import Contest, compare, scaling
from tests.cluster.binaries import CONTROL_PLANE, build
from tests.cluster.paths import CHECKOUT

LIFE = ("floors", "restart", "memory", "latency")
ON_THE_CLUSTER = "fetch_insert"
SCENARIOS = ("throughput", *LIFE, "firing", "punctual", ON_THE_CLUSTER)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    add = parser.add_argument
    add(
        "--sizes",
        default="1000,10000",
        help="numbers of ScheduledJobs, but for firing and punctual (%(default)s)",
    )
    add("--only", action="append", choices=SCENARIOS, help="measure only this; may be repeated")
    add("--pairs", type=int, default=3, help="turns of the operator and its peer (default: %(default)s)")
    add("--json", type=Path, default=CHECKOUT / ".bench.json", help="file for the figures (%(default)s)")
    add("--short", action="store_true", help="fewer ScheduledJobs, one turn, less time")
    add("--source", type=Path, default=CHECKOUT / "operator", help="folder of the package to measure")
    chosen = parser.parse_args()
    if chosen.short:
        chosen.sizes, chosen.pairs = "1000", 1
    return chosen


async def run(chosen: argparse.Namespace, figures: Figures) -> None:
    # Ended by SIGTERM, it must not leave a control plane behind.
    if task := asyncio.current_task():
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    contest = Contest(python=builds.python(), source=chosen.source.resolve(), peer=builds.peer())
    sizes = [int(size) for size in chosen.sizes.split(",")]
    only = set(chosen.only or SCENARIOS)
    for size in sizes if only.intersection(LIFE) else ():
        print(f"{size:,} ScheduledJobs:", flush=True)
        await live(contest, figures, size=size, only=only, latency_seconds=20 if chosen.short else 60)
    if "throughput" in only:
        rates = {}
        for size in sizes:
            rates[size] = await compare(contest, figures, size=size, pairs=chosen.pairs, running=False)
            await compare(contest, figures, size=size, pairs=chosen.pairs, running=True)
        scaling(figures, rates=rates)
    if "firing" in only:
        await firing.measure(contest, figures, short=chosen.short)
    if "punctual" in only:
        await punctual.measure(contest, figures, short=chosen.short)


def main() -> int:
    chosen = arguments()
    if chosen.only != [ON_THE_CLUSTER]:
        build(*CONTROL_PLANE)
    figures = Figures()
    print(f"machine: {machine()}", flush=True)
    try:
        if chosen.only != [ON_THE_CLUSTER]:
            asyncio.run(run(chosen, figures))
        if ON_THE_CLUSTER in (chosen.only or SCENARIOS):
            fetch_insert.measure(figures, short=chosen.short, turns=chosen.pairs)
    except (asyncio.CancelledError, KeyboardInterrupt):
        return 130
    figures.write(chosen.json, arguments={key: str(value) for key, value in vars(chosen).items()})
    print(f"\n{figures.table()}\n\nwritten to {chosen.json}")
    for row in figures.broken_floors:
        print(f"broken floor: {row.what} with {row.size:,}: {row.text}, must be {row.goal}", file=sys.stderr)
    return 1 if figures.broken_floors else 0


if __name__ == "__main__":
    sys.exit(main())
