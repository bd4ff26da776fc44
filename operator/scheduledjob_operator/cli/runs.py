"""`kubectl scheduledjob runs`: what ran, what runs and what waits."""

from collections.abc import Sequence

import click

from scheduledjob_operator.cli.options import Place, in_a_cluster, output, print_data, print_table
from scheduledjob_operator.cli.run_list import COLUMNS, RUNNING, STATES, Listed, runs_of

MOST_NAMED = 10
"""How many runs are named where there is none of the name that was given."""


def _states(_context: click.Context, _parameter: click.Parameter, given: str | None) -> set[str]:
    """Read `Failed,TimedOut`."""
    known = {state.lower(): str(state) for state in STATES}
    words = [word.strip() for word in given.split(",")] if given is not None else []
    for word in words:
        if word.lower() not in known:
            raise click.BadParameter(f"{word!r} is none of {', '.join(STATES)}.")
    return {known[word.lower()] for word in words}


@click.command(short_help="What ran, what runs and what waits.")
@click.argument("name", required=False)
@click.argument("run", required=False)
@click.option("--running", is_flag=True, help=f"Only those that are active, as --result {RUNNING}.")
@click.option(
    "--result",
    "results",
    metavar="RESULT,...",
    callback=_states,
    help=f"Only those with one of these results: {', '.join(STATES)}.",
)
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="At most so many.")
@output
@in_a_cluster(all_namespaces=True)
def runs(
    place: Place,
    *,
    name: str | None,
    run: str | None,
    running: bool,
    results: set[str],
    limit: int,
    output: str | None,
) -> None:
    """Print the runs of a namespace, or of the ScheduledJob NAME, the newest first; or RUN of it, whole.

    RUN is the name of a run, or of a Job of it. A ScheduledJob keeps its last runs, history.runs of them.

    \b
    Examples:
      kubectl scheduledjob runs --running
      kubectl scheduledjob runs -A --result Failed,TimedOut
      kubectl scheduledjob runs portfolio-sync
      kubectl scheduledjob runs portfolio-sync portfolio-sync-29921980
    """  # noqa: D301  # click's own sign for a paragraph that stays as it is
    found = runs_of(place.found(name))
    if run is not None:
        print_data(_the_one(found, name=str(name), run=run).data(), form=output or "yaml")
        return
    wanted = results | ({RUNNING} if running else set())
    chosen = [listed for listed in found if not wanted or listed.state in wanted]
    if output is not None:
        print_data([listed.data() for listed in chosen[:limit]], form=output)
    elif chosen:
        print_table(place, COLUMNS, [listed.cells(now=place.clock.now()) for listed in chosen[:limit]])
    else:
        click.echo("No runs found.", err=True)
    if len(chosen) > limit:
        click.echo(f"{limit} of {len(chosen)} runs; more with --limit.", err=True)


def _the_one(found: Sequence[Listed], *, name: str, run: str) -> Listed:
    """The run of that name. Raises ClickException with the names that there are."""
    same = [listed for listed in found if listed.run.id == run]
    matches = same or [listed for listed in found if listed.is_called(run)]
    if matches:
        return matches[0]
    there = [listed.run.id for listed in found]
    if not there:
        raise click.ClickException(f"{name} has no run {run}, and no other one.")
    more = f" and {len(there) - MOST_NAMED} more" if len(there) > MOST_NAMED else ""
    raise click.ClickException(f"{name} has no run {run}. It has: {', '.join(there[:MOST_NAMED])}{more}.")
