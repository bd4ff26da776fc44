"""Handlers are found in folders and behind entry points; what is broken does not hide the rest."""

import json
import os
from pathlib import Path

import pytest

from tests.runner.process import Ended, Runner


def error_of(ended: Ended) -> str:
    assert ended.message is not None
    return f"{ended.message['error']['type']}: {ended.message['error']['message']}"


BROKEN = {
    "a syntax error": ("def f(:\n", "SyntaxError: invalid syntax (line 2)"),
    "an import that fails": (
        "import not_installed",
        "ModuleNotFoundError: No module named 'not_installed' (line 2)",
    ),
    "an error": ("\n1 / 0", "ZeroDivisionError: division by zero (line 3)"),
    "an exit": ("import sys\nsys.exit(3)", "SystemExit: exit code 3 (line 3)"),
    "a bad handler": (
        "@job_handler('x')\ndef x(rows): ...",
        (
            "ConfigurationError: {path}:2: handler 'x': parameter 'rows' has no annotation: "
            "write for instance rows: int (line 2)"
        ),
    ),
}


@pytest.mark.parametrize(("text", "error"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_reported_and_the_rest_load(runner: Runner, text: str, error: str) -> None:
    path = runner.write("a_broken.py", text)
    runner.write("good.py", "@job_handler('good')\ndef good(): return 1")
    expected = f"not loaded: {path}: {error.format(path=path)}"
    ended = runner.run("run", "good")
    assert ended.exit_code == 0
    assert expected in ended.messages
    listed = runner.run("list")
    assert listed.exit_code == 0
    assert expected in listed.lines
    assert any(line.startswith("good ") for line in listed.lines)


def test_a_handler_whose_own_file_is_broken_fails_with_that_files_error(runner: Runner) -> None:
    path = runner.write("jobs.py", "@job_handler('it')\ndef it(): ...\n1 / 0")
    ended = runner.run("run", "it")
    assert ended.exit_code == 78
    assert error_of(ended) == (
        f"ConfigurationError: handler 'it' is in {path}, which is broken: "
        "ZeroDivisionError: division by zero (line 4)"
    )


@pytest.mark.parametrize("text", ["@job_handler('it')\ndef it(: ...", '@job_handler(\n    "it")\nasync it'])
def test_a_file_that_cannot_be_read_is_searched_for_the_names_it_would_register(
    runner: Runner, text: str
) -> None:
    path = runner.write("jobs.py", text)
    ended = runner.run("run", "it")
    assert ended.exit_code == 78
    assert f"handler 'it' is in {path}, which is broken: SyntaxError" in error_of(ended)


def test_an_unknown_handler_is_answered_with_what_could_not_be_loaded(runner: Runner) -> None:
    runner.write("jobs.py", "1 / 0")
    ended = runner.run("run", "it")
    assert ended.exit_code == 64
    assert "jobs.py: ZeroDivisionError: division by zero" in error_of(ended)


def test_files_that_begin_with_an_underscore_or_a_dot_are_no_handlers_but_can_be_shared(
    runner: Runner,
) -> None:
    runner.write("_shared.py", "NUMBER = 42\nprint('loaded once')")
    runner.write(".hidden.py", "1 / 0")
    runner.write("one.py", "from _shared import NUMBER\n@job_handler('one')\ndef one(): return NUMBER")
    runner.write("two.py", "from _shared import NUMBER\n@job_handler('two')\ndef two(): return NUMBER")
    (runner.handlers / "sub").mkdir()
    (runner.handlers / "sub" / "three.py").write_text("1 / 0")
    (runner.handlers / "notes.txt").write_text("1 / 0")
    ended = runner.run("run", "two")
    assert ended.message is not None
    assert ended.message["value"] == 42
    assert ended.lines.count("loaded once") == 1
    assert not any("not loaded" in message for message in ended.messages)


def test_a_file_named_like_a_library_does_not_stand_in_for_it(runner: Runner) -> None:
    runner.write("json.py", "import json\n@job_handler('json')\ndef it(): return json.loads('7')")
    ended = runner.run("run", "json")
    assert ended.message is not None
    assert ended.message["value"] == 7


def test_files_of_a_mounted_config_map_are_found(runner: Runner) -> None:
    data = runner.handlers / "..2026_11_22"
    data.mkdir()
    (data / "it.py").write_text("from job_runner import *\n@job_handler('it')\ndef it(): return 1")
    (runner.handlers / "..data").symlink_to(data.name)
    (runner.handlers / "it.py").symlink_to("..data/it.py")
    assert runner.run("run", "it").exit_code == 0


def test_a_file_may_hold_several_handlers_and_a_handler_may_be_pickled(runner: Runner) -> None:
    runner.write(
        "jobs.py",
        "import pickle\ndef helper(): return 5\n"
        "@job_handler('one')\ndef one(): return pickle.loads(pickle.dumps(helper))()\n"
        "@job_handler('two')\nasync def two(): return 2",
    )
    for name, value in {"one": 5, "two": 2}.items():
        ended = runner.run("run", name)
        assert ended.message is not None
        assert ended.message["value"] == value


def test_a_handler_file_may_import_another_which_is_loaded_once(runner: Runner) -> None:
    runner.write("a.py", "from b import two\n@job_handler('one')\ndef one(): return two()")
    runner.write("b.py", "print('loaded')\n@job_handler('two')\ndef two(): return 2")
    for name in ("one", "two"):
        ended = runner.run("run", name)
        assert ended.message is not None
        assert ended.message["value"] == 2
        assert ended.lines.count("loaded") == 1


def test_worker_processes_can_import_what_is_in_a_handler_file(runner: Runner) -> None:
    runner.write(
        "it.py",
        "import multiprocessing\ndef double(number): return 2 * number\n"
        "@job_handler('it')\ndef it():\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool: return pool.map(double, [1, 2])",
    )
    ended = runner.run("run", "it")
    assert ended.message is not None
    assert ended.message["value"] == [2, 4]


def test_a_name_used_in_two_files_is_exit_78_and_names_both(runner: Runner) -> None:
    runner.write("a.py", "@job_handler('it')\ndef it(): ...")
    runner.write("b.py", "@job_handler('it')\ndef it(): ...\n")
    runner.write("c.py", "@job_handler('other')\ndef other(): ...")
    ended = runner.run("run", "it")
    assert ended.exit_code == 78
    folder = runner.handlers
    assert error_of(ended) == (
        f"ConfigurationError: the name 'it' is used more than once: {folder}/a.py:2 and {folder}/b.py:2"
    )
    assert runner.run("run", "other").exit_code == 0


def test_a_name_used_twice_in_one_file_is_exit_78(runner: Runner) -> None:
    runner.write("a.py", "@job_handler('it')\ndef one(): ...\n@job_handler('it')\ndef two(): ...")
    assert runner.run("run", "it").exit_code == 78


def test_several_folders_are_searched_in_order(runner: Runner, tmp_path: Path) -> None:
    more = tmp_path / "more"
    more.mkdir()
    for folder, name in ((runner.handlers, "one"), (more, "two")):
        (folder / "same.py").write_text(
            f"from job_runner import *\n@job_handler('{name}')\ndef it(): return __name__"
        )
    path = os.pathsep.join([str(runner.handlers), "", str(more)])
    for name, module in {"one": "same", "two": "same__2"}.items():
        ended = runner.run("run", name, env={"SCHEDULEDJOB_HANDLERS_PATH": path})
        assert ended.message is not None
        assert ended.message["value"] == module


def test_a_folder_that_is_none_is_exit_78_for_list_too(runner: Runner) -> None:
    ended = runner.run("list", "--handlers", "/does/not/exist")
    assert ended.exit_code == 78
    assert "/does/not/exist of SCHEDULEDJOB_HANDLERS_PATH is not a folder" in ended.errors


def install(site: Path, distribution: str, *, module: str, text: str, entry_points: dict[str, str]) -> None:
    """An installed distribution, as pip leaves it: a module and its metadata."""
    (site / f"{module}.py").write_text(f"from job_runner import *\n{text}\n")
    metadata = site / f"{distribution}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    lines = [f"{name} = {value}" for name, value in entry_points.items()]
    (metadata / "entry_points.txt").write_text("\n".join(["[job_runner.handlers]", *lines]))


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    return folder


def test_a_handler_of_an_installed_distribution_is_found_by_its_entry_point(
    runner: Runner, site: Path
) -> None:
    text = "@job_handler('sync')\ndef sync(): return 'synced'"
    install(site, "acme", module="acme", text=text, entry_points={"sync": "acme:sync"})
    ended = runner.run("run", "sync", env={"PYTHONPATH": str(site)})
    assert ended.message is not None
    assert ended.message["value"] == "synced"
    listed = json.loads("\n".join(runner.run("list", "-o", "json", env={"PYTHONPATH": str(site)}).lines))
    found = {handler["name"]: handler["source"] for handler in listed["handlers"]}
    assert found["sync"] == "acme"
    assert found["hello"] == "scheduledjob-job-runner"


def test_an_entry_point_may_name_a_module_of_many_handlers(runner: Runner, site: Path) -> None:
    text = "@job_handler('one')\ndef one(): return 1\n@job_handler('two')\ndef two(): return 2"
    install(site, "acme", module="acme", text=text, entry_points={"acme-handlers": "acme"})
    ended = runner.run("run", "two", env={"PYTHONPATH": str(site)})
    assert ended.message is not None
    assert ended.message["value"] == 2


def test_only_the_entry_point_that_is_needed_is_loaded(runner: Runner, site: Path) -> None:
    install(
        site, "heavy", module="heavy", text="print('heavy was loaded')", entry_points={"heavy": "heavy:x"}
    )
    ended = runner.run("run", "hello", env={"PYTHONPATH": str(site)})
    assert "heavy was loaded" not in ended.lines


def test_a_broken_entry_point_is_reported_and_its_handler_is_exit_78(runner: Runner, site: Path) -> None:
    install(site, "acme", module="acme", text="1 / 0", entry_points={"sync": "acme:sync"})
    ended = runner.run("run", "sync", env={"PYTHONPATH": str(site)})
    assert ended.exit_code == 78
    assert error_of(ended) == (
        "ConfigurationError: handler 'sync' is in entry point sync of acme, which is broken: "
        "ZeroDivisionError: division by zero"
    )
    listed = runner.run("list", env={"PYTHONPATH": str(site)})
    assert "not loaded: entry point sync of acme: ZeroDivisionError: division by zero" in listed.lines


def test_a_name_in_the_folder_and_in_a_distribution_is_exit_78(runner: Runner, site: Path) -> None:
    text = "@job_handler('sync')\ndef sync(): ..."
    install(site, "acme", module="acme", text=text, entry_points={"sync": "acme:sync"})
    runner.write("sync.py", text)
    ended = runner.run("run", "sync", env={"PYTHONPATH": str(site)})
    assert ended.exit_code == 78
    assert "is used more than once" in error_of(ended)


def test_a_handler_of_the_folder_replaces_one_that_comes_with_the_runner(runner: Runner) -> None:
    runner.write("hello.py", "@job_handler('hello')\ndef hello(): return 'mine'")
    ended = runner.run("run", "hello")
    assert ended.message is not None
    assert ended.message["value"] == "mine"
    assert not any("not loaded" in message for message in ended.messages)
    listed = runner.run("list")
    assert not any("not loaded" in line for line in listed.lines)
