"""A hundred thousand records into PostgreSQL by a pod of 256 MiB, and what happens when that is disturbed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.access import Cluster
from tests.cluster.providers import Provider
from tests.cluster.release import Operator
from tests.examples import importing
from tests.examples.importing import BATCH, IMPORT, known
from tests.examples.proxy import Proxy
from tests.examples.system import System
from tests.waiting import wait_until

TOKENS = 100_000
BACKENDS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'import-tokens'"


@pytest.fixture(scope="module")
def tokens(cluster: Cluster, operator: Operator, provider: Provider, proxy: Proxy) -> Iterator[System]:
    with importing.tokens(cluster, provider, proxy, count=TOKENS) as system:
        yield system


@pytest.fixture
def system(tokens: System) -> System:
    """The table is empty, and the API works."""
    tokens.clear_faults()
    tokens.sql("TRUNCATE tokens")
    return tokens


def in_whole_batches(system: System) -> int:
    """How many tokens the table has, which no run that was disturbed may leave in parts of batches."""
    count = known(system)
    assert count % BATCH == 0
    return count


def test_all_come_in_once_within_little_memory_and_the_second_time_none(system: System) -> None:
    first = system.run(IMPORT)
    batches = TOKENS // BATCH
    expected = {"fetched": TOKENS, "updated": 0, "batches": batches, "pages": batches}
    assert first["value"] == {**expected, "inserted": TOKENS, "known": 0}
    assert first["peakMemoryBytes"] < importing.MEMORY_LIMIT / 2
    second = system.run(IMPORT)
    assert second["value"] == {**expected, "inserted": 0, "known": TOKENS}
    assert known(system) == TOKENS


def test_a_cancelled_run_leaves_whole_batches_and_says_how_many(system: System) -> None:
    system.api_fault(after=4, delay_seconds=2)  # it is not done before its cancellation has reached it
    started = system.start(IMPORT)
    wait_until(lambda: known(system), timeout=60, interval=0.5, describe="a batch is written")
    record = system.cancel(IMPORT, started)
    assert record["result"] == "Cancelled"
    assert 0 < record["value"]["inserted"] == in_whole_batches(system) < TOKENS


def test_a_backend_that_is_killed_half_way_leaves_whole_batches(system: System) -> None:
    system.api_fault(after=4, delay_seconds=2)
    started = system.start(IMPORT)
    wait_until(lambda: known(system), timeout=60, interval=0.5, describe="a batch is written")
    system.sql(BACKENDS)
    record = system.wait(IMPORT, started)
    assert (record["result"], record["exitCode"]) == ("Failed", 69)
    assert 0 < in_whole_batches(system) < TOKENS


def test_a_server_that_breaks_off_half_way_leaves_whole_batches(system: System) -> None:
    system.api_fault(after=8, cut_after_bytes=100_000)
    record = system.run(IMPORT)
    assert (record["result"], record["exitCode"]) == ("Failed", 69)
    assert in_whole_batches(system) == 8 * BATCH
    system.clear_faults()
    assert system.run(IMPORT)["value"]["inserted"] == TOKENS - 8 * BATCH


def test_a_bad_record_is_named_and_its_batch_is_not_written(system: System) -> None:
    system.api_fault(replace_item=52_345, replacement={"address": "So7", "decimals": "canary"})
    record = system.run(IMPORT)
    assert (record["result"], record["exitCode"]) == ("Failed", 65)
    assert "record 52346 on page 11" in record["message"]
    assert "canary" not in system.log(record)
    assert in_whole_batches(system) == 50_000
