"""The token catalogue's jobs on the cluster: tokens come in whole batches, and nothing comes twice."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.e2e.scheduled_job import moment
from tests.examples.locked_tables import cancelled_in_a_batch
from tests.examples.system import FOLDER, System
from tests.examples.time_limits import check_timed_out, ending_after
from tests.waiting import wait_until

SYSTEM = "token-catalogue"
CHANGES = {"hello": {"enabled": True}}
COLUMNS = "NAME:.metadata.name,HANDLER:.spec.handler,SCHEDULE:.status.resolvedSchedule"
TOKENS, BATCH = 25_000, 5000
MEBIBYTE = 2**20


@pytest.fixture(autouse=True)
def empty(system: System) -> None:
    """No token is known, and the API works."""
    system.clear_faults()
    system.sql("TRUNCATE tokens")


def known(system: System) -> int:
    return int(system.sql("SELECT count(*) FROM tokens")[0][0])


def jupiter(system: System) -> dict[str, Any]:
    """The record of a fetch."""
    return system.run("jupiter")


def test_all_tokens_come_in_once_and_the_second_time_none(system: System) -> None:
    first = jupiter(system)
    assert first["value"] == {
        "fetched": TOKENS,
        "inserted": TOKENS,
        "updated": 0,
        "known": 0,
        "batches": TOKENS // BATCH,
        "pages": 25,
    }
    assert first["peakMemoryBytes"] < 110 * MEBIBYTE
    row = "SELECT symbol, name, decimals, tags->>1 FROM tokens WHERE address = 'So7' || repeat('1', 25)"
    assert system.sql(row) == [["T7", "Token number 7", "9", "unknown"]]
    second = jupiter(system)
    assert (second["value"]["inserted"], second["value"]["known"]) == (0, TOKENS)
    assert known(system) == TOKENS


def test_a_fetch_that_is_cancelled_in_a_batch_leaves_whole_batches(system: System) -> None:
    system.api_fault(after=12, delay_seconds=2)  # it is not done before its cancellation has reached it
    record = cancelled_in_a_batch(system, "jupiter", table="tokens")
    system.clear_faults()
    assert record["result"] == "Cancelled"
    assert record["value"]["inserted"] == record["value"]["batches"] * BATCH == known(system)
    assert BATCH <= known(system) < TOKENS
    assert jupiter(system)["value"]["inserted"] == TOKENS - record["value"]["inserted"]


def test_a_fetch_that_takes_too_long_ends_in_time_with_whole_batches(system: System) -> None:
    assert system.job("jupiter").get()["spec"]["timeout"] == "5m"
    system.api_fault(after=12, delay_seconds=60)
    with ending_after(system, "20s", "jupiter"):
        record = jupiter(system)
    check_timed_out(system, {"jupiter": record})
    assert record["reason"] == "DeadlineExceeded"
    assert record["value"]["inserted"] == known(system) == 2 * BATCH


@pytest.mark.parametrize(
    ("fault", "exit_code", "written"),
    [
        ({"after": 12, "cut_after_bytes": 1000}, 69, 2 * BATCH),
        ({"after": 7, "status": 429}, 75, BATCH),
        ({"after": 3, "status": 401}, 78, 0),
    ],
    ids=["half-way", "busy", "locked"],
)
def test_an_api_that_fails_leaves_whole_batches(
    system: System, fault: dict[str, Any], exit_code: int, written: int
) -> None:
    system.api_fault(**fault)
    record = jupiter(system)
    assert (record["result"], record["exitCode"]) == ("Failed", exit_code)
    assert known(system) == written


def test_what_an_api_answers_a_while_later_is_waited_for(system: System) -> None:
    system.api_fault(after=5, times=2, status=503)
    system.api_fault(after=9, times=1, status=429, retry_after=1)
    assert jupiter(system)["value"]["inserted"] == TOKENS


@pytest.mark.parametrize(
    ("replacement", "says"),
    [
        ({"address": None, "symbol": "X", "name": "secret", "decimals": 9, "tags": []}, "address"),
        ({"address": "a", "symbol": "X", "name": "secret", "decimals": "many", "tags": []}, "decimals"),
    ],
    ids=["without-its-key", "of-another-type"],
)
def test_the_first_bad_record_is_named_and_its_batch_is_not_written(
    system: System, replacement: Any, says: str
) -> None:
    system.api_fault(replace_item=12_345, replacement=replacement)
    system.api_fault(replace_item=12_400, replacement=[])
    record = jupiter(system)
    assert (record["result"], record["exitCode"]) == ("Failed", 65)
    assert "12346" in record["message"]
    assert says in record["message"] or says in system.log(record)
    assert "secret" not in record["message"]
    assert known(system) == 2 * BATCH


def test_without_its_servers_it_is_unavailable_and_what_needs_none_of_them_works(system: System) -> None:
    with system.stopped("postgresql"):
        fetch, report = system.start("jupiter"), system.start("memory-report")
        assert system.wait("jupiter", fetch)["exitCode"] == 69
        assert system.wait("memory-report", report)["result"] == "Succeeded"
    with system.stopped("api"):
        assert jupiter(system)["exitCode"] == 69
    assert known(system) == 0


def test_without_the_right_to_list_pods_the_report_is_a_matter_of_configuration(system: System) -> None:
    where = f"--namespace={system.namespace}"
    system.cluster.kubectl("delete", "rolebinding", "memory-report", where)
    try:
        record = system.run("memory-report")
    finally:
        access = (FOLDER / SYSTEM / "access.yaml").read_text()
        system.cluster.apply(access, namespace=system.namespace)
    assert (record["result"], record["exitCode"]) == ("Failed", 78)
    assert "/pods: answered 403 Forbidden" in record["message"]


def test_a_database_that_does_not_know_us_is_a_matter_of_configuration(system: System) -> None:
    wrong = "postgresql://app:a-word-of-yesterday@postgresql/app"
    record = system.run("jupiter", env={"DATABASE_URL": wrong})
    assert (record["result"], record["exitCode"]) == ("Failed", 78)
    assert "a-word-of-yesterday" not in str(record) + system.log(record)
    assert known(system) == 0


def test_the_memory_of_node_container_and_namespace_is_reported(system: System) -> None:
    record = system.run("memory-report")
    node, container, namespace = (record["value"][name] for name in ("node", "container", "namespace"))
    assert 0 < node["availableBytes"] < node["totalBytes"]
    assert container["limitBytes"] == 64 * MEBIBYTE
    assert 0 < container["usedBytes"] < 64 * MEBIBYTE
    # The two servers, the run itself, and a hello that may just be under way.
    assert namespace["pods"] >= 3
    assert namespace["requestedBytes"] >= (128 + 32) * MEBIBYTE
    assert record["peakMemoryBytes"] > 10 * MEBIBYTE
    assert record["durationSeconds"] > 0
    assert '"message": "memory"' in system.log(record)


def test_hello_is_said_every_ten_seconds(system: System) -> None:
    job = system.job("hello")

    def neighbours() -> dict[str, Any]:
        """A run whose slot is that after the one of the run before; a busy machine may have skipped some."""
        runs = job.status.get("recentRuns", [])
        return next(
            (
                newer
                for newer, older in itertools.pairwise(runs)
                if (moment(newer["slot"]) - moment(older["slot"])).total_seconds() == 10
            ),
            {},
        )

    run = wait_until(neighbours, timeout=180, describe="two slots in a row have had their runs")
    assert moment(run["slot"]).second % 10 == 0
    assert (run["result"], run["value"]) == ("Succeeded", {"greeting": "Hello, token catalogue!"})


def test_a_broken_file_beside_it_is_logged_and_the_job_does_its_work(system: System) -> None:
    system.add_handlers("memory-report", {"broken.py": "def broken(:\n"})
    record = system.run("memory-report")
    assert record["result"] == "Succeeded"
    assert "not loaded: /more-handlers/broken.py: SyntaxError" in system.log(record)


def test_the_jobs_are_listed_with_their_schedules(system: System) -> None:
    path = ("scheduledjobs", "--no-headers", "--output=custom-columns=" + COLUMNS)
    lines = [line.rstrip().split(maxsplit=2) for line in system.job("*").kubectl("get", *path).splitlines()]
    listed = [[name, handler, schedule.partition(" from ")[0]] for name, handler, schedule in lines]
    assert listed == [
        ["hello", "hello", "@every 10s"],
        ["jupiter", "fetch_insert", "0 2 * * MON"],
        ["memory-report", "memory_report", "0 * * * *"],
    ]
    job = system.job("jupiter")
    job.patch(enabled=True)
    times = wait_until(lambda: job.status.get("nextRunTimes"), describe="its next run times are known")
    assert times is not None
    assert {(moment(time).weekday(), moment(time).hour, moment(time).minute) for time in times} == {(0, 2, 0)}
    job.patch(enabled=False)
