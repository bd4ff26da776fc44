"""The manifests of the trading platform: those with a schedule are what its decorators generate."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import yaml

from tests.handlers.trading_platform.platform import FOLDER

SCHEDULES = {
    "sync-portfolios": {"every": "5m"},
    "monitor-risk": {"every": "1m"},
    "bot-health-check": {"every": "2m"},
    "cleanup-data": {"schedule": "0 3 * * *"},
    "vacuum-database": {"schedule": "0 4 * * sun"},
    "send-daily-summary-emails": {"schedule": "0 8 * * *"},
}


def documents(text: str) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(text) if document]


def job_runner(command: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "job_runner", command, "--handlers", str(FOLDER / "handlers")],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_the_jobs_with_a_schedule_are_what_generate_prints() -> None:
    text = (FOLDER / "scheduledjobs.yaml").read_text()
    assert text == job_runner("generate")
    schedules = {
        document["metadata"]["name"]: {
            name: text for name, text in document["spec"].items() if name != "handler"
        }
        for document in documents(text)
    }
    assert schedules == SCHEDULES


def test_every_handler_has_one_manifest() -> None:
    jobs = [
        document["spec"]["handler"]
        for name in ("scheduledjobs.yaml", "on-demand.yaml")
        for document in documents((FOLDER / name).read_text())
    ]
    files = [path.stem for path in (FOLDER / "handlers").glob("*.py") if not path.name.startswith("_")]
    assert sorted(jobs) == sorted(files)
    assert len(jobs) == 14
