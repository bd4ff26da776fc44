"""Runs that a deadline ended, after their start or before it."""

from tests.unit import bodies
from tests.unit.endings.shapes import (
    GIVEN_UP,
    JOB_OVERDUE,
    NEVER_STARTED,
    Ending,
    crashed,
    deleted,
    overdue,
    pod,
    report,
)
from tests.unit.moments import after_noon

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
                status=overdue(
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
        pods=[pod(status=overdue(bodies.ended(143, started=after_noon(1), finished=after_noon(41))))],
        result="TimedOut",
        reason="DeadlineExceeded",
        exit_code=143,
        message="Pod was active on the node longer than the specified deadline",
        attempts=["DeadlineExceeded"],
    ),
    Ending(
        name="it took SIGTERM at its deadline for a good end",
        status=GIVEN_UP,
        pods=[pod(status=overdue(bodies.ended(0, started=after_noon(1), finished=after_noon(41))))],
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
        pods=[pod(status=overdue(_PULLING))],
        result="Failed",
        reason="ImagePullBackOff",
        message='Back-off pulling image "registry.example/nope:1"',
        attempts=["ImagePullBackOff"],
    ),
    Ending(
        name="the image was being pulled at the Pod's deadline",
        status=GIVEN_UP,
        pods=[pod(status=overdue(bodies.waiting("ErrImagePull", "not found")))],
        result="Failed",
        reason="ImagePullBackOff",
        message="not found",
        attempts=["ImagePullBackOff"],
    ),
    Ending(
        name="a Secret was missing until the Pod's deadline",
        status=GIVEN_UP,
        pods=[pod(status=overdue(bodies.waiting("CreateContainerConfigError", 'secret "db" not found')))],
        result="Failed",
        reason="CreateContainerConfigError",
        message='secret "db" not found',
        attempts=["CreateContainerConfigError"],
    ),
    Ending(
        name="the container was still being created at the Pod's deadline",
        status=GIVEN_UP,
        pods=[pod(status=overdue(bodies.waiting("ContainerCreating")))],
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
