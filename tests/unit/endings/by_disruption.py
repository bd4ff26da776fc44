"""Runs that ended through the cluster's fault."""

from tests.unit import bodies
from tests.unit.endings.shapes import GIVEN_UP, Ending, crashed, deleted, pod
from tests.unit.moments import after_noon

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
