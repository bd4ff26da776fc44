"""What the verbs that talk to a cluster have in common: kubectl's own options, and how they print."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import update_wrapper
from typing import Any

import click
import yaml

from scheduledjob_operator.cli.clock import Clock
from scheduledjob_operator.cli.scheduled_jobs import Named, ScheduledJobs

Verb = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a verb looks: the cluster, and a namespace of it, or all of them."""

    jobs: ScheduledJobs
    chosen: str | None
    """The namespace; None: all."""

    @property
    def namespace(self) -> str:
        assert self.chosen is not None, "this verb is about one namespace"
        return self.chosen

    @property
    def clock(self) -> Clock:
        return self.jobs.clock

    def found(self, name: str | None) -> list[Named]:
        """The ScheduledJob of that name, or all where none is named. Raises UsageError."""
        if name is None:
            return self.jobs.all(self.chosen)
        if self.chosen is None:
            raise click.UsageError("NAME is in one namespace: leave out NAME or --all-namespaces.")
        return [self.jobs.get(self.chosen, name)]


def in_a_cluster(*, all_namespaces: bool = False) -> Callable[[Verb], Verb]:
    """Give a verb its Place as first argument, and kubectl's options to choose it."""

    def decorate(verb: Verb) -> Verb:
        @click.option("-n", "--namespace", metavar="NAMESPACE", help="The namespace.")
        @click.option("--context", "cluster_context", metavar="NAME", help="The context of the kubeconfig.")
        @click.option("--kubeconfig", metavar="FILE", help="The kubeconfig, in place of KUBECONFIG.")
        @click.pass_context
        def with_place(
            context: click.Context,
            /,
            namespace: str | None,
            cluster_context: str | None,
            kubeconfig: str | None,
            **given: Any,
        ) -> None:
            _check(name=given.get("name"), run=given.get("run"), namespace=namespace or None)
            everywhere = given.pop("all_namespaces", False)
            jobs = _connected(context, kubeconfig=kubeconfig, cluster_context=cluster_context)
            verb(Place(jobs, None if everywhere else namespace or jobs.namespace), **given)

        decorated = update_wrapper(with_place, verb)
        if all_namespaces:
            return click.option("-A", "--all-namespaces", is_flag=True, help="In all namespaces.")(decorated)
        return decorated

    return decorate


def _check(**names: str | None) -> None:
    """Raise UsageError for what would lead elsewhere as a part of an address, such as to all of them."""
    for what, name in names.items():
        if name == "":
            raise click.UsageError(f"{what.upper()} is empty.")
        if name is not None and (name in (".", "..") or "/" in name):
            raise click.UsageError(f"{what.upper()} is no name: it may not be . or .., nor have a / in it.")


def _connected(
    context: click.Context, *, kubeconfig: str | None, cluster_context: str | None
) -> ScheduledJobs:
    """What a verb talks to: the cluster, or what a test has put into the context."""
    if context.obj is None:
        # Half a second, for the verbs that talk to a cluster.
        from scheduledjob_operator.cli.kubernetes_api import KubernetesScheduledJobs  # noqa: PLC0415

        context.obj = KubernetesScheduledJobs.connect(kubeconfig=kubeconfig, context=cluster_context)
    jobs: ScheduledJobs = context.obj
    return jobs


output = click.option(
    "-o", "--output", type=click.Choice(["json", "yaml"]), help="Print the data in place of a table."
)
"""The option of verbs that can print what they found as data."""


class _Readable(yaml.SafeDumper):
    """Text of several lines, such as the tail of a log, is shown in lines."""


_Readable.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None
    ),
)


def print_data(data: Any, *, form: str) -> None:
    """Print data as json or yaml."""
    if form == "json":
        click.echo(json.dumps(data, indent=2))
    else:
        # With escapes for letters it would be one line again.
        click.echo(yaml.dump(data, Dumper=_Readable, sort_keys=False, allow_unicode=True).rstrip())


def print_table(place: Place, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns, as kubectl does: the first one, NAMESPACE, only where there may be several."""
    first = 0 if place.chosen is None else 1
    table = [[shown(cell) for cell in row[first:]] for row in (columns, *rows)]
    widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
    for row in table:
        click.echo("   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def shown(text: str) -> str:
    """A line as a terminal may get it: what a run has left may hold anything, escape sequences too."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
