from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runner.process import Runner


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    runner = Runner(tmp_path)
    yield runner
    runner.close()
