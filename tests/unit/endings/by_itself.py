"""Runs whose container ended by itself, well or not."""

from tests.unit import bodies
from tests.unit.endings.shapes import COMPLETE, GIVEN_UP, Ending, crashed, deleted, report
from tests.unit.moments import NOON, after_noon

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
