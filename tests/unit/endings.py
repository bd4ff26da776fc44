"""Jobs and their Pods as Kubernetes leaves them, one for each way to end, and what is to be said of it.

The shapes are those of Kubernetes 1.35: `kubectl get job,pod -o yaml` after the fact.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from tests.unit import bodies
from tests.unit.bodies import Body
from tests.unit.moments import NOON, after_noon, text

JOB = "portfolio-sync-29921975"


@dataclass(frozen=True, kw_only=True)
class Ending:
    """What the API server shows, and the run that it stands for."""

    name: str
    status: Body
    """Status of the Job."""
    pods: list[Body] = field(default_factory=list)
    result: str
    reason: str
    exit_code: int | None = None
    message: str | None = None
    attempts: list[str] = field(default_factory=list)
    """The reason of each."""
    more: dict[str, Any] = field(default_factory=dict)
    """Further fields of the run."""

    @property
    def job(self) -> Body:
        return bodies.job(JOB, slot=NOON, status=self.status)


def report(result: str, **fields: Any) -> str:
    """The runner's termination message."""
    return json.dumps(
        {"version": 1, "result": result, "durationSeconds": 2.4, "peakMemoryBytes": 31457280, **fields}
    )


def pod(number: int = 1, **given: Any) -> Body:
    """The n-th attempt, a minute after the one before."""
    created = after_noon(60 * (number - 1))
    return bodies.pod(f"{JOB}-p{number}", job_name=JOB, created=created, **given)


def crashed(number: int = 1, exit_code: int = 1, message: str = "", **given: Any) -> Body:
    start = 60 * (number - 1)
    status = bodies.ended(
        exit_code, started=after_noon(start + 1), finished=after_noon(start + 11), message=message, **given
    )
    return pod(number, status=status)


def deleted(body: Body) -> Body:
    """The Pod while it is being deleted, or as it was seen last."""
    metadata = {
        **body["metadata"],
        "deletionTimestamp": text(after_noon(42)),
        "deletionGracePeriodSeconds": 30,
    }
    return {**body, "metadata": metadata}


def _overdue(status: Body) -> Body:
    """The same Pod status after the kubelet ended it at its deadline."""
    message = "Pod was active on the node longer than the specified deadline"
    return {**status, "phase": "Failed", "reason": "DeadlineExceeded", "message": message}


COMPLETE = bodies.complete(NOON, after_noon(13))
GIVEN_UP = bodies.failed(NOON, after_noon(13))
JOB_OVERDUE = bodies.failed(
    NOON, after_noon(43), reason="DeadlineExceeded", message="Job was active longer than specified deadline"
)
NEVER_STARTED = bodies.failed(
    NOON,
    after_noon(43),
    reason="DeadlineExceeded",
    message="Job was active longer than specified deadline",
    pods=0,
)

SUCCEEDED = [
    Ending(
        name="a command went well",
        status=COMPLETE,
        pods=[crashed(exit_code=0)],
        result="Succeeded",
        reason="Completed",
        exit_code=0,
        attempts=["Completed"],
        more={"duration_seconds": 10.0, "value": None},
    ),
    Ending(
        name="a handler went well and reported",
        status=COMPLETE,
        pods=[crashed(exit_code=0, message=report("Succeeded", value={"rows": 7, "skipped": None}))],
        result="Succeeded",
        reason="Completed",
        exit_code=0,
        attempts=["Completed"],
        more={
            "duration_seconds": 2.4,
            "value": {"rows": 7, "skipped": None},
            "peak_memory_bytes": 31457280,
            "start_time": after_noon(1),
            "end_time": after_noon(11),
        },
    ),
    Ending(
        name="the second attempt went well",
        status={**COMPLETE, "failed": 1},
        pods=[crashed(1, exit_code=1, message="boom"), crashed(2, exit_code=0)],
        result="Succeeded",
        reason="Completed",
        exit_code=0,
        attempts=["ExitCode", "Completed"],
        more={"start_time": after_noon(1), "end_time": after_noon(71), "duration_seconds": 70.0},
    ),
    Ending(
        name="it went well after an eviction",
        status={**COMPLETE, "failed": 1},
        pods=[
            deleted(crashed(1, exit_code=143, disruption="EvictionByEvictionAPI")),
            crashed(2, exit_code=0),
        ],
        result="Succeeded",
        reason="Completed",
        exit_code=0,
        attempts=["Evicted", "Completed"],
    ),
    Ending(
        name="it went well and the Pod was gone before it was seen",
        status=COMPLETE,
        result="Succeeded",
        reason="Completed",
        more={"start_time": NOON, "end_time": after_noon(13)},
    ),
]

