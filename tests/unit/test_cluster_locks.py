"""A cluster that another session uses is told from one that nobody uses."""

import io
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import locks

USER = """
import sys
import threading
from pathlib import Path
from tests.cluster import locks
locks.USING = Path(sys.argv[1])
locks.use()
print("uses it", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def own_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(locks, "USING", tmp_path / "users")
    monkeypatch.setattr(locks, "CHANGING", tmp_path / "lock")
    used: list[io.TextIOWrapper] = []
    monkeypatch.setattr(locks, "_used", used)
    yield
    for lock in used:
        lock.close()


def test_a_cluster_that_nobody_uses_may_be_made_anew() -> None:
    assert not locks.others_use_it()


def test_our_own_use_does_not_count() -> None:
    locks.use()
    assert not locks.others_use_it()


def test_another_process_uses_it_until_it_ends_however_it_ends(tmp_path: Path) -> None:
    command = [sys.executable, "-c", USER, str(tmp_path / "users")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as user:
        assert user.stdout is not None
        assert user.stdout.readline() == "uses it\n"
        locks.use()
        assert locks.others_use_it()
        user.kill()
        user.wait()
        assert not locks.others_use_it()


def test_one_command_waits_for_the_other(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    holder = USER.replace("locks.USING", "locks.CHANGING").replace(
        "locks.use()", "held = locks.alone(); held.__enter__()"
    )
    command = [sys.executable, "-c", holder, str(tmp_path / "lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        other.stdout.readline()
        threading.Timer(0.2, other.kill).start()
        with locks.alone():
            assert other.wait(timeout=5) < 0
    assert "waiting for it" in capfd.readouterr().err
