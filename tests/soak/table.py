"""The figures of a soak, for people. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from tests.soak.scenario import Outcome
from tests.soak.strikes import EVERY_MOMENT, Strikes
from tests.soak.trial import Trial, takeovers_by_kind

MOST_ROWS = 10
"""Of more ScheduledJobs than these only the sum is shown, and no more problems."""
LEDGER = ("succeeded in the ledger", "Unknown", "Skipped as it was disabled")


def table(*, strikes: Strikes, outcomes: Sequence[Outcome]) -> str:
    """Markdown: strikes by kind of write and moment, then what came of them."""
    heads = ["write", *(str(moment) for moment in EVERY_MOMENT), "writes in all"]
    lines = [f"| {' | '.join(heads)} |", f"|---|{'---:|' * (len(heads) - 1)}"]
    for kind in sorted(strikes.seen):
        cells = [str(strikes.done[kind, moment]) for moment in EVERY_MOMENT]
        lines.append(f"| {kind} | {' | '.join(cells)} | {strikes.seen[kind]} |")
    sums = [str(sum(strikes.done[kind, moment] for kind in strikes.seen)) for moment in EVERY_MOMENT]
    lines.append(f"| all | {' | '.join(sums)} | {sum(strikes.seen.values())} |")
    sentences = [text for outcome in outcomes for texts in outcome.problems.values() for text in texts]
    kinds = {
        name: sum(text.startswith(name) for text in sentences) for name in ("doubled", "lost", "different")
    }
    lines.append("")
    lines.append(
        f"{strikes.kills} kills, {sum(outcome.jobs for outcome in outcomes)} Jobs in {len(outcomes)} rounds: "
        f"{kinds['doubled']} doubled, {kinds['lost']} lost, {kinds['different']} differences "
        f"from the undisturbed round, {len(sentences) - sum(kinds.values())} other problems"
    )
    return "\n".join(lines)


def trial_table(trial: Trial) -> str:
    """Markdown: what became of the slots, then how long there was no leader."""
    heads = ["ScheduledJob", "slots", "Jobs", "of these caught up", "doubled", "missing", *LEDGER]
    lines = [f"| {' | '.join(heads)} |", f"|---|{'---:|' * (len(heads) - 1)}"]
    rows = [
        [found.slots, found.jobs, found.caught_up, len(found.doubled), len(found.missing)]
        + [found.counts[end] for end in ("succeeded", "unknown", "skipped")]
        for found in trial.tallies
    ]
    if len(rows) <= MOST_ROWS:
        lines += [
            f"| {found.name} | {' | '.join(map(str, row))} |"
            for found, row in zip(trial.tallies, rows, strict=True)
        ]
    lines.append(
        f"| all {len(rows)} | {' | '.join(str(sum(column)) for column in zip(*rows, strict=True))} |"
    )
    if trial.takeovers:
        lines += [
            "",
            "| the leader ended by | times | median | longest | at most |",
            "|---|---:|---:|---:|---:|",
        ]
    limits = {takeover.after: takeover.limit for takeover in trial.takeovers}
    lines += [
        f"| {after} | {len(times)} | {statistics.median(times):.1f} s | {max(times):.1f} s "
        f"| {limits[after]:.0f} s |"
        for after, times in takeovers_by_kind(trial.takeovers).items()
    ]
    problems = [*trial.problems, *trial.slow]
    more = [f"and {len(problems) - MOST_ROWS} more problems"] if len(problems) > MOST_ROWS else []
    return "\n".join([*lines, "", *trial.notes, *problems[:MOST_ROWS], *more])