FAILED = [
    Ending(
        name="exit code with the tail of the log",
        status=GIVEN_UP,
        pods=[crashed(exit_code=3, message="Traceback ...\nKeyError: 'id'\n")],
        result="Failed",
        reason="ExitCode",
        exit_code=3,
        message="Traceback ...\nKeyError: 'id'",
        attempts=["ExitCode"],
    ),
    Ending(
        name="the runner reported an error",
        status=GIVEN_UP,
        pods=[
            crashed(exit_code=70, message=report("Failed", error={"type": "ValueError", "message": "bad id"}))
        ],
        result="Failed",
        reason="ExitCode",
        exit_code=70,
        message="ValueError: bad id",
        attempts=["ExitCode"],
        more={"duration_seconds": 2.4, "peak_memory_bytes": 31457280},
    ),
    Ending(
        name="out of memory",
        status=GIVEN_UP,
        pods=[crashed(exit_code=137, reason="OOMKilled", message="loading 1 GB")],
        result="Failed",
        reason="OOMKilled",
        exit_code=137,
        message="loading 1 GB",
        attempts=["OOMKilled"],
    ),
    Ending(
        name="the program does not exist",
        status=GIVEN_UP,
        pods=[crashed(exit_code=128, reason="StartError", message='exec: "nope": executable file not found')],
        result="Failed",
        reason="StartError",
        exit_code=128,
        message='exec: "nope": executable file not found',
        attempts=["StartError"],
    ),
    Ending(
        name="all attempts failed",
        status=bodies.failed(NOON, after_noon(143), pods=3),
        pods=[
            crashed(1, message="first"),
            crashed(2, message="second"),
            crashed(3, exit_code=2, message="third"),
        ],
        result="Failed",
        reason="ExitCode",
        exit_code=2,
        message="third",
        attempts=["ExitCode", "ExitCode", "ExitCode"],
        more={"start_time": after_noon(1), "end_time": after_noon(131), "duration_seconds": 130.0},
    ),
    Ending(
        name="all attempts of an indexed Job failed",
        status=bodies.failed(
            NOON, after_noon(73), reason="FailedIndexes", message="Job has failed indexes", pods=2
        ),
        pods=[crashed(1), crashed(2, exit_code=2)],
        result="Failed",
        reason="ExitCode",
        exit_code=2,
        attempts=["ExitCode", "ExitCode"],
    ),
    Ending(
        name="an exit code that is not worth a retry",
        status=bodies.failed(
            NOON,
            after_noon(13),
            reason="PodFailurePolicy",
            message="Container job for pod shop/p failed with exit code 65 matching FailJob rule at index 1",
        ),
        pods=[
            crashed(exit_code=65, message=report("Failed", error={"type": "DataError", "message": "no id"}))
        ],
        result="Failed",
        reason="ExitCode",
        exit_code=65,
        message="DataError: no id",
        attempts=["ExitCode"],
    ),
    Ending(
        name="the Pod was gone before it was seen",
        status=GIVEN_UP,
        result="Failed",
        reason="BackoffLimitExceeded",
        message="Job has reached the specified backoff limit",
    ),
    Ending(
        name="a person deleted the Pod",
        status=GIVEN_UP,
        pods=[deleted(crashed(exit_code=137))],
        result="Failed",
        reason="PodDeleted",
        exit_code=137,
        message="the Pod was deleted while it was running",
        attempts=["PodDeleted"],
    ),
    Ending(
        name="it failed by itself while its Pod was being deleted",
        status=GIVEN_UP,
        pods=[deleted(crashed(exit_code=3, message="boom"))],
        result="Failed",
        reason="ExitCode",
        exit_code=3,
        message="boom",
        attempts=["ExitCode"],
    ),
]

