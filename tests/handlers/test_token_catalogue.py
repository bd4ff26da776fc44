"""The token catalogue's manifests, and its memory report on what a container finds of its memory."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from scheduledjob_operator.cli import main
from tests.cluster.paths import CHECKOUT
from tests.runner.process import Runner

FOLDER = CHECKOUT / "examples" / "token-catalogue"
NODE = "MemTotal: 8000000 kB\nMemFree: 1 kB\nMemAvailable:    5000000 kB\nHugePages_Total:   0\n"
SECOND = {"memory.current": "1000\n", "memory.max": "max\n"}
FIRST = {
    "memory/memory.usage_in_bytes": "2000\n",
    "memory/memory.limit_in_bytes": "134217728\n",
}
UNLIMITED = {**FIRST, "memory/memory.limit_in_bytes": "9223372036854771712\n"}
PRELUDE = """
import sys
from pathlib import Path
sys.path.append({handlers!r})
import memory_report
memory_report._MEMINFO = Path({root!r}, "meminfo")
memory_report._CGROUP = Path({root!r})
"""


@pytest.mark.parametrize(
    ("files", "container"),
    [
        (SECOND, {"usedBytes": 1000, "limitBytes": None}),
        ({**SECOND, "memory.max": "4096\n"}, {"usedBytes": 1000, "limitBytes": 4096}),
        (FIRST, {"usedBytes": 2000, "limitBytes": 134_217_728}),
        (UNLIMITED, {"usedBytes": 2000, "limitBytes": None}),
        ({}, {"usedBytes": None, "limitBytes": None}),
    ],
)
def test_memory_is_read_from_either_version_of_control_groups(
    tmp_path: Path, files: dict[str, str], container: dict[str, Any]
) -> None:
    root = tmp_path / "root"
    for name, text in {**files, "meminfo": NODE}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    runner = Runner(tmp_path)
    runner.write("prepared.py", PRELUDE.format(handlers=str(FOLDER / "handlers"), root=str(root)))
    ended = runner.run("run", "memory_report")
    assert ended.message is not None
    assert ended.message["value"] == {
        "node": {"totalBytes": 8_192_000_000, "availableBytes": 5_120_000_000},
        "container": container,
        "namespace": None,
    }
    assert ended.message["peakMemoryBytes"] > 0


def test_the_report_of_this_machine_is_plausible(tmp_path: Path) -> None:
    folder = {"SCHEDULEDJOB_HANDLERS_PATH": str(FOLDER / "handlers")}
    ended = Runner(tmp_path).run("run", "memory_report", env=folder)
    assert ended.message is not None
    node = ended.message["value"]["node"]
    assert 0 < node["availableBytes"] < node["totalBytes"]


JUPITER = {
    "url": "http://api/v1/tokens?limit=1000",
    "records": "items",
    "paging": {"link": "next"},
    "table": "public.tokens",
    "columns": {name: name for name in ("address", "symbol", "name", "decimals", "tags")},
    "key": ["address"],
    "batch": 5000,
}
PODS = [
    {
        "status": {"phase": "Running"},
        "spec": {"containers": [{"resources": {"requests": {"memory": "64Mi"}}}]},
    },
    {
        "status": {"phase": "Pending"},
        "spec": {"containers": [{"resources": {"limits": {"memory": "1G"}}}, {"name": "without"}]},
    },
    {
        "status": {"phase": "Succeeded"},
        "spec": {"containers": [{"resources": {"requests": {"memory": "9Gi"}}}]},
    },
]


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("quantity('64Mi')", 67_108_864),
        ("quantity('1G')", 1_000_000_000),
        ("quantity('129e6')", 129_000_000),
        ("quantity('5000')", 5000),
        ("quantity('123400m')", 123),
        (f"memory_of_pods({PODS})", {"pods": 2, "requestedBytes": 67_108_864, "limitBytes": 1_000_000_000}),
    ],
)
def test_quantities_are_read_as_kubernetes_writes_them(tmp_path: Path, expression: str, found: Any) -> None:
    runner = Runner(tmp_path)
    where = str(FOLDER / "handlers")
    runner.write(
        "asked.py",
        f"import sys; sys.path.append({where!r})\nfrom memory_report import *\n"
        f"@job_handler('asked')\ndef asked():\n    return {expression}",
    )
    ended = runner.run("run", "asked")
    assert ended.message is not None
    assert ended.message["value"] == found


def manifests() -> dict[str, dict[str, Any]]:
    bodies = yaml.safe_load_all((FOLDER / "scheduledjobs.yaml").read_text())
    return {body["metadata"]["name"]: body["spec"] for body in bodies}


def test_every_job_has_its_name_its_handler_and_its_arguments(tmp_path: Path) -> None:
    assert list(manifests()) == ["hello", "jupiter", "memory-report"]
    listed = Runner(tmp_path).run("list", env={"SCHEDULEDJOB_HANDLERS_PATH": str(FOLDER / "handlers")})
    handlers = {line.split()[0] for line in listed.lines if line}
    assert {name: spec["handler"] for name, spec in manifests().items()} == {
        "hello": "hello",
        "jupiter": "fetch_insert",
        "memory-report": "memory_report",
    }
    assert {spec["handler"] for spec in manifests().values()} <= handlers
    assert {name: spec.get("args") for name, spec in manifests().items()} == {
        "hello": {"name": "token catalogue"},
        "jupiter": JUPITER,
        "memory-report": None,
    }


@pytest.mark.parametrize("name", ["hello", "jupiter"])
def test_its_handler_takes_the_arguments_of_a_job(name: str, tmp_path: Path) -> None:
    spec = manifests()[name]
    gone = {"DATABASE_URL": "postgresql://app@127.0.0.1:1/app"}
    arguments = spec["args"] if name == "hello" else {**spec["args"], "url": "http://127.0.0.1:1/"}
    ended = Runner(tmp_path).run("run", spec["handler"], "--args", json.dumps(arguments), env=gone)
    assert ended.exit_code == {"hello": 0, "jupiter": 69}[name], "65 and 64 would be arguments that are none"


def test_every_job_has_a_timeout_and_limits() -> None:
    assert all(spec["timeout"] and spec["resources"]["limits"]["memory"] for spec in manifests().values())


def test_the_tokens_are_fetched_on_mondays_at_two_in_utc() -> None:
    assert all("timeZone" not in spec for spec in manifests().values())
    done = CliRunner().invoke(main, ["next", manifests()["jupiter"]["schedule"]])
    *times, fired_by = done.stdout.splitlines()
    assert len(times) == 5
    assert all(re.search(r" Mon \S+ 02:00:00 UTC$", line) for line in times)
    assert fired_by == "fired by Kubernetes as 0 2 * * MON"
