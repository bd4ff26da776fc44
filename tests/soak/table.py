"""The figures of a soak, for people. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from tests.soak.scenario import Outcome
from tests.soak.strikes import EVERY_MOMENT, Strikes


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