TIMED_OUT = [
    Ending(
        name="the runner ended the handler in time to report",
        status=GIVEN_UP,
        pods=[
            crashed(
                exit_code=124,
                message=report(
                    "TimedOut", error={"type": "TimeoutError", "message": "after 10s"}, value={"done": 3}
                ),
            )
        ],
        result="TimedOut",
        reason="DeadlineExceeded",
        exit_code=124,
        message="TimeoutError: after 10s",
        attempts=["DeadlineExceeded"],
        more={"value": {"done": 3}, "duration_seconds": 2.4},
    ),
    Ending(
        name="the kubelet ended the Pod and left the tail of its log",
        status=GIVEN_UP,
        pods=[
            pod(
                status=_overdue(
                    bodies.ended(137, started=after_noon(1), finished=after_noon(41), message="still working")
                )
            )
        ],
        result="TimedOut",
        reason="DeadlineExceeded",
        exit_code=137,
        message="still working",
        attempts=["DeadlineExceeded"],
    ),
    Ending(
        name="the kubelet ended the Pod, which had said nothing",
        status=GIVEN_UP,
        pods=[pod(status=_overdue(bodies.ended(143, started=after_noon(1), finished=after_noon(41))))],
        result="TimedOut",
        reason="DeadlineExceeded",
        exit_code=143,
        message="Pod was active on the node longer than the specified deadline",
        attempts=["DeadlineExceeded"],
    ),
    Ending(
        name="it took SIGTERM at its deadline for a good end",
        status=GIVEN_UP,
        pods=[pod(status=_overdue(bodies.ended(0, started=after_noon(1), finished=after_noon(41))))],
        result="TimedOut",
        reason="DeadlineExceeded",
        exit_code=0,
        message="Pod was active on the node longer than the specified deadline",
        attempts=["DeadlineExceeded"],
    ),
    Ending(
        name="the Job's deadline deleted the Pod, which left its log",
        status=JOB_OVERDUE,
        pods=[deleted(crashed(exit_code=137, message="still working"))],
        result="TimedOut",
        reason="DeadlineExceeded",
        exit_code=137,
        message="still working",
        attempts=["PodDeleted"],
    ),
    Ending(
        name="the Job's deadline deleted the Pod, which had said nothing",
        status=JOB_OVERDUE,
        pods=[deleted(pod(status=bodies.running(after_noon(1))))],
        result="TimedOut",
        reason="DeadlineExceeded",
        message="Job was active longer than specified deadline",
        attempts=["PodDeleted"],
    ),
    Ending(
        name="the Job's deadline came between two attempts",
        status=JOB_OVERDUE,
        pods=[crashed(exit_code=1, message="boom")],
        result="TimedOut",
        reason="DeadlineExceeded",
        exit_code=1,
        message="boom",
        attempts=["ExitCode"],
    ),
]

_PULLING = bodies.waiting("ImagePullBackOff", 'Back-off pulling image "registry.example/nope:1"')

