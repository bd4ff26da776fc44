"""A recorded process is ended only when it is provably the one that was recorded."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cluster.processes import (
    Processes,
    Record,
    boot_id,
    command_line,
    end,
    is_ours,
    naming,
    parse_stat,
    program,
    start_ticks,
)
from tests.cluster.progress import ClusterError
from tests.waiting import wait_until

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(600)
"""


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    made = Processes(tmp_path)
    yield made
    made.stop(timeout=0.1)


def test_the_name_in_a_stat_line_may_hold_spaces_and_parentheses() -> None:
    line = "4711 (a (very) odd) name) S 17 4711 4711 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 987654 9 10"
    assert parse_stat(line) == ("S", 17, 987654)


@pytest.mark.parametrize(
    ("executable", "name"),
    [
        ("/cache/bin/etcd-3.6.6", "etcd"),
        ("/cache/bin/kube-apiserver-1.35.4", "kube-apiserver"),
        ("/usr/bin/containerd", "containerd"),
        ("/usr/bin/containerd-shim-runc-v2", "containerd-shim-runc-v2"),
        ("/usr/bin/python3.11", "python3.11"),
    ],
)
def test_a_program_is_known_by_its_name_whatever_its_version(executable: str, name: str) -> None:
    assert program(executable) == name


def test_a_started_process_is_recorded_and_runs(processes: Processes) -> None:
    record = processes.start("sleeper", SLEEP)
    assert [each.name for each in processes.running()] == ["sleeper"]
    assert Processes(processes.folder).records() == [record]


@pytest.mark.parametrize(
    "stolen",
    [
        pytest.param({"start_ticks": 1}, id="an earlier start time"),
        pytest.param({"boot_id": "another boot"}, id="an earlier boot"),
        pytest.param({"argv": ["etcd"]}, id="another command line"),
    ],
)
def test_a_process_that_got_the_pid_later_is_not_ours(
    processes: Processes, stolen: dict[str, object]
) -> None:
    record = processes.start("sleeper", SLEEP)
    assert is_ours(record)
    assert not is_ours(replace(record, **stolen))  # type: ignore[arg-type]


def test_stopping_spares_a_process_that_got_a_recorded_pid(tmp_path: Path, processes: Processes) -> None:
    innocent = processes.start("innocent", SLEEP)
    stale = Processes(tmp_path / "earlier")
    (stale.folder / "pids").mkdir(parents=True)
    text = (tmp_path / "pids/innocent.json").read_text().replace(boot_id(), "an-earlier-boot")
    (stale.folder / "pids/innocent.json").write_text(text)
    stale.stop()
    assert is_ours(innocent)
    assert stale.records() == []


def test_stopping_ends_the_process_and_forgets_it(processes: Processes) -> None:
    record = processes.start("sleeper", SLEEP)
    processes.stop("sleeper")
    assert start_ticks(record.pid) is None
    assert processes.records() == []


def test_a_process_that_ignores_sigterm_is_killed(processes: Processes) -> None:
    record = processes.start("stubborn", [sys.executable, "-c", STUBBORN])
    wait_until(lambda: "deaf" in processes.log("stubborn").read_text(), describe="it ignores SIGTERM")
    end([record.pid], timeout=0.1)
    assert start_ticks(record.pid) is None


def test_a_process_can_be_made_to_die_with_the_one_that_started_it(tmp_path: Path) -> None:
    program = f"""
from pathlib import Path
from tests.cluster.processes import Processes
print(Processes(Path({str(tmp_path)!r})).start("sleeper", {SLEEP!r}, dies_with_us=True).pid)
"""
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    wait_until(lambda: start_ticks(int(shown.stdout)) is None, timeout=5, describe="the sleeper has died too")


def test_a_stopped_process_is_still_ours_and_goes_on(processes: Processes) -> None:
    record = processes.start("sleeper", SLEEP)
    processes.send("sleeper", signal.SIGSTOP)
    stat = Path(f"/proc/{record.pid}/stat")
    wait_until(lambda: parse_stat(stat.read_text())[0] == "T", describe="it is stopped")
    assert is_ours(record)
    processes.send("sleeper", signal.SIGCONT)
    wait_until(lambda: parse_stat(stat.read_text())[0] == "S", describe="it goes on")


def test_a_zombie_counts_as_gone() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert start_ticks(child.pid) is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"name": "etcd"}', "null"])
def test_a_record_cut_short_by_a_crash_is_no_record(tmp_path: Path, content: str) -> None:
    (tmp_path / "pids").mkdir()
    (tmp_path / "pids/etcd.json").write_text(content)
    assert Processes(tmp_path).records() == []


def test_a_dead_process_is_reported_with_the_end_of_its_log(processes: Processes) -> None:
    processes.start("failing", [sys.executable, "-c", "raise SystemExit('no such flag')"])

    def reported() -> str:
        try:
            processes.check("failing")
        except ClusterError as error:
            return str(error)
        return ""

    assert "no such flag" in wait_until(reported, describe="the process is reported dead")


def test_processes_without_a_record_are_found_by_our_paths_in_their_command_line(
    tmp_path: Path, processes: Processes
) -> None:
    name = Path(sys.executable).name
    ours = processes.start("ours", [*SLEEP, f"--data-dir={tmp_path}/etcd"])
    other = processes.start("other", [*SLEEP, "--data-dir=/somewhere/else"])
    (tmp_path / "pids/ours.json").unlink()
    found = naming([tmp_path], programs=[program(name)])
    end([ours.pid])
    assert ours.pid in found
    assert other.pid not in found


def test_a_process_of_another_program_is_left_alone_even_when_it_names_our_path(
    tmp_path: Path, processes: Processes
) -> None:
    editor = processes.start("editor", [*SLEEP, str(tmp_path / "logs/etcd.log")])
    assert editor.pid not in naming([tmp_path], programs=["etcd", "kubelet"])


def test_a_record_survives_being_written_and_read(processes: Processes) -> None:
    record = processes.start("sleeper", SLEEP)
    assert record == Record("sleeper", record.pid, record.start_ticks, boot_id(), SLEEP)
    assert command_line(record.pid) == SLEEP
