"""The rest of the lead processor's jobs, and what each of them does when the database fails it."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from job_runner.testing import Outcome, Result, run_handler
from tests.handlers.cancelling import cancelled_when
from tests.handlers.lead_processor.system import Database, handler
from tests.servers.postgresql import PostgresqlServer
from tests.servers.sample_api import SampleApi
from tests.servers.smtp_sink import SmtpSink

SLOT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
JOBS = {
    "score_update": {},
    "session_cleanup": {},
    "metrics": {},
    "crm_sync": {},
    "web_url_sync": {},
    "follow_ups": {},
    "daily_reports": {"recipients": ["sales@travel.example"]},
}
"""Those that need the database -> their arguments."""
TABLES = ("lead", "lead_points", "landing_page", "sync_position", "web_session", "sent_mail", "metric")


@pytest.fixture
def database(
    database_url: str, sample_api: SampleApi, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> Database:
    variables = {
        "DATABASE_URL": database_url,
        "CRM_URL": sample_api.url,
        "SITE_URL": sample_api.url,
        "SMTP_URL": smtp_sink.url,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    lead = {"id": "crm-1", "name": "Ada", "email": "ada@example.net", "status": "new"}
    page = {"id": "home", "url": "https://travel.example/", "title": "Journeys"}
    sample_api.serve(**{"crm-leads": [lead], "landing-pages": [page]})
    smtp_sink.clear()
    database = Database.create(database_url)
    database.add_lead(name="Ben", travel_date=SLOT.date(), status="contacted", contacted_at="2026-01-01")
    add_sessions(database, expired=3, live=2)
    return database


def add_sessions(database: Database, *, expired: int, live: int) -> None:
    database.sql(
        "INSERT INTO web_session SELECT 'session-' || number, now() + (number - %s) * interval '1 minute'"
        " FROM generate_series(1, %s) AS number ON CONFLICT DO NOTHING",
        (expired, expired + live),
    )


def run(name: str, **options: Any) -> Outcome:
    options.setdefault("args", JOBS.get(name, {}))
    return run_handler(handler(name), **options)


def everything(database: Database) -> dict[str, Any]:
    return {table: database.sql(f"SELECT * FROM {table} ORDER BY 1, 2") for table in TABLES}


def test_exactly_the_sessions_that_have_expired_are_removed(database: Database) -> None:
    assert run("session_cleanup").value == {"removed": 3}
    assert database.sql("SELECT id FROM web_session ORDER BY id") == [("session-4",), ("session-5",)]
    assert run("session_cleanup").value == {"removed": 0}


@pytest.mark.parametrize("batch", [1, 2, 3, 4])
def test_whatever_the_size_of_the_batches_all_of_them_go(database: Database, batch: int) -> None:
    assert run("session_cleanup", args={"batch": batch}).value == {"removed": 3}


def test_a_clean_up_that_is_stopped_says_how_far_it_came(database: Database) -> None:
    database.sql("TRUNCATE web_session")
    add_sessions(database, expired=40_000, live=1)
    outcome = cancelled_when(
        lambda: database.count("web_session") < 40_001, handler("session_cleanup"), args={"batch": 10}
    )
    value: Any = outcome.value
    assert outcome.result is Result.CANCELLED
    assert value["removed"] > 0
    assert value["removed"] % 10 == 0
    assert database.count("web_session") == 40_001 - value["removed"]


def test_the_figures_of_an_hour_are_written_once_and_replaced_by_a_second_run(database: Database) -> None:
    first = {"leads_contacted": 1, "average_score": 0, "sessions": 2}
    assert run("metrics", slot=SLOT).value == first
    database.add_lead(name="Cleo", score=5)
    database.add_lead(name="Dan", deleted_at=SLOT)
    second = {"leads_contacted": 1, "leads_new": 1, "average_score": 2.5, "sessions": 2}
    assert run("metrics", slot=SLOT + timedelta(minutes=59)).value == second
    assert run("metrics", slot=SLOT + timedelta(hours=1)).value == second
    rows = database.sql("SELECT hour, name, value FROM metric")
    assert {(hour, name): value for hour, name, value in rows} == {
        (SLOT + timedelta(hours=hours), name): value for hours in (0, 1) for name, value in second.items()
    }


def test_what_is_no_longer_there_is_not_in_the_figures_of_the_hour(database: Database) -> None:
    database.add_lead(status="junk")
    run("metrics", slot=SLOT - timedelta(hours=1))
    run("metrics", slot=SLOT)
    database.sql("DELETE FROM lead WHERE status = 'junk'")
    run("metrics", slot=SLOT)
    hours = "SELECT hour FROM metric WHERE name = 'leads_junk'"
    assert database.sql(hours) == [(SLOT - timedelta(hours=1),)], "what was, was"


def test_the_health_check_says_how_long_each_server_took(database: Database) -> None:
    value: Any = run("health_check").value
    assert list(value) == ["database", "crm", "mail"]
    assert all(0 <= seconds < 10 for seconds in value.values())


def test_the_health_check_names_every_server_that_is_gone(
    database: Database, sample_api: SampleApi, smtp_sink: SmtpSink
) -> None:
    with sample_api.stopped(), smtp_sink.stopped():
        outcome = run("health_check", timeout=20)
    assert outcome.exit_code == 69
    assert outcome.error is not None
    crm, mail = outcome.error.message.split("; ")
    assert crm.startswith("crm: ")
    assert mail.startswith("mail: ")


def test_the_health_check_does_not_wait_long_for_a_server_that_is_there_and_says_nothing(
    database: Database, sample_api: SampleApi
) -> None:
    with sample_api.frozen():
        outcome = run("health_check", timeout=30)
    assert outcome.exit_code == 69
    assert outcome.error is not None
    assert outcome.error.message.startswith("crm: ")
    assert outcome.duration_seconds < 15


def test_the_health_check_names_a_mail_server_that_hangs_and_those_that_are_gone_beside_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("SMTP_URL", f"smtp://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setenv("CRM_URL", "http://127.0.0.1:1")
        outcome = run("health_check", timeout=3)
    assert outcome.exit_code == 124
    assert outcome.error is not None
    crm, mail = outcome.error.message.split("; ")
    assert crm.startswith("crm: ")
    assert mail == "mail: no answer yet"


def test_the_health_check_waits_for_no_server_as_long_as_the_server_may_take(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = handler("health_check")
    monkeypatch.setitem(check.__globals__, "PATIENCE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("SMTP_URL", f"smtp://127.0.0.1:{silent.getsockname()[1]}")
        outcome = run("health_check", timeout=60)
    assert (outcome.exit_code, outcome.error and outcome.error.message) == (69, "mail: no answer yet")


def test_the_health_check_tells_a_wrong_setting_from_a_server_that_is_gone(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database.url.replace("correct", "wrong"))
    assert run("health_check").exit_code == 78


def test_the_sample_job_says_for_which_slot_it_ran() -> None:
    assert run("sample_job", slot=SLOT).value == {"slot": SLOT.isoformat()}
    assert run("sample_job").value == {"slot": "none"}


@pytest.mark.parametrize("batch", [0, 100_001, 1.5])
def test_a_batch_that_makes_no_sense_is_refused(batch: float) -> None:
    outcome = run("session_cleanup", args={"batch": batch})
    assert outcome.exit_code == 65
    assert outcome.error is not None
    assert "batch" in outcome.error.message


@pytest.mark.parametrize("name", JOBS)
def test_without_its_secret_a_job_says_which_variable_is_missing(
    name: str, monkeypatch: pytest.MonkeyPatch, sample_api: SampleApi
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("SITE_URL", sample_api.url)
    sample_api.serve(**{"landing-pages": [{"id": "home", "url": "https://travel.example/", "title": "x"}]})
    outcome = run(name)
    assert outcome.exit_code == 78
    assert outcome.error is not None
    assert "DATABASE_URL is not set" in outcome.error.message


def test_when_the_database_is_gone_every_job_is_exit_69_and_nothing_is_sent(
    database: Database, postgresql_server: PostgresqlServer, smtp_sink: SmtpSink
) -> None:
    before = everything(database)
    with postgresql_server.stopped():
        assert {name: run(name, timeout=20).exit_code for name in JOBS} == dict.fromkeys(JOBS, 69)
    assert everything(database) == before
    assert smtp_sink.messages() == []


@contextmanager
def role(postgresql_server: PostgresqlServer, database: Database) -> Iterator[str]:
    """The URL of a role that may read everything and write nothing."""
    name = f"reader_{secrets.token_hex(4)}"
    database.sql(f"CREATE ROLE {name} LOGIN PASSWORD 'reads'")
    database.sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}")
    try:
        yield postgresql_server.url_of(urlsplit(database.url).path[1:], role=name, password="reads")
    finally:
        database.sql(f"DROP OWNED BY {name}")
        database.sql(f"DROP ROLE {name}")


def test_without_the_right_to_write_every_job_is_exit_78_and_nothing_is_sent(
    database: Database,
    postgresql_server: PostgresqlServer,
    smtp_sink: SmtpSink,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = everything(database)
    with role(postgresql_server, database) as url:
        monkeypatch.setenv("DATABASE_URL", url)
        outcomes = {name: run(name, timeout=20) for name in JOBS}
    assert {name: outcome.exit_code for name, outcome in outcomes.items()} == dict.fromkeys(JOBS, 78)
    assert all("permission denied for table" in str(outcome.error) for outcome in outcomes.values())
    assert everything(database) == before
    assert smtp_sink.messages() == []


def test_when_the_database_takes_too_long_every_job_is_exit_75_and_nothing_is_half_done(
    database: Database, smtp_sink: SmtpSink
) -> None:
    before = everything(database)
    name = urlsplit(database.url).path[1:]
    database.sql(f"ALTER DATABASE {name} SET lock_timeout = '200ms'")
    with psycopg.connect(database.url) as busy:
        busy.execute(f"LOCK TABLE {', '.join(TABLES)}".encode())
        outcomes = {name: run(name, timeout=20).exit_code for name in JOBS}
    assert outcomes == dict.fromkeys(JOBS, 75)
    assert everything(database) == before
    assert smtp_sink.messages() == []


def test_a_connection_that_is_lost_in_the_middle_leaves_nothing_half_done(database: Database) -> None:
    """The trigger stands for an administrator who ends the session while the statement is at work."""
    database.sql(
        "CREATE FUNCTION end_session() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END'"
    )
    database.sql("CREATE TRIGGER lost AFTER UPDATE ON lead FOR EACH ROW EXECUTE FUNCTION end_session()")
    before = everything(database)
    assert run("score_update", slot=SLOT).exit_code == 69
    assert everything(database) == before
    database.sql("DROP TRIGGER lost ON lead")
    assert run("score_update", slot=SLOT).exit_code == 0
    assert database.sql("SELECT score FROM lead") == [(20,)]