NOT_STARTED = [
    Ending(
        name="the image could not be pulled until the Pod's deadline",
        status=GIVEN_UP,
        pods=[pod(status=_overdue(_PULLING))],
        result="Failed",
        reason="ImagePullBackOff",
        message='Back-off pulling image "registry.example/nope:1"',
        attempts=["ImagePullBackOff"],
    ),
    Ending(
        name="the image was being pulled at the Pod's deadline",
        status=GIVEN_UP,
        pods=[pod(status=_overdue(bodies.waiting("ErrImagePull", "not found")))],
        result="Failed",
        reason="ImagePullBackOff",
        message="not found",
        attempts=["ImagePullBackOff"],
    ),
    Ending(
        name="a Secret was missing until the Pod's deadline",
        status=GIVEN_UP,
        pods=[pod(status=_overdue(bodies.waiting("CreateContainerConfigError", 'secret "db" not found')))],
        result="Failed",
        reason="CreateContainerConfigError",
        message='secret "db" not found',
        attempts=["CreateContainerConfigError"],
    ),
    Ending(
        name="the container was still being created at the Pod's deadline",
        status=GIVEN_UP,
        pods=[pod(status=_overdue(bodies.waiting("ContainerCreating")))],
        result="Failed",
        reason="NotStarted",
        message="Pod was active on the node longer than the specified deadline",
        attempts=["NotStarted"],
    ),
    Ending(
        name="the image could not be pulled until the Job's deadline",
        status=JOB_OVERDUE,
        pods=[deleted(pod(status=_PULLING))],
        result="Failed",
        reason="ImagePullBackOff",
        message='Back-off pulling image "registry.example/nope:1"',
        attempts=["PodDeleted"],
    ),
    Ending(
        name="no node had room until the Job's deadline",
        status=JOB_OVERDUE,
        pods=[deleted(pod(status=bodies.unschedulable("0/3 nodes are available: 3 Insufficient cpu.")))],
        result="Failed",
        reason="Unschedulable",
        message="0/3 nodes are available: 3 Insufficient cpu.",
        attempts=["PodDeleted"],
    ),
    Ending(
        name="a quota let no Pod be made until the Job's deadline",
        status=NEVER_STARTED,
        result="Failed",
        reason="NotStarted",
        message="Job was active longer than specified deadline",
    ),
]

DISRUPTED = [
    Ending(
        name="the node ran out of memory",
        status=GIVEN_UP,
        pods=[
            pod(
                status={
                    **bodies.ended(
                        137, started=after_noon(1), finished=after_noon(11), disruption="TerminationByKubelet"
                    ),
                    "reason": "Evicted",
                    "message": "The node was low on resource: memory.",
                }
            )
        ],
        result="Failed",
        reason="Evicted",
        exit_code=137,
        message="The node was low on resource: memory.",
        attempts=["Evicted"],
    ),
    Ending(
        name="the Pod used more disk than it may, and left no container behind",
        status=GIVEN_UP,
        pods=[
            pod(
                status={
                    "phase": "Failed",
                    "reason": "Evicted",
                    "message": "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi.",
                }
            )
        ],
        result="Failed",
        reason="Evicted",
        message="Pod ephemeral local storage usage exceeds the total limit of containers 1Gi.",
        attempts=["Evicted"],
    ),
    *(
        Ending(
            name=f"disrupted: {disruption}",
            status=GIVEN_UP,
            pods=[deleted(crashed(exit_code=143, message="got SIGTERM", disruption=disruption))],
            result="Failed",
            reason=reason,
            exit_code=143,
            message="got SIGTERM",
            attempts=[reason],
        )
        for disruption, reason in [
            ("EvictionByEvictionAPI", "Evicted"),
            ("TerminationByKubelet", "Evicted"),
            ("PreemptionByScheduler", "Preempted"),
            ("DeletionByTaintManager", "NodeLost"),
            ("DeletionByPodGC", "NodeLost"),
            ("ReasonOfTheFuture", "ReasonOfTheFuture"),
        ]
    ),
    Ending(
        name="the node was gone, and with it what the container did last",
        status=GIVEN_UP,
        pods=[
            deleted(
                pod(
                    status={
                        **bodies.running(after_noon(1)),
                        "phase": "Failed",
                        "message": "PodGC: node no longer exists",
                        "conditions": [
                            {"type": "DisruptionTarget", "status": "True", "reason": "DeletionByPodGC"}
                        ],
                    }
                )
            )
        ],
        result="Failed",
        reason="NodeLost",
        message="PodGC: node no longer exists",
        attempts=["NodeLost"],
    ),
]

ENDINGS = [*SUCCEEDED, *FAILED, *TIMED_OUT, *NOT_STARTED, *DISRUPTED]
