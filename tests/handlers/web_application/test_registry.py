"""The registry of the web application becomes its manifests, and each of them has its handler."""

import re
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from scheduledjob_operator.cli import main
from tests.cluster.paths import CHECKOUT

FOLDER = CHECKOUT / "examples" / "web-application"


def imported(path: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["import", "apscheduler", str(path), *options])


def test_the_manifests_are_what_the_import_of_the_registry_prints() -> None:
    done = imported(FOLDER / "registry.py")
    assert done.exit_code == 0
    assert done.stdout == (FOLDER / "scheduledjobs.yaml").read_text()


def test_the_loop_that_registers_the_jobs_is_named_as_what_was_not_read() -> None:
    (line,) = imported(FOLDER / "registry.py").stderr.splitlines()
    where, _, what = line.partition(": ")
    assert where.endswith("registry.py:46")
    assert what.startswith("function is not imported: the crontab expression is not a literal")


def test_every_job_of_the_registry_has_one_handler_file() -> None:
    manifests = list(yaml.safe_load_all((FOLDER / "scheduledjobs.yaml").read_text()))
    handlers = {body["spec"]["handler"] for body in manifests}
    files = {path.stem for path in (FOLDER / "handlers").glob("[!_]*.py")}
    assert handlers == files
    for name in files:
        text = (FOLDER / "handlers" / f"{name}.py").read_text()
        assert re.findall(r'@job_handler\("(.*)"\)', text) == [name]


def test_one_of_them_is_switched_off_as_it_was() -> None:
    manifests = list(yaml.safe_load_all((FOLDER / "scheduledjobs.yaml").read_text()))
    off = [body["metadata"]["name"] for body in manifests if not body["spec"].get("enabled", True)]
    assert off == ["prune-audit-log"]


@pytest.mark.parametrize("options", [(), ("--keep-going",)])
def test_an_id_that_two_rows_have_is_an_error_with_both_lines(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    text = (FOLDER / "registry.py").read_text()
    doubled = tmp_path / "registry.py"
    doubled.write_text(text.replace('job_id="warm-cache"', 'job_id="send-digest"'))
    first = text[: text.index('job_id="send-digest"')].count("\n") + 1
    second = text[: text.index('job_id="warm-cache"')].count("\n") + 1
    done = imported(doubled, *options)
    assert f"registry.py:{second}: " in done.stderr
    assert f"the job of line {first} has the same id" in done.stderr
    names = [body["metadata"]["name"] for body in yaml.safe_load_all(done.stdout) if body]
    assert (done.exit_code, len(names)) == ((0, 5) if options else (65, 0))
