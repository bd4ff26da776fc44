"""What the watches have shown so far, by ScheduledJob. In memory, no I/O.

An object is replaced only by a newer version of itself: the answer to a write of ours may arrive before
the watch shows what was before it.
"""

import json
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple, Self, TypeVar

from scheduledjob_operator import names
from scheduledjob_operator.namespaces import Namespaces
from scheduledjob_operator.observed import Body, CronJobSeen, JobSeen, PodSeen, moment
from scheduledjob_operator.requests import wanted


class Key(NamedTuple):
    """A ScheduledJob's identity, which is also its CronJob's."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledJobSeen:
    """A ScheduledJob as last seen; spec and status as JSON text, the smallest form there is.

    The status is compressed as well: with many runs in it, it is most of what there is to remember.
    """

    key: Key
    uid: str
    resource_version: str
    generation: int
    deleting: bool
    created: datetime | None
    requests: tuple[tuple[str, str], ...]
    """Annotations that ask for something: name without the group, value."""
    spec_json: str
    status_packed: bytes

    @classmethod
    def from_body(cls, body: Body) -> Self:
        metadata = body["metadata"]
        return cls(
            key=Key(metadata["namespace"], metadata["name"]),
            uid=metadata["uid"],
            resource_version=metadata["resourceVersion"],
            generation=metadata.get("generation", 0),
            deleting="deletionTimestamp" in metadata,
            created=moment(metadata.get("creationTimestamp")),
            requests=tuple(sorted(wanted(metadata.get("annotations") or {}).items())),
            spec_json=json.dumps(body.get("spec") or {}),
            status_packed=zlib.compress(json.dumps(body.get("status") or {}).encode(), 1),
        )

    @property
    def spec(self) -> dict[str, Any]:
        spec: dict[str, Any] = json.loads(self.spec_json)
        return spec

    @property
    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = json.loads(zlib.decompress(self.status_packed))
        return status


Seen = TypeVar("Seen", CronJobSeen, JobSeen, PodSeen, ScheduledJobSeen)


class Store:
    """The latest of every object, found by the ScheduledJob it belongs to."""

    def __init__(self) -> None:
        self.scheduled_jobs: dict[Key, ScheduledJobSeen] = {}
        self._cron_jobs: dict[Key, CronJobSeen] = {}
        self._jobs: dict[Key, dict[str, JobSeen]] = {}
        self._gone_jobs: dict[Key, dict[str, JobSeen]] = {}
        self._settled_jobs: dict[Key, set[str]] = {}
        """Uids of Jobs that exist and whose runs are in the ledger: when they go, nothing is lost."""
        self._pods: dict[Key, dict[str, PodSeen]] = {}
        self.namespaces = Namespaces()

    def scheduled_job(self, key: Key) -> ScheduledJobSeen | None:
        return self.scheduled_jobs.get(key)

    def cron_job(self, key: Key) -> CronJobSeen | None:
        return self._cron_jobs.get(key)

    def jobs(self, key: Key) -> list[JobSeen]:
        """Jobs that exist and that the CronJob owns."""
        return [job for job in self._jobs.get(key, {}).values() if _belongs(job, key=key)]

    def gone_jobs(self, key: Key) -> list[JobSeen]:
        return [job for job in self._gone_jobs.get(key, {}).values() if _belongs(job, key=key)]

    def pods(self, key: Key) -> list[PodSeen]:
        return list(self._pods.get(key, {}).values())

    def put_scheduled_job(self, body: Body) -> Key | None:
        """Take in a ScheduledJob; its key when it is news."""
        seen = ScheduledJobSeen.from_body(body)
        known = self.scheduled_jobs.get(seen.key)
        if known is not None and not _newer(seen, known):
            return None
        self.scheduled_jobs[seen.key] = seen
        return seen.key

    def forget_scheduled_job(self, key: Key, *, uid: str) -> None:
        """Drop a deleted ScheduledJob and what is remembered for its ledger."""
        known = self.scheduled_jobs.get(key)
        if known is not None and known.uid == uid:
            del self.scheduled_jobs[key]
            self._gone_jobs.pop(key, None)
            self._settled_jobs.pop(key, None)
            jobs = self._jobs.get(key, {})
            self._drop_pods(key, lambda pod: pod.job_name not in jobs)
            self._release(key)

    def put_cron_job(self, body: Body) -> Key | None:
        """Take in a CronJob; its key when something that matters to us has changed."""
        seen = CronJobSeen.from_body(body)
        key = Key(seen.namespace, seen.name)
        known = self._cron_jobs.get(key)
        if known is not None and not _newer(seen, known):
            return None
        self._cron_jobs[key] = seen
        if known is not None and _same(known, seen, ignoring={"last_schedule_time": None, "active": ()}):
            return None
        return key

    def put_job(self, body: Body) -> Key | None:
        """Take in a Job; its ScheduledJob's key when something that matters to us has changed."""
        seen = JobSeen.from_body(body)
        return self._put(seen, into=self._jobs, key=Key(seen.namespace, seen.parent))

    def put_pod(self, body: Body) -> Key | None:
        """Take in a Pod; its ScheduledJob's key when something that matters to us has changed."""
        seen = PodSeen.from_body(body)
        key = Key(seen.namespace, seen.parent)
        known = self._pods.get(key, {}).get(seen.name)
        return self._put(seen.after(known) if known else seen, into=self._pods, key=key)

    def _put(self, seen: Any, *, into: dict[Key, dict[str, Any]], key: Key) -> Key | None:
        siblings = into.setdefault(key, {})
        known = siblings.get(seen.name)
        if known is not None and not _newer(seen, known):
            return None
        siblings[seen.name] = seen
        return None if known is not None and _same(known, seen, ignoring={}) else key

    def drop_cron_job(self, key: Key, *, uid: str) -> Key | None:
        known = self._cron_jobs.get(key)
        if known is None or known.uid != uid:
            return None
        del self._cron_jobs[key]
        return key

    def drop_job(self, key: Key, name: str, *, uid: str) -> Key | None:
        """A Job was deleted: remember how it was last seen until its run is in the ledger."""
        known = self._jobs.get(key, {}).get(name)
        if known is None or known.uid != uid:
            return None
        del self._jobs[key][name]
        settled = self._settled_jobs.get(key, set())
        if key in self.scheduled_jobs and _belongs(known, key=key) and uid not in settled:
            self._gone_jobs.setdefault(key, {})[name] = known
        else:
            self._drop_pods(key, lambda pod: pod.job_name == name)
        settled.discard(uid)
        self._release(key)
        return key

    def drop_pod(self, key: Key, name: str, *, uid: str) -> Key | None:
        """A Pod was deleted: its end is kept as evidence for as long as its run is not in the ledger."""
        known = self._pods.get(key, {}).get(name)
        if known is None or known.uid != uid:
            return None
        jobs = self._jobs.get(key, {}).keys() | self._gone_jobs.get(key, {}).keys()
        if known.job_name not in jobs:
            del self._pods[key][name]
            self._release(key)
            return None
        if known.deleting:
            return None
        self._pods[key][name] = replace(known, deleting=True)
        return key

    def settle(self, key: Key, *, run_ids: Iterable[str]) -> None:
        """These runs are in the ledger: their evidence is not needed any more."""
        settled = set(run_ids)
        gone = self._gone_jobs.get(key, {})
        for name in settled & gone.keys():
            del gone[name]
        jobs = self._jobs.get(key, {})
        here = {jobs[name].uid for name in settled & jobs.keys()}
        if here:
            self._settled_jobs.setdefault(key, set()).update(here)
        self._drop_pods(key, lambda pod: pod.job_name in settled)
        self._release(key)

    def _drop_pods(self, key: Key, useless: Callable[[PodSeen], bool]) -> None:
        pods = self._pods.get(key, {})
        for pod in [pod for pod in pods.values() if useless(pod)]:
            del pods[pod.name]

    def _release(self, key: Key) -> None:
        """Let go of the indexes in which nothing is left of the key."""
        indexes: tuple[dict[Key, Any], ...] = (self._gone_jobs, self._settled_jobs, self._pods, self._jobs)
        for index in indexes:
            if key in index and not index[key]:
                del index[key]

    def inhabitants(self, namespace: str) -> set[str]:
        """Uids of the ScheduledJobs and Jobs that are known in a namespace."""
        parents = {seen.uid for key, seen in self.scheduled_jobs.items() if key.namespace == namespace}
        return parents | self.uids("Job", namespace=namespace).keys()

    def uids(self, kind: str, *, namespace: str | None) -> dict[str, tuple[Key, str]]:
        """Map uid -> (key, name) of all that is known of a kind, for comparing with a list."""
        index: dict[str, Iterable[tuple[Key, Any]]] = {
            "CronJob": self._cron_jobs.items(),
            "Job": ((key, job) for key, jobs in self._jobs.items() for job in jobs.values()),
            "Pod": ((key, pod) for key, pods in self._pods.items() for pod in pods.values()),
        }
        return {
            seen.uid: (key, seen.name)
            for key, seen in index[kind]
            if namespace is None or key.namespace == namespace
        }


def _newer(seen: Any, known: Any) -> bool:
    """Resource versions of one resource are comparable as integers since Kubernetes 1.35, and were before.

    Also those of an object and its successor of the same name.
    """
    return int(seen.resource_version) > int(known.resource_version)


def _same(known: Any, seen: Any, *, ignoring: dict[str, Any]) -> bool:
    return bool(
        replace(known, resource_version="", **ignoring) == replace(seen, resource_version="", **ignoring)
    )


def _belongs(job: JobSeen, *, key: Key) -> bool:
    owner = job.owner
    return owner is not None and owner.kind == "CronJob" and owner.name == key.name


def parent_of(kind: str, body: Body) -> Key | None:
    """The ScheduledJob that a labelled child belongs to; of a CronJob, the one that has its name."""
    metadata = body["metadata"]
    if kind == "CronJob":
        return Key(metadata["namespace"], metadata["name"])
    name = (metadata.get("labels") or {}).get(names.LABEL_NAME)
    return Key(metadata["namespace"], name) if name else None
