"""How the lead processor is looked after: who may start its jobs, where they run, what overlaps."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.cluster import providers
from tests.cluster.access import Cluster
from tests.cluster.images import of_system
from tests.cluster.release import Operator
from tests.e2e.scheduled_job import as_text, moment
from tests.examples.proxy import Proxy
from tests.examples.system import FOLDER, System, rendered
from tests.plugin import RESTRICTED, shown
from tests.waiting import wait_until

NAME = "lead-processor"
ELSEWHERE = ("crm-sync", "metrics", "database-optimisation", "daily-reports", "follow-ups")
CHANGES: dict[str, dict[str, Any]] = {
    "sample-job": {  # it takes longer than the time between two slots
        "enabled": True,
        "environments": None,
        "schedule": "*/15 * * * * *",
        "args": {"seconds": 26.5},
    },
    "by-hand": {"environments": None},
    "misspelt": {"environments": None, "handler": "sample-jop"},
    **{name: {"enabled": True} for name in ("score-update", *ELSEWHERE)},
}


@pytest.fixture(scope="module")
def jobs(
    request: pytest.FixtureRequest,
    cluster: Cluster,
    operator: Operator,
    provider: providers.Provider,
    proxy: Proxy,
) -> Iterator[System]:
    """Its ScheduledJobs without any of its servers, and two more that are like the sample job."""
    image = of_system(NAME)
    with shown(request.config):
        images = {image.name: provider.load_image(image)}
    documents = {body["metadata"]["name"]: body for body in manifests()}
    for name in ("by-hand", "misspelt"):
        documents[name] = {**documents["sample-job"], "metadata": {"name": name}}
    bodies = rendered(yaml.safe_dump_all(documents.values()), images=images, changes=CHANGES)
    namespace = cluster.create_namespace(f"{NAME}-operations-{secrets.token_hex(3)}", labels=RESTRICTED)
    yield System.apply(cluster, namespace, bodies, proxy=proxy)
    cluster.kubectl("delete", "namespace", namespace, "--wait=false")


def manifests() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((FOLDER / NAME / "scheduledjobs.yaml").read_text()))


def account(jobs: System, role: str) -> str:
    """The option of kubectl that acts as a ServiceAccount with one of the cluster's own roles."""
    where = f"--namespace={jobs.namespace}"
    jobs.cluster.kubectl("create", "serviceaccount", role, where)
    subject = f"--serviceaccount={jobs.namespace}:{role}"
    jobs.cluster.kubectl("create", "rolebinding", role, f"--clusterrole={role}", subject, where)
    return f"--as=system:serviceaccount:{jobs.namespace}:{role}"


def ask_for_a_run(jobs: System, name: str, *, user: str, run: str) -> tuple[int, str]:
    """(exit code of kubectl, what it complained of)"""
    done = jobs.cluster.kubectl(
        *("annotate", "scheduledjob", name, "--overwrite", f"scheduledjob.dev/run={run}"),
        *(f"--namespace={jobs.namespace}", user),
        check=False,
    )
    return done.returncode, done.stderr


def test_who_may_edit_the_namespace_may_start_a_job_and_who_may_view_it_may_not(jobs: System) -> None:
    viewer, editor = account(jobs, "view"), account(jobs, "edit")
    where = f"--namespace={jobs.namespace}"
    refused = ask_for_a_run(jobs, "by-hand", user=viewer, run="viewer-1")
    assert refused[0] == 1
    assert "Forbidden" in refused[1]
    made = ("create", "job", "by-viewer", "--from=cronjob/by-hand", where, viewer)
    assert "jobs.batch is forbidden" in jobs.cluster.kubectl(*made, check=False).stderr
    assert jobs.cluster.kubectl("get", "scheduledjobs", where, viewer).stdout
    assert ask_for_a_run(jobs, "by-hand", user=editor, run="editor-1") == (0, "")
    record = wait_until(
        lambda: next(iter(jobs.job("by-hand").status.get("recentRuns", [])), None),
        timeout=60,
        describe="the run of the editor has ended",
    )
    assert record is not None
    assert (record["trigger"], record["result"], record["value"]) == ("Manual", "Succeeded", {"slot": "none"})
    unknown = ask_for_a_run(jobs, "not-there", user=editor, run="editor-1")
    assert unknown[0] == 1
    assert '"not-there" not found' in unknown[1]


def test_a_job_whose_handler_does_not_exist_is_exit_64_and_says_which_there_are(jobs: System) -> None:
    record = jobs.run("misspelt")
    assert record["exitCode"] == 64
    assert "there is no handler 'sample-jop', did you mean 'sample-job'?" in record["message"]
    assert "score-update" in record["message"]


def measured(jobs: System, operator: Operator, series: str) -> float:
    """The value of a series, in all replicas together: in a rollout there are more than one."""
    root = f"/api/v1/namespaces/{operator.namespace}/pods"
    pages = [f"--raw={root}/{pod}:8080/proxy/metrics" for pod in operator.pods()]
    texts = [jobs.cluster.kubectl("get", page, check=False).stdout for page in pages]
    lines = [line.rpartition(" ") for text in texts for line in text.splitlines()]
    return sum(float(value) for name, _, value in lines if name == series)


def test_runs_are_counted_by_job_and_result_and_timed_for_prometheus(
    jobs: System, operator: Operator
) -> None:
    labels = f'{{name="by-hand",namespace="{jobs.namespace}",result="Succeeded"}}'
    series = (f"scheduledjob_runs_total{labels}", "scheduledjob_run_duration_seconds_sum")
    before = [measured(jobs, operator, each) for each in series]
    record = jobs.run("by-hand", args={"seconds": 2})

    def grown() -> bool:
        runs, seconds = (
            measured(jobs, operator, each) - old for each, old in zip(series, before, strict=True)
        )
        return (runs, seconds >= 2) == (1, True)

    wait_until(grown, interval=0.5, describe="the run is counted, and its seconds are among those of all")
    assert record["result"] == "Succeeded"
    assert record["durationSeconds"] >= 2


def test_jobs_of_other_environments_are_suspended_and_say_so(jobs: System) -> None:
    found = {name: jobs.job(name).status.get("suspended") for name in ("score-update", *ELSEWHERE)}
    assert found == {"score-update": None, **dict.fromkeys(ELSEWHERE, "OtherEnvironment")}
    assert jobs.job("score-update").status["nextRunTimes"]


def test_a_slot_that_comes_while_its_job_still_runs_is_skipped_with_the_cause_and_an_event(
    jobs: System,
) -> None:
    job = jobs.job("sample-job")
    skipped = wait_until(
        lambda: [slot for slot in job.status.get("unstarted", []) if slot["reason"] == "OverlapForbidden"],
        timeout=150,
        describe="a slot was skipped",
    )
    assert skipped[0]["result"] == "Skipped"
    during = moment(skipped[0]["last"])

    def active_then() -> list[dict[str, Any]]:
        runs = job.status["recentRuns"]
        return [run for run in runs if moment(run["slot"]) < during < moment(run["endTime"])]

    (run,) = wait_until(active_then, timeout=60, describe="the run that was active has ended")
    assert run["trigger"] == "Schedule"
    # On a busy node a run outlasts two slots, which are told in one.
    job.wait_event("SlotSkipped", says=f"{as_text(during)} had no run: another one was active")
