"""CronJobs as people write them, imported by the command line."""

import json
from typing import Any

import kubernetes_validate
import yaml
from click.testing import CliRunner, Result

from scheduledjob_operator.cli import main
from tests.unit.cron_jobs import desired

Body = dict[str, Any]

KUBERNETES = "1.35"
CONTAINER: Body = {"name": "backup", "image": "registry.example/backup:1", "command": ["/bin/backup"]}


def cron_job(
    *,
    spec: Body | None = None,
    job: Body | None = None,
    job_metadata: Body | None = None,
    pod: Body | None = None,
    container: Body | None = None,
    metadata: Body | None = None,
) -> Body:
    """One as people write it, with these fields."""
    containers = [{**CONTAINER, **(container or {})}]
    template = {"spec": {"restartPolicy": "Never", "containers": containers, **(pod or {})}}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "hello", **(metadata or {})},
        "spec": {
            "schedule": "0 3 * * *",
            "timeZone": "Etc/UTC",
            **(spec or {}),
            "jobTemplate": {"metadata": job_metadata or {}, "spec": {"template": template, **(job or {})}},
        },
    }


def called(*bodies: Body, options: tuple[str, ...] = ()) -> Result:
    text = "---\n".join(json.dumps(body) + "\n" for body in bodies)
    return CliRunner().invoke(main, ("import", "cronjobs", "-", *options), input=text)


def spec_of(result: Result) -> Body:
    assert result.exit_code == 0, result.output
    spec: Body = yaml.safe_load(result.stdout)["spec"]
    return spec


def imported(**fields: Body) -> Body:
    """The CronJob of the ScheduledJob that a CronJob with these fields becomes."""
    body = desired(spec_of(called(cron_job(**fields))))
    assert kubernetes_validate.validate(body, KUBERNETES, strict=True) == KUBERNETES
    return body


def remarks(**fields: Body) -> list[str]:
    """What is said about such a CronJob, less what is said about every one."""
    lines = called(cron_job(**fields)).stderr.splitlines()
    said = [line.removeprefix("-:1: ") for line in lines if line.startswith("-:1: ")]
    return [line for line in said if "its Pod gets what its manifest did not set" not in line]


def lost(given: Any, applied: Any, *, path: str = "") -> list[str]:
    """Where the second does not say what the first does; lists of named things may have more in them."""
    if isinstance(given, dict) and isinstance(applied, dict):
        return [found for key in given for found in lost(given[key], applied.get(key), path=f"{path}.{key}")]
    if isinstance(given, list) and isinstance(applied, list) and given and "name" in given[0]:
        by_name = {item["name"]: item for item in applied}
        return [
            found
            for item in given
            for found in lost(item, by_name.get(item["name"]), path=f"{path}.{item['name']}")
        ]
    return [] if given == applied else [path]
