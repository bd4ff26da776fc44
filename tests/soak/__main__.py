"""`python -m tests.soak`: kill the operator after every kind of write, again and again; and its leaders."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.soak.away import play_away
from tests.soak.late import LATE, play_late
from tests.soak.leaders import play_leaders
from tests.soak.partitions import play_partitions
from tests.soak.punctual import play_punctual
from tests.soak.rig import Rig
from tests.soak.scenario import Outcome, play
from tests.soak.stories import STORIES, UNCOMPARED
from tests.soak.strikes import Strikes
from tests.soak.table import table, trial_table
from tests.soak.trial import Trial

UNDISTURBED = Path(__file__).parent / "undisturbed.json"
"""The final states of a round in which nothing was killed."""
UNHURT = timedelta(seconds=12)
"""How long before its first slot such a round begins."""

Play = Callable[..., Awaitable[Trial]]
TRIALS: dict[str, Play] = {
    "leaders": play_leaders,
    "partitions": play_partitions,
    "punctual": play_punctual,
}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    add = parser.add_argument
    add(
        "--kills", type=int, help="go on until the operator was killed so often; 200 if nothing else is asked"
    )
    add("--seed", type=int, default=1)
    add("--only", default=",".join(STORIES), help="stories, separated by commas")
    add("--without", default="", help="stories to leave out, separated by commas")
    add("--away", action="store_true", help="then a round of absences, of 9 minutes")
    for name in TRIALS:
        add(f"--{name}", type=float, default=0.0, metavar="MINUTES", help=f"{name}, for so long")
    add("--late", action="store_true", help="then a write that is delivered late, in two minutes")
    add("--json", type=Path, help="write everything to this file")
    add("--keep", action="store_true", help="keep the logs")
    add("--write", action="store_true", help=f"write {UNDISTURBED.name} anew")
    options = parser.parse_args(argv)
    if options.kills is None:
        others = options.away or options.late or any(getattr(options, name) for name in TRIALS)
        options.kills = 0 if others else 200
    return asyncio.run(_soak(options))


async def _soak(options: argparse.Namespace) -> int:
    problems = 0
    if options.kills or options.away or options.write:
        problems += await _kill(options)
    for name, trial in TRIALS.items():
        if minutes := getattr(options, name):
            problems += await _try(trial, minutes=minutes, options=options)
    if options.late:
        problems += await _try(play_late, minutes=LATE / 60, options=options)
    return 1 if problems else 0


async def _kill(options: argparse.Namespace) -> int:
    """The rounds of kills, and the absences; how many have problems."""
    stories = [name for name in options.only.split(",") if name not in options.without.split(",")]
    strikes = Strikes(seed=options.seed, kills_left=options.kills)
    outcomes: list[Outcome] = []
    async with _rig(strikes, alone=True, keep=lambda: options.keep or _problems(outcomes) > 0) as rig:
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
    print(table(strikes=strikes, outcomes=outcomes))
    return _problems(outcomes)


def _problems(outcomes: Sequence[Outcome]) -> int:
    return sum(len(outcome.problems) for outcome in outcomes)


async def _try(play_trial: Play, *, minutes: float, options: argparse.Namespace) -> int:
    """One trial, on a control plane of its own; how many problems it has."""
    trials: list[Trial] = []

    def keep() -> bool:
        return options.keep or not trials or bool(trials[0].problems + trials[0].slow)

    async with _rig(Strikes(seed=options.seed), alone=False, keep=keep) as rig:
        trial = await play_trial(rig, number=0, seconds=minutes * 60, seed=options.seed)
        trials.append(trial)
    print(
        f"{time.strftime('%H:%M:%S')} {trial.name}: {trial.seconds:.0f} s\n\n{trial_table(trial)}\n",
        flush=True,
    )
    if options.json is not None:
        path = options.json.with_suffix(f".{trial.name}.json")
        path.write_text(json.dumps(asdict(trial), indent=1, default=str))
    return len(trial.problems) + len(trial.slow)


@asynccontextmanager
async def _rig(strikes: Strikes, *, alone: bool, keep: Callable[[], bool]) -> AsyncIterator[Rig]:
    rig = await Rig.start(strikes=strikes, alone=alone)
    try:
        yield rig
    finally:
        kept = keep()
        await rig.stop(keep=kept)
        if kept:
            print(f"logs: {rig.folder}", file=sys.stderr)


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
