"""docs/systems.md says where each thing that five systems could do is shown, by tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

PAGE = Path("docs/systems.md")
SYSTEMS = ("market-data-caches", "token-catalogue", "trading-platform", "web-application", "lead-processor")
_NAMED = re.compile(r"`(tests/[a-z0-9_/]+\.py)::(test_[a-z0-9_]+)`")
_ROW = re.compile(r"^\| (?!it had|---)(.+?) \| .+ \| (.*) \|$", re.MULTILINE)


def functions_of(path: Path) -> set[str]:
    """The test functions and methods of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and "test_" in node.name
    }


def test_the_tests_that_the_page_names_exist() -> None:
    found = _NAMED.findall(PAGE.read_text(encoding="utf-8"))
    assert len(found) > 100
    assert [(path, name) for path, name in found if name not in functions_of(Path(path))] == []


def test_every_test_of_the_examples_is_named_by_the_page() -> None:
    named = set(_NAMED.findall(PAGE.read_text(encoding="utf-8")))
    files = sorted(Path("tests/examples").rglob("test_*.py"))
    assert len(files) >= 10
    tests = [(path.as_posix(), name) for path in files for name in sorted(functions_of(path))]
    assert [test for test in tests if test not in named] == []


def test_every_line_of_the_tables_names_a_test() -> None:
    rows = _ROW.findall(PAGE.read_text(encoding="utf-8"))
    assert len(rows) >= 50
    assert [had for had, shown in rows if not _NAMED.search(shown)] == []


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_system_has_its_section_and_its_folder(system: str) -> None:
    assert f"(../examples/{system})" in PAGE.read_text(encoding="utf-8")
    folder = Path("examples") / system
    needed = ("README.md", "Dockerfile", "kustomization.yaml", "scheduledjobs.yaml", "handlers")
    assert [name for name in needed if not (folder / name).exists()] == []
