"""Series for `promtool test rules`: what Prometheus has read, and which alerts fire then."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.chart.rendering import NAMESPACE

STEP = 30
"""Seconds between two reads, and between two evaluations."""

Series = dict[str, str]
"""Series -> its values in promtool's notation, from 0 s on: `0x9` is ten times 0, `_x9` nine times none."""


def job(*, pod: str = "a", name: str = "sync", **metrics: str) -> Series:
    """What the operator's pod shows of a ScheduledJob; `suspended_REASON` is its label."""
    found: Series = {}
    for metric, values in metrics.items():
        base, _, reason = metric.partition("_because_")
        why = f',reason="{reason}"' if reason else ""
        found[f'scheduledjob_{base}{{namespace="shop",name="{name}",pod="{pod}"{why}}}'] = values
    return found


def operator(metric: str, values: str, *, pod: str = "a", namespace: str = NAMESPACE) -> Series:
    """What the operator's pod shows of itself."""
    return {f'scheduledjob_operator_{metric}{{namespace="{namespace}",pod="{pod}"}}': values}


LEADS = operator("leader", "1x200")


def firing(alert: str, labels: Mapping[str, str]) -> dict[str, Any]:
    """The sample by which Prometheus says that an alert fires."""
    named = {"alertname": alert, "alertstate": "firing", **labels}
    return {"labels": f"ALERTS{{{','.join(f'{key}={json.dumps(named[key])}' for key in named)}}}", "value": 1}


def judge(
    promtool: str,
    rules: Path,
    series: Series,
    expected: Mapping[str, Sequence[Any]],
    *,
    state: str = "firing",
) -> str:
    """What promtool has to say against it; nothing when at each time exactly these are in that state."""
    test = {
        "interval": f"{STEP}s",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {"expr": f'ALERTS{{alertstate="{state}"}}', "eval_time": moment, "exp_samples": list(samples)}
            for moment, samples in expected.items()
        ],
    }
    file = rules.with_name("test.json")
    file.write_text(
        json.dumps({"rule_files": [rules.name], "evaluation_interval": f"{STEP}s", "tests": [test]})
    )
    done = subprocess.run(
        [promtool, "test", "rules", file], capture_output=True, text=True, check=False, timeout=60
    )
    return done.stdout + done.stderr if done.returncode else ""
