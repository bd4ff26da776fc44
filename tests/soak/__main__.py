"""`python -m tests.soak`: kill the operator after every kind of write, again and again."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.soak.away import play_away
from tests.soak.rig import Rig
from tests.soak.scenario import Outcome, play
from tests.soak.stories import STORIES, UNCOMPARED
from tests.soak.strikes import Strikes
from tests.soak.table import table

UNDISTURBED = Path(__file__).parent / "undisturbed.json"
"""The final states of a round in which nothing was killed."""
UNHURT = timedelta(seconds=12)
"""How long before its first slot such a round begins."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="go on until the operator was killed so often")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default=",".join(STORIES), help="stories, separated by commas")
    parser.add_argument("--without", default="", help="stories to leave out, separated by commas")
    parser.add_argument("--away", action="store_true", help="then a round of absences, of 9 minutes")
    parser.add_argument("--json", type=Path, help="write everything to this file")
    parser.add_argument("--keep", action="store_true", help="keep the logs")
    parser.add_argument("--write", action="store_true", help=f"write {UNDISTURBED.name} anew")
    options = parser.parse_args(argv)
    return asyncio.run(_soak(options))


async def _soak(options: argparse.Namespace) -> int:
    stories = [name for name in options.only.split(",") if name not in options.without.split(",")]
    strikes = Strikes(seed=options.seed, kills_left=options.kills)
    rig = await Rig.start(strikes=strikes)
    outcomes: list[Outcome] = []
    try:
        undisturbed = await play(rig, number=0, stories=stories, quota=0, reference=None, setting_up=UNHURT)
        outcomes.append(undisturbed)
        _show(undisturbed, strikes=strikes)
        if options.write and not undisturbed.problems:
            _write(undisturbed)
        while strikes.kills_left > 0:
            number = len(outcomes)
            outcome = await play(
                rig, number=number, stories=stories, quota=number, reference=undisturbed.states
            )
            outcomes.append(outcome)
            _show(outcome, strikes=strikes)
            _save(options.json, outcomes=outcomes, strikes=strikes)
        if options.away:
            outcomes.append(await play_away(rig, number=len(outcomes)))
            _show(outcomes[-1], strikes=strikes)
            _save(options.json, outcomes=outcomes, strikes=strikes)
    finally:
        keep = options.keep or any(outcome.problems for outcome in outcomes)
        await rig.stop(keep=keep)
        if keep:
            print(f"logs: {rig.folder}", file=sys.stderr)
    print(table(strikes=strikes, outcomes=outcomes))
    return 1 if any(outcome.problems for outcome in outcomes) else 0


def _write(undisturbed: Outcome) -> None:
    """A line for each field, so that differences can be read."""
    lines = [
        f" {json.dumps(story)}: {{\n  "
        + ",\n  ".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in sorted(state.items()))
        + "\n }"
        for story, state in sorted(undisturbed.states.items())
        if story not in UNCOMPARED
    ]
    UNDISTURBED.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def _show(outcome: Outcome, *, strikes: Strikes) -> None:
    print(
        f"{time.strftime('%H:%M:%S')} round {outcome.round}: {outcome.seconds:.0f} s, {outcome.jobs} Jobs, "
        f"{strikes.kills} kills so far, problems in {len(outcome.problems)} of {len(outcome.states)} stories"
        + (f", too late: {', '.join(outcome.late)}" if outcome.late else ""),
        flush=True,
    )
    for story, sentences in outcome.problems.items():
        for sentence in sentences:
            print(f"    {story}: {sentence}", flush=True)


def _save(path: Path | None, *, outcomes: Sequence[Outcome], strikes: Strikes) -> None:
    if path is None:
        return
    done: dict[str, dict[str, int]] = {}
    for (kind, moment), count in strikes.done.items():
        done.setdefault(kind, {})[moment] = count
    document: dict[str, Any] = {
        "strikes": done,
        "kills": strikes.kills,
        "writes": dict(strikes.seen),
        "rounds": [asdict(outcome) for outcome in outcomes],
    }
    path.write_text(json.dumps(document, indent=1, default=str))


if __name__ == "__main__":
    sys.exit(main())
