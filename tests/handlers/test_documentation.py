"""docs/handlers.md: its manifests are accepted, and no argument is left out."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from job_runner.arguments import validated
from job_runner.discovery import find
from scheduledjob_operator.models.spec import ScheduledJobSpec

PAGE = (Path(__file__).parents[2] / "docs/handlers.md").read_text()
SECTIONS = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
DESCRIBED = ["http", "sql", "redis_cleanup", "fetch_insert", "send_mail", "command", "ping"]


def specs(section: str) -> list[dict[str, Any]]:
    return [yaml.safe_load(text)["spec"] for text in re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)]


def test_every_handler_has_its_section() -> None:
    assert list(SECTIONS) == DESCRIBED


@pytest.mark.parametrize("name", DESCRIBED)
def test_every_argument_is_described(name: str) -> None:
    described = set(re.findall(r"`(\w+)`", SECTIONS[name]))
    assert not set(find(name, []).signature.arguments) - described


@pytest.mark.parametrize("name", DESCRIBED)
def test_its_manifests_are_accepted_by_the_operator_and_by_the_handler(name: str) -> None:
    assert specs(SECTIONS[name])
    for spec in specs(SECTIONS[name]):
        ScheduledJobSpec.model_validate(spec)
        assert spec["handler"] == name
        validated(find(name, []), json.dumps(spec["args"]))
        if name == "ping":
            validated(find(spec["args"]["handler"], []), json.dumps(spec["args"]["handler_args"]))
