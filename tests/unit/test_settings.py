"""What an installation may set, and what it is told when it set it wrong."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from scheduledjob_operator.pod_template import RunnerDefaults
from scheduledjob_operator.settings import Settings
from scheduledjob_operator.suspension import Switch

PREFIX = "SCHEDULEDJOB_OPERATOR_"
CHRISTMAS_EVE = datetime(2026, 12, 24, 8, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)


def settings(monkeypatch: pytest.MonkeyPatch, **given: str) -> Settings:
    for name, value in given.items():
        monkeypatch.setenv(f"{PREFIX}{name}", value)
    return Settings()


def test_nothing_has_to_be_set() -> None:
    found = Settings()
    assert found.watch_namespaces == ()
    assert (found.log_level, found.log_format, found.http_port) == ("INFO", "json", 8080)
    assert found.runner_defaults.image_pull_policy == "IfNotPresent"
    assert found.runner_defaults.priority_class_prefix == "scheduledjob-"


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("WATCH_NAMESPACES", "a,b", "watch_namespaces", ("a", "b")),
        ("WATCH_NAMESPACES", " a , b ,", "watch_namespaces", ("a", "b")),
        ("WATCH_NAMESPACES", "", "watch_namespaces", ()),
        ("RUNNER_IMAGE_PULL_SECRETS", "one", "runner_image_pull_secrets", ("one",)),
        ("RUNNER_IMAGE_PULL_POLICY", "Always", "runner_image_pull_policy", "Always"),
        ("LOG_LEVEL", "DEBUG", "log_level", "DEBUG"),
        ("LOG_FORMAT", "text", "log_format", "text"),
        ("HTTP_PORT", "9090", "http_port", 9090),
        ("CONNECTIONS", "32", "connections", 32),
        ("SUSPENDED", "true", "suspended", True),
        ("SUSPENDED_REASON", "moving house", "suspended_reason", "moving house"),
        ("SUSPENDED_UNTIL", "2026-12-24T08:00:00Z", "suspended_until", CHRISTMAS_EVE),
        ("SUSPENDED_UNTIL", "2026-12-24T09:00:00+01:00", "suspended_until", CHRISTMAS_EVE),
        ("SUSPENDED_UNTIL", "", "suspended_until", None),
    ],
)
def test_each_is_set_by_an_environment_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, field: str, value: Any
) -> None:
    assert getattr(settings(monkeypatch, **{name: text}), field) == value


def test_what_is_set_for_the_runner_reaches_the_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings(
        monkeypatch,
        RUNNER_IMAGE="own:1",
        RUNNER_IMAGE_PULL_POLICY="Never",
        RUNNER_IMAGE_PULL_SECRETS="a,b",
        PRIORITY_CLASS_PREFIX="p-",
    )
    assert found.runner_defaults == RunnerDefaults(
        image="own:1", image_pull_policy="Never", image_pull_secrets=("a", "b"), priority_class_prefix="p-"
    )


def test_the_master_switch_is_on_with_its_reason_and_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"SUSPENDED_REASON": " moving\nhouse ", "SUSPENDED_UNTIL": "2026-12-24T08:00:00Z"}
    assert settings(monkeypatch, **given).switch is None
    assert settings(monkeypatch, SUSPENDED="true").switch == Switch(
        reason="moving house", until=CHRISTMAS_EVE, everywhere=True
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("LOG_LEVEL", "LOUD"),
        ("LOG_FORMAT", "xml"),
        ("HTTP_PORT", "http"),
        ("HTTP_PORT", "70000"),
        ("CONNECTIONS", "0"),
        ("RUNNER_IMAGE_PULL_POLICY", "Sometimes"),
        ("SUSPENDED", "perhaps"),
        ("SUSPENDED_UNTIL", "2026-12-24T08:00:00"),
        ("SUSPENDED_UNTIL", "tomorrow"),
    ],
)
def test_a_wrong_value_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    with pytest.raises(ValidationError):
        settings(monkeypatch, **{name: text})


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().http_port = 1  # type: ignore[misc]  # this is what is tested


def test_the_operator_ends_with_78_and_a_sentence_for_each_wrong_setting() -> None:
    wrong = {f"{PREFIX}HTTP_PORT": "hunter2", f"{PREFIX}LOG_LEVEL": "LOUD"}
    done = subprocess.run(
        [sys.executable, "-m", "scheduledjob_operator"],
        env={**os.environ, **wrong},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 78
    assert sorted(line.partition(":")[0] for line in done.stderr.splitlines()) == sorted(wrong)
    assert "Input should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'" in done.stderr
    assert "hunter2" not in done.stderr
    assert done.stdout == ""
