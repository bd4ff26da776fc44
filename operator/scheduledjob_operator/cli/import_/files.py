"""What the verbs of `import` share: their options, and how files become manifests and sentences."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from scheduledjob_operator.cli.importing.findings import Finding, Remark
from scheduledjob_operator.cli.importing.manifests import Options, as_yaml, imported
from scheduledjob_operator.cli.next import BAD_DATA

Reader = Callable[[str], Iterable[Finding]]
Command = Callable[..., Any]

TIME_ZONE = click.option(
    "--time-zone", help="IANA time zone of the schedules, where the file names none. Default Etc/UTC."
)
IMAGE = click.option("--image", help="Container image to write into the manifests.")

_FILES = click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
)
_KEEP_GOING = click.option(
    "--keep-going", is_flag=True, help="Import the rest when something is malformed; without it nothing is."
)
_NAMESPACE = click.option("--namespace", "-n", help="Namespace to write into the manifests.")


def verb(name: str, *options: Command) -> Callable[[Command], click.Command]:
    """A verb of the group: its options stand before those of all of them."""

    def made(function: Command) -> click.Command:
        for option in reversed((_FILES, *options, _NAMESPACE, _KEEP_GOING)):
            function = option(function)
        return click.command(name)(function)

    return made


def show(
    files: tuple[Path, ...], *, reader: Reader, options: Options, keep_going: bool
) -> list[dict[str, Any]]:
    """Print all there is to say, and the manifests; these are the result."""
    findings = ((str(file), _findings_in(file, reader=reader)) for file in files)
    result = imported(findings, options=options, now=datetime.now(UTC))
    refused = bool(result.malformed) and not keep_going
    for sentence in result.malformed if refused else result.remarks:
        click.echo(sentence, err=True)
    if refused:
        click.echo("nothing is imported: correct this, or import the rest with --keep-going", err=True)
        raise click.exceptions.Exit(BAD_DATA)
    if not result.manifests:
        click.echo("there is no job to import", err=True)
    else:
        click.echo(as_yaml(result.manifests), nl=False)
    return result.manifests


def _findings_in(file: Path, *, reader: Reader) -> list[Finding]:
    with click.open_file(str(file), "rb") as stream:
        content = stream.read()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return [Remark(line=line, text="the line is not UTF-8: save the file as UTF-8", malformed=True)]
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        return [Remark(line=line, text="the line has a character NUL: give a file of text", malformed=True)]
    return list(reader(text))
