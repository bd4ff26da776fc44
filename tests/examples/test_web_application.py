"""The web application's jobs on the cluster: what each changes, and what it leaves when something is gone."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.scheduled_job import ScheduledJob, as_text, moment
from tests.examples.locked_tables import cancelled_in_a_batch, locked
from tests.examples.system import System
from tests.examples.time_limits import check_timed_out, ending_after
from tests.waiting import wait_until

SYSTEM = "web-application"
JOBS = (
    "clean-sessions",
    "prune-audit-log",
    "refresh-rates",
    "send-digest",
    "update-search-index",
    "warm-cache",
)
SESSIONS = """
local now = tonumber(redis.call('TIME')[1])
for number = 1, 1205 do
  local key, user = 'session:' .. number, number % 100
  local days = number <= 5 and 1 or 31
  redis.call('HSET', key, 'user', user, 'last_seen', now - days * 86400)
  redis.call('SADD', 'sessions-of:' .. user, key)
end
redis.call('ZADD', 'visits', 9, 'rivers', 8, 'mills', 7, 'gone')
redis.call('SET', 'page:gone', 'old')
"""


@pytest.fixture(autouse=True)
def beginning(system: System) -> None:
    """1205 sessions, of which 5 are in use; nothing indexed, mailed, cached or known."""
    system.clear_faults()
    system.clear_mails()
    system.redis("FLUSHALL")
    system.redis("EVAL", SESSIONS, "0")
    system.sql("DELETE FROM articles WHERE id > 3; TRUNCATE search_index, digests, rates")


def started(system: System, *names: str) -> dict[str, str]:
    return {name: system.start(name) for name in names}


def ended(system: System, runs: dict[str, str]) -> dict[str, dict[str, Any]]:
    return {name: system.wait(name, run) for name, run in runs.items()}


def values(system: System, *names: str) -> dict[str, Any]:
    """What the jobs return, run at the same time."""
    records = ended(system, started(system, *names))
    assert {name: record["result"] for name, record in records.items()} == dict.fromkeys(
        names, "Succeeded"
    ), records
    return {name: record["value"] for name, record in records.items()}


def count(system: System, table: str) -> int:
    return int(system.sql(f"SELECT count(*) FROM {table}")[0][0])


def test_every_job_does_its_work_once(system: System) -> None:
    old = count(system, "audit_log WHERE happened_at < now() - interval '90 days'")
    found = values(system, *JOBS)
    assert found == {
        "clean-sessions": {"sessions": 1205, "removed": 1200, "unreadable": 0},
        "prune-audit-log": {"removed": old},
        "refresh-rates": {"rates": 5, "changed": 5},
        "send-digest": {"sent": 3, "refused": 0},
        "update-search-index": {"indexed": 3, "batches": 1},
        "warm-cache": {"warm": 2, "gone": 1},
    }
    keys = system.redis("KEYS", "*").split()
    assert sorted(key for key in keys if key.startswith("session:")) == [f"session:{n}" for n in range(1, 6)]
    assert sorted(key for key in keys if key.startswith("page:")) == ["page:mills", "page:rivers"]
    assert json.loads(system.redis("GET", "page:mills"))["title"] == "Mills"
    assert 800 < int(system.redis("TTL", "page:mills")) <= 900
    assert count(system, "audit_log") == 5000 - old
    assert system.sql("SELECT currency, euro FROM rates ORDER BY 1")[0] == ["CHF", "1.0712"]
    assert system.sql("SELECT reader, accepted FROM digests ORDER BY 1") == [
        ["1", "t"],
        ["2", "t"],
        ["4", "t"],
    ]
    assert sorted(str(mail["To"]) for mail in system.mails()) == [
        f"{name}@example.org" for name in ("ada", "bela", "dora")
    ]

    assert values(system, *JOBS) == {
        "clean-sessions": {"sessions": 5, "removed": 0, "unreadable": 0},
        "prune-audit-log": {"removed": 0},
        "refresh-rates": {"rates": 5, "changed": 0},
        "send-digest": {"sent": 0, "refused": 0},
        "update-search-index": {"indexed": 0, "batches": 0},
        "warm-cache": {"warm": 2, "gone": 0},
    }
    assert len(system.mails()) == 3


def test_without_the_database_its_jobs_are_unavailable_and_the_others_work(system: System) -> None:
    with system.stopped("postgresql"):
        records = ended(system, started(system, *JOBS))
    codes = {name: record["exitCode"] for name, record in records.items()}
    assert codes == {**dict.fromkeys(JOBS, 69), "clean-sessions": 0, "warm-cache": 0}
    said = [record.get("message", "") + system.log(record) for record in records.values()]
    assert not [text for text in said if "trial" in text], "a connection string is nobody's business"
    assert system.mails() == []
    assert values(system, "update-search-index")["update-search-index"]["indexed"] == 3


def test_without_cache_mail_server_and_api_the_jobs_of_the_database_work(system: System) -> None:
    with system.stopped("redis"), system.stopped("smtp"), system.stopped("api"):
        records = ended(system, started(system, *JOBS))
    codes = {name: record["exitCode"] for name, record in records.items()}
    assert codes == {**dict.fromkeys(JOBS, 69), "prune-audit-log": 0, "update-search-index": 0}
    assert [count(system, table) for table in ("rates", "digests", "search_index")] == [0, 0, 3]


def test_a_refused_reader_is_remembered_and_the_others_get_their_mail(system: System) -> None:
    system.smtp_fault(recipient="bela@example.org")
    assert values(system, "send-digest")["send-digest"] == {"sent": 2, "refused": 1}
    assert len(system.mails()) == 2


def test_a_mail_server_that_takes_no_mail_at_all_costs_nobody_a_digest(system: System) -> None:
    system.smtp_fault(code=554)
    assert system.run("send-digest")["exitCode"] == 65
    assert count(system, "digests") == 0
    system.clear_faults()
    assert values(system, "send-digest")["send-digest"] == {"sent": 3, "refused": 0}


def test_a_digest_that_is_cancelled_says_how_many_mails_are_out_and_the_next_run_sends_the_others(
    system: System,
) -> None:
    system.smtp_fault(code=250, keep=True, delay_seconds=10, times=1)
    started = system.start("send-digest")
    wait_until(system.mails, timeout=60, describe="the first mail is on its way")
    record = system.cancel("send-digest", started)
    assert (record["result"], record["value"]) == ("Cancelled", {"sent": 1, "refused": 0})
    assert values(system, "send-digest")["send-digest"] == {"sent": 2, "refused": 0}
    assert len({mail["To"] for mail in system.mails()}) == len(system.mails()) == 3


@pytest.mark.parametrize(
    ("pages", "rates", "codes"),
    [
        ({"status": 401}, {"status": 429}, (78, 75)),
        ({"status": 503}, {"cut_after_bytes": 100}, (69, 69)),
    ],
    ids=["locked-or-busy", "broken-or-half-way"],
)
def test_an_api_that_fails_ends_the_run_with_the_code_that_says_how_and_changes_nothing(
    system: System, pages: dict[str, Any], rates: dict[str, Any], codes: tuple[int, int]
) -> None:
    system.api_fault(path="/v1/pages", **pages)
    system.api_fault(path="/v1/rates", **rates)
    records = ended(system, started(system, "warm-cache", "refresh-rates"))
    assert (records["warm-cache"]["exitCode"], records["refresh-rates"]["exitCode"]) == codes
    assert system.redis("KEYS", "page:*") == "page:gone"
    assert count(system, "rates") == 0


def test_what_takes_too_long_ends_with_the_time_of_its_run_and_changes_nothing(system: System) -> None:
    """The API and the mail server answer late, and a table is locked."""
    names = ("warm-cache", "refresh-rates", "send-digest", "update-search-index")
    system.api_fault(delay_seconds=6)
    system.smtp_fault(delay_seconds=60)
    with ending_after(system, "10s", *names), locked(system, "search_index"):
        records = ended(system, started(system, *names))
    check_timed_out(system, records)
    assert system.redis("KEYS", "page:*") == "page:gone"
    assert [count(system, table) for table in ("rates", "digests", "search_index")] == [0, 0, 0]


def test_a_cache_that_does_not_answer_ends_the_run_in_time_and_no_session_is_removed(system: System) -> None:
    with ending_after(system, "10s", "clean-sessions"), system.frozen("redis"):
        record = system.run("clean-sessions")
    if record["exitCode"] != 69:
        check_timed_out(system, {"clean-sessions": record})
    assert system.redis("EXISTS", "session:1205") == "1"


def test_a_password_that_a_server_does_not_take_is_exit_78_and_stands_nowhere(system: System) -> None:
    wrong = {
        "update-search-index": {"DATABASE_URL": "postgresql://app:canary-7@postgresql/app"},
        "clean-sessions": {"REDIS_URL": "redis://:canary-7@redis:6379/0"},
    }
    runs = {name: system.start(name, env=env) for name, env in wrong.items()}
    records = ended(system, runs)
    assert {name: record["exitCode"] for name, record in records.items()} == dict.fromkeys(runs, 78)
    assert not [record for record in records.values() if "canary-7" in str(record) + system.log(record)]


def test_a_bad_record_is_named_and_nothing_is_half_written(system: System) -> None:
    system.api_fault(replace_item=3, replacement={"currency": "SEK", "euro": "secret"})
    system.api_fault(replace_item=4, replacement={"currency": "?"})
    record = system.run("refresh-rates", args={"page": 2})
    assert (record["result"], record["exitCode"]) == ("Failed", 65)
    assert "record 2 of page 2: euro is not a number" in record["message"]
    assert "secret" not in record["message"]
    assert count(system, "rates") == 0


def test_a_run_that_is_cancelled_in_a_batch_leaves_whole_batches_and_says_how_many(system: System) -> None:
    system.sql(
        "INSERT INTO articles SELECT n, 'title', 'text', now(), now() FROM generate_series(10, 60000) AS n"
    )
    record = cancelled_in_a_batch(system, "update-search-index", table="search_index", args={"batch": 100})
    assert record["result"] == "Cancelled"
    indexed = count(system, "search_index")
    assert record["value"] == {"indexed": indexed, "batches": indexed / 100}
    assert 100 <= indexed < 59_000


def test_a_broken_file_beside_it_is_logged_and_the_handler_does_its_work(system: System) -> None:
    system.add_handlers("clean-sessions", {"broken.py": "import nothing_of_this_name\n"})
    record = system.run("clean-sessions")
    assert record["value"]["removed"] == 1200
    assert "not loaded: /more-handlers/broken.py: ModuleNotFoundError" in system.log(record)


def switch(system: System, *, on: bool) -> None:
    """The master switch of the namespace: what BACKGROUND_JOBS_ENABLED=false was."""
    value = "=BACKGROUND_JOBS_ENABLED is false" if on else "-"
    system.cluster.kubectl("annotate", "namespace", system.namespace, f"scheduledjob.dev/suspend{value}")


def suspended(job: ScheduledJob) -> bool:
    return bool(job.get("cronjob")["spec"]["suspend"])


def test_the_switch_for_all_jobs_suspends_each_and_loses_nothing(system: System) -> None:
    jobs = {name: system.job(name) for name in JOBS}
    for job in jobs.values():
        job.patch(enabled=True)
    clock = jobs["warm-cache"]
    clock.patch(schedule=None, every="5s")
    first = clock.wait_run(timeout=60)
    kept = {name: [run["id"] for run in job.status.get("recentRuns", [])] for name, job in jobs.items()}
    switch(system, on=True)
    for job in jobs.values():
        paused = job.wait_condition("Paused", "NamespaceSuspended")
        assert paused["message"].endswith("BACKGROUND_JOBS_ENABLED is false")
    assert [suspended(job) for job in jobs.values()] == [True] * 6
    since = moment(clock.condition("Paused")["lastTransitionTime"])
    assert clock.ask("run", "please")["outcome"] == "Refused"
    over = since + timedelta(seconds=11)
    wait_until(lambda: datetime.now(UTC) > over, describe="two slots have passed")
    switch(system, on=False)
    for job in jobs.values():
        job.wait_condition("Paused", "Resumed")
    # What the operator fires by itself it fires from a CronJob that never does.
    assert [suspended(job) for job in jobs.values()] == [job is clock for job in jobs.values()]
    resumed = clock.condition("Paused")["lastTransitionTime"]
    wait_until(lambda: clock.find_run().get("slot", "") > resumed, timeout=60, describe="the next slot runs")

    slots = [run["slot"] for run in clock.status["recentRuns"] if "slot" in run]
    assert not [slot for slot in slots if as_text(since) < slot <= resumed]
    assert [entry["count"] for entry in clock.status["unstarted"] if entry["reason"] == "Suspended"] >= [2]
    for name, job in jobs.items():
        assert set(kept[name]) <= {run["id"] for run in job.status.get("recentRuns", [])}
    assert first["id"] in kept["warm-cache"]


def test_pausing_listing_and_removing_are_those_of_kubernetes(system: System) -> None:
    job = system.job("refresh-rates")
    job.patch(enabled=False)
    wait_until(lambda: suspended(job), describe="it is paused")
    job.patch(enabled=True)
    wait_until(lambda: not suspended(job), describe="it is resumed")
    listed = system.job("*").kubectl("get", "scheduledjobs", "--no-headers").splitlines()
    assert tuple(line.split()[0] for line in listed) == JOBS
    job.kubectl("delete", "scheduledjob", "refresh-rates", "--wait")
    left = ("get", "cronjob", "refresh-rates", f"--namespace={system.namespace}", "--ignore-not-found")
    wait_until(lambda: system.cluster.kubectl(*left).stdout == "", describe="its CronJob is gone")
