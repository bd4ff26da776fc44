"""The jobs of the old application, as APScheduler ran them. It is read as data here, and never run."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from app.jobs import (
    clean_sessions,
    prune_audit_log,
    refresh_rates,
    send_digest,
    update_search_index,
    warm_cache,
)
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger


@dataclass(frozen=True)
class Job:
    """One row of the registry."""

    job_id: str
    function: Callable
    cron: str
    enabled: bool


JOBS = [
    Job(job_id="clean-sessions", function=clean_sessions, cron="*/15 * * * *", enabled=True),
    Job(job_id="send-digest", function=send_digest, cron="0 7 * * mon-fri", enabled=True),
    Job(job_id="update-search-index", function=update_search_index, cron="*/10 * * * *", enabled=True),
    Job(job_id="warm-cache", function=warm_cache, cron="*/5 * * * *", enabled=True),
    Job(job_id="refresh-rates", function=refresh_rates, cron="30 */6 * * *", enabled=True),
    Job(job_id="prune-audit-log", function=prune_audit_log, cron="0 3 * * sun", enabled=False),
]


def start() -> AsyncIOScheduler:
    """Registers all jobs and starts the scheduler, unless the switch for all of them is off."""
    scheduler = AsyncIOScheduler(timezone="UTC")
    if os.environ.get("BACKGROUND_JOBS_ENABLED", "true") != "true":
        return scheduler
    for job in JOBS:
        if job.enabled:
            scheduler.add_job(job.function, CronTrigger.from_crontab(job.cron), id=job.job_id)
    scheduler.start()
    return scheduler
