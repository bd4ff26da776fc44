"""What an attempt costs that the operator starts: runs that fail twice, with a back-off of their own."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from tests.bench import load
from tests.bench.api import MERGE_PATCH, Api, Body
from tests.bench.audit import Tail, tally, writes
from tests.bench.figures import Figures
from tests.bench.load import BATCH, Place
from tests.bench.program import Program
from tests.bench.rig import NAMESPACES, OPERATOR, user
from tests.bench.runs import Run, start_job, status_of_end, text
from tests.bench.waiting import until_quiet

COUNT = 100
ATTEMPTS = 3
MOST_WRITES = 3
"""The Job, the CronJob's list of active ones, and a status."""


async def measure(program: Program, figures: Figures, *, size: int) -> None:
    """Let short runs fail until their last attempt, and count the writes for each attempt it starts.

    One that lasts longer than the operator's start patience costs one status more.
    """
    api = program.rig.api
    places = [Place(NAMESPACES[number % len(NAMESPACES)], f"flaky-{number:05d}") for number in range(COUNT)]
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    for number, place in enumerate(places):
        body = load.manifest(place, number=number, now=now)
        body["spec"]["retry"] = {"limit": ATTEMPTS - 1, "backoff": {"initial": "1s", "factor": 1}}
        await api.send("POST", f"{load.GROUP}/namespaces/{place.namespace}/scheduledjobs", body)
    await until_quiet(program)
    tail = Tail(program.rig.audit, user=user(OPERATOR))
    for place in places:
        cron_job = await api.send("GET", place.cron_job)
        template = cron_job["spec"]["jobTemplate"]
        await start_job(api, Run(place, cron_job["metadata"]["uid"], now, template))
    ended: set[str] = set()
    async with asyncio.timeout(300):
        while len(ended) < COUNT * ATTEMPTS:
            jobs = await _unfinished(api)
            await api.each(jobs, partial(_end, api))
            ended |= {job["metadata"]["uid"] for job in jobs}
            await asyncio.sleep(0.1)
    await until_quiet(program)
    requests = tail.read()
    done = [request for request in writes(requests) if not request.what.endswith(" events")]
    # The first attempt is Kubernetes' own and costs one status.
    each = (len(done) - COUNT) / (COUNT * (ATTEMPTS - 1))
    figures.floor(
        size=size, what="writes per attempt that the operator starts", value=round(each, 2), most=MOST_WRITES
    )
    figures.detail(scenario="attempts", size=size, requests=tally(requests), runs=COUNT)


async def _unfinished(api: Api) -> list[Body]:
    jobs: list[dict[str, Any]] = await api.items(f"{BATCH}/jobs")
    mine = [job for job in jobs if job["metadata"]["name"].startswith("flaky-")]
    return [job for job in mine if not (job.get("status") or {}).get("conditions")]


async def _end(api: Api, job: Body) -> None:
    """Let the Job's Pod, and so the Job, have ended: well in the last attempt only."""
    metadata = job["metadata"]
    annotations = metadata.get("annotations") or {}
    well = annotations.get("scheduledjob.dev/attempt") == str(ATTEMPTS)
    now = datetime.now(UTC)
    pods = f"/api/v1/namespaces/{metadata['namespace']}/pods"
    template = job["spec"]["template"]
    labels = {**template["metadata"]["labels"], "batch.kubernetes.io/job-name": metadata["name"]}
    pod = {"metadata": {"name": f"{metadata['name']}-0", "labels": labels}, "spec": template["spec"]}
    await api.send("POST", pods, pod)
    terminated = {
        "exitCode": 0 if well else 1,
        "reason": "Completed" if well else "Error",
        "startedAt": text(now - timedelta(seconds=1)),
        "finishedAt": text(now),
    }
    container = {
        "name": "job",
        "image": "job-runner",
        "imageID": "",
        "ready": False,
        "restartCount": 0,
        "state": {"terminated": terminated},
    }
    status = {"phase": "Succeeded" if well else "Failed", "containerStatuses": [container]}
    path = f"{pods}/{metadata['name']}-0/status"
    await api.send("PATCH", path, {"status": status}, content_type=MERGE_PATCH)
    path = f"{BATCH}/namespaces/{metadata['namespace']}/jobs/{metadata['name']}/status"
    await api.send("PATCH", path, {"status": status_of_end(well=well, ended=now)}, content_type=MERGE_PATCH)
