"""The manifests of the lead processor: what runs where, with which secrets, and within which limits."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from scheduledjob_operator.models import ScheduledJobSpec
from scheduledjob_operator.suspension import standing
from scheduledjob_operator.wanted import schedule_of
from tests.handlers.lead_processor.system import SYSTEM

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
BUILT_IN = {"sql"}
EVERYWHERE = {"score-update", "web-url-sync", "session-cleanup", "health-check"}
STAGING = EVERYWHERE | {"crm-sync", "metrics", "database-optimisation"}
SECRETS = {
    "score-update": {"postgresql"},
    "web-url-sync": {"postgresql", "api", "api-token"},
    "session-cleanup": {"postgresql"},
    "health-check": {"postgresql", "api", "api-token", "smtp"},
    "sample-job": set(),
    "crm-sync": {"postgresql", "api", "api-token"},
    "metrics": {"postgresql"},
    "database-optimisation": {"postgresql"},
    "daily-reports": {"postgresql", "smtp"},
    "follow-ups": {"postgresql", "smtp"},
}


def specs() -> dict[str, dict[str, Any]]:
    documents = yaml.safe_load_all((SYSTEM / "scheduledjobs.yaml").read_text())
    return {document["metadata"]["name"]: document["spec"] for document in documents}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ("", EVERYWHERE),
        ("development", EVERYWHERE | {"sample-job"}),
        ("staging", STAGING),
        ("production", STAGING | {"daily-reports", "follow-ups"}),
    ],
)
def test_each_environment_has_its_set_of_jobs(environment: str, expected: set[str]) -> None:
    in_force = set()
    for name, fields in specs().items():
        spec = ScheduledJobSpec.model_validate(fields)
        found = standing(
            spec=spec,
            schedule=schedule_of(spec, spread=""),
            consecutive_failures=0,
            last_failure_time=None,
            switches=(),
            now=NOW,
            environment=environment,
        )
        if found.suspension is None:
            in_force.add(name)
        else:
            assert found.suspension.reason == "OtherEnvironment"
    assert in_force == expected


def test_every_schedule_is_written_as_before_with_the_second_first() -> None:
    assert {name: spec["schedule"] for name, spec in specs().items()} == {
        "score-update": "0 0 9 * * *",
        "web-url-sync": "0 10 */6 * * *",
        "session-cleanup": "0 30 * * * *",
        "health-check": "0 */5 * * * *",
        "sample-job": "*/30 * * * * *",
        "crm-sync": "0 */15 * * * *",
        "metrics": "0 0 * * * *",
        "database-optimisation": "0 0 3 * * sun",
        "daily-reports": "0 30 8 * * mon-fri",
        "follow-ups": "0 0 */2 * * *",
    }


def test_each_job_gets_the_secrets_that_it_needs_and_no_value_stands_in_a_manifest() -> None:
    found = {}
    for name, spec in specs().items():
        variables = spec.get("env", [])
        assert all(set(variable) == {"name", "valueFrom"} for variable in variables)
        found[name] = {variable["valueFrom"]["secretKeyRef"]["name"] for variable in variables}
    assert found == SECRETS


def test_every_job_has_a_timeout_a_memory_limit_and_a_priority() -> None:
    for name, spec in specs().items():
        assert spec["resources"]["limits"]["memory"], name
        assert spec["timeout"], name
        assert spec["priority"] in {"critical", "high", "normal", "low"}, name


def test_all_jobs_but_the_sample_are_worth_an_alert() -> None:
    assert [name for name, spec in specs().items() if not spec.get("alertOnFailure", True)] == ["sample-job"]


def test_every_job_keeps_its_last_fifty_runs_as_before() -> None:
    kept = {name: spec["history"]["runs"] for name, spec in specs().items()}
    assert kept == dict.fromkeys(SECRETS, 50)


def listed(folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "job_runner", "list"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"SCHEDULEDJOB_HANDLERS_PATH": str(folder)},
    )
    return done.stdout + done.stderr


def test_every_job_has_its_handler_in_a_file_of_its_own() -> None:
    text = listed(SYSTEM / "handlers")
    for name, spec in specs().items():
        if spec["handler"] in BUILT_IN:
            continue
        assert spec["handler"] == name
        assert name in text
        assert (SYSTEM / f"handlers/{name.replace('-', '_')}.py").is_file()


def test_a_broken_handler_file_is_reported_and_the_others_load(tmp_path: Path) -> None:
    shutil.copytree(SYSTEM / "handlers", tmp_path / "handlers")
    (tmp_path / "handlers/broken.py").write_text("def broken(:\n")
    text = listed(tmp_path / "handlers")
    assert "broken.py" in text
    assert "SyntaxError" in text
    for name in SECRETS:
        assert name in text or specs()[name]["handler"] in BUILT_IN
