"""The command line says when something runs, and what to write instead of what it cannot read."""

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from scheduledjob_operator.cli import main


def called(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(main, arguments, input=stdin)


def test_it_prints_the_next_runs_and_who_fires_them() -> None:
    result = called("next", "0 0 1 1 *", "--count", "2")
    first, second, who = result.stdout.splitlines()
    assert first.split()[0].endswith("-01-01T00:00:00Z")
    assert int(second[:4]) == int(first[:4]) + 1
    assert who == "fired by Kubernetes as 0 0 1 1 *"


@pytest.mark.parametrize(
    ("arguments", "who"),
    [
        (("*/10 * * * * *",), "the operator as */10 * * * * *"),
        (("--every", "90s"), "the operator as @every 90s"),
        (("--every", "1h"), "Kubernetes as 0 * * * *"),
        (("0 6 L * *",), "the operator as 0 6 L * *"),
    ],
)
def test_it_knows_who_fires(arguments: tuple[str, ...], who: str) -> None:
    assert called("next", *arguments).stdout.splitlines()[-1] == f"fired by {who}"


def test_it_warns_of_slots_that_the_clocks_skip_or_repeat() -> None:
    result = called("next", "30 2 * * *", "--time-zone", "Europe/Berlin")
    assert result.stderr.startswith("note: on ")
    assert "the clocks of Europe/Berlin skip 02:30, so that slot does not run" in result.stderr


def test_a_hashed_schedule_is_the_same_as_on_the_cluster() -> None:
    one = called("next", "H * * * *", "--name", "shop/clean-up").stdout
    assert one == called("next", "H * * * *", "--name", "shop/clean-up").stdout
    others = {called("next", "H * * * *", "--name", f"shop/{number}").stdout for number in range(5)}
    assert len(others) > 1


def test_it_reads_the_examples() -> None:
    for path in sorted(Path("examples").glob("*.yaml")):
        result = called("next", "--filename", str(path))
        assert result.exit_code == 0, result.output
    result = called("next", "-f", "-", stdin=Path("examples/16-once.yaml").read_text(encoding="utf-8"))
    assert result.stdout.splitlines()[:2] == [
        "default/once:",
        "2030-01-01T07:00:00Z  Tue 2030-01-01 07:00:00 UTC",
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        ((), 2, "Give one of SCHEDULE, --every and --filename."),
        (("* * * * *", "--every", "5m"), 2, "Give one of SCHEDULE"),
        (("* * 7 * * 7 *",), 65, "fields"),
        (("--every", "0s"), 65, "must be a duration from 1s to 8784h"),
        (("* * * * *", "--time-zone", "Berlin"), 65, 'write "Europe/Berlin"'),
        (("-f", "README.md"), 65, "README.md"),
    ],
)
def test_it_says_what_to_write_instead(arguments: tuple[str, ...], code: int, sentence: str) -> None:
    result = called("next", *arguments)
    assert result.exit_code == code
    assert sentence in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\xff\xfe\xfd", "is no text in UTF-8."),
        (b"a: [", "is no YAML: "),
        (b"kind: ScheduledJob\nspec: 3\n", "spec: must be an object"),
        (b"kind: ScheduledJob\nmetadata: x\nspec: [3]\n", "spec: must be an object"),
        (b"- kind: ScheduledJob\n", "has no ScheduledJob in it."),
        (b"", "has no ScheduledJob in it."),
    ],
)
def test_a_file_that_is_no_manifest_is_a_sentence(content: bytes, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "manifest.yaml"
    file.write_bytes(content)
    result = called("next", "-f", str(file))
    assert result.exit_code == 65, result.output
    assert sentence in result.stderr


def test_the_page_of_the_command_line_shows_commands_that_can_be_given() -> None:
    page = Path("docs/command-line.md").read_text(encoding="utf-8")
    shown = re.findall(r"^\$ kubectl scheduledjob (.+)$", page, re.MULTILINE)
    assert len(shown) > 8
    for line in shown:
        verb: click.Command = main
        arguments = shlex.split(line)
        while isinstance(verb, click.Group):
            _, found, arguments = verb.resolve_command(click.Context(verb), arguments)
            assert found is not None
            verb = found
        verb.make_context(line, arguments)  # raises UsageError
