"""Whatever the text of a file is, a reader ends: with manifests, or with sentences."""

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduledjob_operator.cli import main

VERBS = (("apscheduler",), ("crontab",), ("crontab", "--system"), ("env",), ("cronjobs",))

# ruff: noqa: SIM905  # words side by side
VALUES = (
    "'cron' | 'interval' | 'date' | f | self.f | 'a:f' | None | True | 0 | -1 | 1e999 | 999999999 | "
    "'0 3 * * *' | '@daily' | '* * *' | 'UTC' | 'Asia/Tokyo' | '' | '\\ud800' | '2030-01-01' | [1] | {} | "
    "{1} | {'type': 'cron'} | CronTrigger(hour=1) | datetime(2030, 1, 1) | f'{x}' | lambda: 0"
).split(" | ")
WORDS = (
    "trigger id func args kwargs hour day day_of_week weeks seconds start_date run_date timezone jitter "
    "replace_existing enabled coalesce max_instances misfire_grace_time cron timeout max_retries tags"
).split()
NAMES = "s.add_job CronTrigger.from_crontab BackgroundScheduler s.configure Job s.pause_job".split()
CRON = "* 5 7 */2 5/15 5~7 ~ 1-7 fri-mon L % \\% @daily root /bin/x".split()
ENV = "JOB_X X _CRON _ENABLED _INTERVAL_SECONDS _TIMEOUT _TZ TZ = 0 9999999999".split()
MARKS = "\n|\r| |#|'|\"|=|%|\t|@|$|-|<|:|[|]|{|}|,|&a|*a".split("|")


def pieces(*texts: str) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from((*texts, *MARKS)) | st.text(max_size=3), max_size=30).map("".join)


@st.composite
def python(draw: st.DrawFn) -> str:
    """Calls and rows that are nearly right."""
    lines = []
    for _ in range(draw(st.integers(0, 4))):
        columns = ", ".join(draw(st.lists(st.sampled_from(VALUES), max_size=5)))
        words = draw(st.dictionaries(st.sampled_from(WORDS), st.sampled_from(VALUES), max_size=4))
        row = ", ".join(f"{word!r}: {value}" for word, value in words.items())
        call = f"{draw(st.sampled_from(NAMES))}(*[{columns}], **{{{row}}})"
        if draw(st.booleans()):
            arguments = [*filter(None, [columns]), *(f"{word}={value}" for word, value in words.items())]
            call = f"{draw(st.sampled_from(NAMES))}({', '.join(arguments)})"
        rows = (call, f"[[{columns}], {{{row}}}]", f"{{'x': [{columns}], 'y': {{{row}}}}}")
        lines.append(draw(st.sampled_from(rows)))
    return "\n".join(lines)


def read_to_the_end(*verb: str, text: str) -> None:
    result = CliRunner().invoke(
        main, ("import", *verb, "--keep-going", "-"), input=text.encode(errors="replace")
    )
    assert result.exit_code == 0, (result.exception, text)


@pytest.mark.parametrize("verb", VERBS)
@settings(max_examples=100, deadline=None)
@given(text=pieces(*CRON, *ENV, *WORDS, *VALUES))
def test_a_reader_never_raises_whatever_the_text(verb: tuple[str, ...], text: str) -> None:
    read_to_the_end(*verb, text=text)


@settings(max_examples=100, deadline=None)
@given(text=python())
def test_python_that_is_nearly_right_raises_nothing(text: str) -> None:
    read_to_the_end("apscheduler", text=text)


@settings(max_examples=100, deadline=None)
@given(fields=st.lists(st.sampled_from(CRON), min_size=5, max_size=5), command=pieces("/bin/x", "%", "root "))
def test_a_crontab_line_raises_nothing(fields: list[str], command: str) -> None:
    line = f"{' '.join(fields)} {command}"
    read_to_the_end("crontab", text=f"{line}\n# {line}")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ENV[2:7]), st.sampled_from(CRON + ENV)), max_size=6))
def test_an_env_file_raises_nothing(variables: list[tuple[str, str]]) -> None:
    read_to_the_end("env", text="\n".join(f"JOB_X{ending}={value}" for ending, value in variables))
