"""What the operator writes, by kind: the name under which a request is counted, and stopped. Pure."""

from __future__ import annotations

import json
import re
from typing import Any

from scheduledjob_operator import names

Body = dict[str, Any]

_PATH = re.compile(r"/apis?/.*/namespaces/[^/]+/(?P<resource>[a-z]+)(/(?P<name>[^/]+))?(/(?P<part>[a-z]+))?")
_STATUS = ("requests", "recentRuns", "pending", "unstarted", "active", "conditions")
"""A status patch is named after the first of these that is in it: what matters most for what comes next."""


def kind_of(method: str, path: str, *, content_type: str, data: bytes) -> str | None:
    """The kind of a write; None of a request that only reads."""
    if method == "GET":
        return None
    found = _PATH.fullmatch(path)
    if found is None:
        return f"{method} {path}"
    resource, part = found["resource"], found["part"]
    body = json.loads(data) if data else {}
    if resource == "cronjobs":
        return _cron_job(body, part=part, content_type=content_type)
    if resource == "jobs":
        return _job(method, body)
    if resource == names.PLURAL and part == "status":
        return _status(body)
    return "create Event" if resource == "events" else f"{method} {resource}"


def _cron_job(body: Any, *, part: str | None, content_type: str) -> str:
    if part == "status":
        return "fence CronJob" if "lastScheduleTime" in body["status"] else "list Job in CronJob"
    if content_type.startswith("application/apply-patch"):
        return "apply CronJob"
    return "reclaim CronJob" if content_type.startswith("application/json-patch") else "annotate CronJob"


def _job(method: str, body: Body) -> str:
    if method != "POST":
        return "delete Job" if method == "DELETE" else "end Job"
    annotations = body["metadata"]["annotations"]
    if int(annotations[names.ANNOTATION_ATTEMPT]) > 1:
        return "create Job: next attempt"
    return f"create Job: {annotations[names.ANNOTATION_TRIGGER]}"


def _status(body: Body) -> str:
    named = (field for field in _STATUS if field in body["status"])
    return f"status: {next(named, 'others')}"
