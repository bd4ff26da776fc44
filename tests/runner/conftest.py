from collections.abc import Iterator
from pathlib import Path

import pytest

from job_runner.registry import REGISTRY
from tests.runner.process import Runner


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    runner = Runner(tmp_path)
    yield runner
    runner.close()


@pytest.fixture
def empty_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that register handlers in their own process."""
    monkeypatch.setattr(REGISTRY, "_handlers", {})
    monkeypatch.setattr(REGISTRY, "_rivals", {})
