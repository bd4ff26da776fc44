"""Servers that fail leave whole batches."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from job_runner.errors import ExitCode
from tests.handlers.fetch_insert.tokens import count, rows, run
from tests.servers.sample_api import SampleApi
from tests.waiting import wait_until


def test_a_moment_of_trouble_is_got_over(database: str, api: SampleApi) -> None:
    api.fail(status=503, times=1, after=2, retry_after=0)
    api.fail(status=429, times=1, after=4, retry_after=0)
    assert run(api).error is None
    assert count(database) == 1000


@pytest.mark.parametrize(
    ("fault", "exit_code"), [({"status": 500}, 69), ({"status": 401}, 78), ({"cut_after_bytes": 1000}, 69)]
)
def test_a_server_that_fails_half_way_leaves_whole_batches(
    database: str, api: SampleApi, fault: dict[str, Any], exit_code: int
) -> None:
    api.fail(after=3, **fault)
    ended = run(api)
    assert ended.exit_code == exit_code
    assert ended.logs[-1] == "stopped after 400 records that are written"
    assert count(database) == 400
    api.clear_faults()
    assert run(api).error is None
    assert count(database) == 1000


def test_lines_that_break_off_leave_whole_batches(database: str, api: SampleApi) -> None:
    api.fail(cut_after_bytes=80_000)
    ended = run(api, url=f"{api.url}/v1/tokens.ndjson", format="ndjson", paging=None, records="")
    assert ended.exit_code == ExitCode.UNAVAILABLE
    assert count(database) % 200 == 0


def test_a_backend_that_is_killed_half_way_leaves_whole_batches(database: str, api: SampleApi) -> None:
    def kill() -> None:
        wait_until(lambda: count(database) >= 400)
        rows(database, BACKENDS)

    api.fail(delay_seconds=0.1)
    killing = threading.Thread(target=kill)
    killing.start()
    ended = run(api)
    killing.join()
    assert ended.exit_code == ExitCode.UNAVAILABLE, ended
    assert 400 <= count(database) < 1000
    assert count(database) % 200 == 0


BACKENDS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'fetch_insert'"
