"""The alerts, as Prometheus' own tool reads them: when they fire, and when they had better not."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from scheduledjob_operator import metrics
from scheduledjob_operator.names import SlotReason
from tests.chart.alert_cases import CHANGES, OPERATOR, SILENT, STANDING
from tests.chart.alert_series import LEADS, Series, judge
from tests.chart.cases import CASES
from tests.chart.rendering import CHART, NAMESPACE, REPOSITORY, Values, chart, of_kind, only, render

ON: Values = {"metrics": {"prometheusRule": {"enabled": True}}}
PLAIN = CHART / "files" / "alerts.yaml"
JOBS = [*STANDING, *CHANGES]
Rule = dict[str, Any]


def rules_of(groups: dict[str, Any]) -> dict[str, Rule]:
    return {rule["alert"]: rule for group in groups["groups"] for rule in group["rules"]}


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """The rules of an installation, as a file for Prometheus."""
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump(only(render(ON), "PrometheusRule")["spec"]))
    return file


# What the chart makes


def test_there_are_no_alerts_unless_asked_for() -> None:
    assert of_kind(render(), "PrometheusRule") == []


def test_the_rules_are_those_of_the_plain_file_about_the_operator_of_this_release() -> None:
    spec = only(render(ON), "PrometheusRule")["spec"]
    assert spec == yaml.safe_load(PLAIN.read_text())
    assert f'scheduledjob_operator_leader{{namespace="{NAMESPACE}"}}' in str(spec)
    elsewhere = chart().render(ON, name="sj", namespace="tools")
    (text,) = [text for path, text in elsewhere.items() if path.endswith("prometheusrule.yaml")]
    assert NAMESPACE not in text
    assert 'scheduledjob_operator_leader{namespace="tools"}' in text


def test_labels_and_the_time_to_wait_can_be_chosen() -> None:
    rule = only(render(CASES["alerts"]), "PrometheusRule")
    assert (rule["apiVersion"], rule["metadata"]["labels"]["release"]) == (
        "monitoring.coreos.com/v1",
        "prometheus",
    )
    found = rules_of(rule["spec"])
    assert {alert: each.get("for") for alert, each in found.items()} == {
        "ScheduledJobFailing": "1h30m",
        "ScheduledJobDeadLetters": "1h30m",
        "ScheduledJobSlotsMissed": None,
        "ScheduledJobOperatorAbsent": "2m",
        "ScheduledJobReconcileErrors": "15m",
    }
    assert {each["labels"]["team"] for each in found.values()} == {"platform"}
    assert all("severity" in each["labels"] for each in found.values())
    severe = {"metrics": {"prometheusRule": {"enabled": True, "alertLabels": {"severity": "page"}}}}
    chosen = rules_of(only(render(severe), "PrometheusRule")["spec"])
    assert {each["labels"]["severity"] for each in chosen.values()} == {"page"}


def test_each_alert_says_what_is_wrong_and_where_to_read_what_to_do() -> None:
    page = (REPOSITORY / "docs" / "operations.md").read_text()
    for alert, rule in rules_of(yaml.safe_load(PLAIN.read_text())).items():
        assert rule["annotations"].keys() == {"summary", "description", "runbook"}
        assert rule["annotations"]["runbook"] == f"docs/operations.md#{alert.lower()}"
        assert f'<a id="{alert.lower()}"></a>`{alert}`' in page


def test_the_rules_ask_for_series_that_the_operator_shows() -> None:
    text = str(only(render(ON), "PrometheusRule")["spec"]["groups"])
    asked = set(re.findall(r"\b(scheduledjob_\w+)(?=[{\[])", text))
    shown = {
        family.name
        for metric in vars(metrics).values()
        if isinstance(metric, MetricWrapperBase)
        for family in metric.describe()
    }
    assert {name.removesuffix("_total") for name in asked} <= shown
    (reasons,) = set(re.findall(r'reason=~"([^"]+)"', text))
    assert set(reasons.split("|")) <= set(SlotReason)


def test_promtool_has_nothing_to_say(promtool: str, rules: Path) -> None:
    for file in (rules, PLAIN):
        done = subprocess.run(
            [promtool, "check", "rules", "--lint-fatal", file], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


# When they fire


def test_what_is_silent_does_not_even_begin_to_wait_at_a_change_of_leader(promtool: str, rules: Path) -> None:
    series = {**LEADS, **SILENT}
    expected: dict[str, list[Any]] = {moment: [] for moment in ("8m", "8m30s", "9m", "9m30s", "14m")}
    assert judge(promtool, rules, series, expected, state="pending") == ""


@pytest.mark.parametrize(("series", "expected"), [case[1:] for case in JOBS], ids=[case[0] for case in JOBS])
def test_alerts_about_scheduled_jobs(
    promtool: str, rules: Path, series: Series, expected: dict[str, list[Any]]
) -> None:
    assert judge(promtool, rules, {**LEADS, **series}, expected) == ""


@pytest.mark.parametrize(
    ("series", "expected"), [case[1:] for case in OPERATOR], ids=[case[0] for case in OPERATOR]
)
def test_alerts_about_the_operator(
    promtool: str, rules: Path, series: Series, expected: dict[str, list[Any]]
) -> None:
    assert judge(promtool, rules, series, expected) == ""
