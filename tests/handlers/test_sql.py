"""The handler `sql` on a real PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from job_runner.errors import DataError
from job_runner.handlers.sql import sql
from job_runner.statements.control import controls_transaction
from job_runner.statements.splitting import split
from job_runner.testing import Outcome, Result, run_handler
from tests.handlers.cancelling import cancelled_when

SCHEMA = """
    CREATE TABLE sessions (id int PRIMARY KEY, last_seen timestamptz NOT NULL, data jsonb);
    INSERT INTO sessions SELECT n, now() - n * interval '1 day' FROM generate_series(1, 10) n;
"""


SLEEPERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
)


@pytest.fixture
def sessions(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a database with ten sessions, last seen 1 to 10 days ago."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    with psycopg.connect(database_url) as connection:
        connection.execute(SCHEMA)
    return database_url


def run(*statements: str, **arguments: Any) -> Outcome:
    given = {"statements": list(statements)} if statements else {}
    return run_handler(sql, args={**given, **arguments}, timeout=30)


def cancelled_while_sleeping(url: str, **arguments: Any) -> Outcome:
    """A run that deletes all sessions and is cancelled in its second statement."""
    statements = ["DELETE FROM sessions", "SELECT pg_sleep(60)"]
    return cancelled_when(lambda: sleepers(url) == 1, sql, args={"statements": statements, **arguments})


def sleepers(url: str) -> object:
    """How many statements sleep on the server."""
    with psycopg.connect(url) as connection:
        row = connection.execute(SLEEPERS).fetchone()
    return row and row[0]


def count(url: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM sessions").fetchone()
    return row and row[0]


def test_row_counts_are_the_result(sessions: str) -> None:
    ended = run(
        "DELETE FROM sessions WHERE id <= 3",
        "CREATE TABLE counts AS SELECT count(*) FROM sessions",
        "DROP TABLE counts",
        "UPDATE sessions SET last_seen = now()",
        "SELECT * FROM sessions LIMIT 2",
    )
    assert ended.value == {"rows": [3, 1, 0, 7, 2]}


def test_parameters_are_named(sessions: str) -> None:
    ended = run(
        "DELETE FROM sessions WHERE last_seen < now() - %(days)s * interval '1 day'",
        "UPDATE sessions SET data = %(data)s WHERE id = ANY(%(ids)s)",
        "SELECT FROM sessions WHERE data->>'it''s' = %(text)s",
        parameters={"days": 5.5, "data": {"it's": 'a "%" text'}, "ids": [1, 2], "text": 'a "%" text'},
    )
    assert ended.value == {"rows": [5, 2, 2]}


def test_a_percent_sign_means_itself_without_parameters(sessions: str) -> None:
    assert run("SELECT FROM sessions WHERE 'abc' LIKE 'a%' AND id % 2 = 0").value == {"rows": [5]}


PERCENT = (
    "statement 2: with parameters, only %(name)s may follow a percent sign: write %% for the sign itself"
)


@pytest.mark.parametrize("pattern", ["a%", "%s", "a%z", "%(id"])
def test_a_percent_sign_beside_parameters_is_doubled(sessions: str, pattern: str) -> None:
    ended = run("SELECT %(id)s", f"SELECT 'abc' LIKE '{pattern}'", parameters={"id": 1})
    assert ended.error is not None
    assert (ended.exit_code, ended.error.message) == (65, PERCENT)
    assert run("SELECT FROM sessions WHERE '5%%' = %(id)s", parameters={"id": "5%"}).value == {"rows": [10]}


def test_a_parameter_that_sql_has_no_type_for_is_no_matter_of_percent_signs(sessions: str) -> None:
    ended = run("SELECT %(many)s", parameters={"many": [{"a": "canary"}]})
    assert ended.error is not None
    assert (ended.exit_code, ended.error.message[:27]) == (65, "statement 1: cannot adapt t")
    assert "canary" not in ended.error.message


@pytest.mark.parametrize("statement", ["COPY sessions FROM STDIN", "COPY sessions TO STDOUT"])
@pytest.mark.parametrize("transaction", [True, False])
def test_a_copy_from_or_to_the_client_is_refused(sessions: str, statement: str, transaction: bool) -> None:
    ended = run(statement, transaction=transaction)
    assert ended.error is not None
    assert (ended.exit_code, ended.error.message) == (
        65,
        "statement 1: COPY FROM STDIN and COPY TO STDOUT have nobody to talk to here",
    )


def test_a_failed_statement_undoes_those_before_it_and_is_named(sessions: str) -> None:
    ended = run("DELETE FROM sessions", "DELETE FROM nothing")
    assert ended.error is not None
    assert (ended.exit_code, ended.error.message) == (
        78,
        'statement 2: relation "nothing" does not exist',
    )
    assert count(sessions) == 10


def test_without_a_transaction_each_statement_stands_by_itself(sessions: str) -> None:
    ended = run("DELETE FROM sessions", "VACUUM sessions", "DELETE FROM nothing", transaction=False)
    assert ended.error is not None
    assert ended.error.message == 'statement 3: relation "nothing" does not exist'
    assert count(sessions) == 0


def test_vacuum_wants_no_transaction(sessions: str) -> None:
    ended = run("VACUUM sessions")
    assert ended.error is not None
    assert ended.error.message == "statement 1: VACUUM cannot run inside a transaction block"
    assert run("VACUUM ANALYZE sessions", transaction=False).value == {"rows": [0]}


def test_a_file_holds_any_statements(sessions: str, tmp_path: Path) -> None:
    file = tmp_path / "clean-up.sql"
    file.write_text(
        "\N{ZERO WIDTH NO-BREAK SPACE}-- sessions; that are old\n"
        "DELETE FROM sessions WHERE id > 8;\n"
        'DO $body$ BEGIN UPDATE sessions SET data = \'{"a": ";"}\'; END $body$;\n'
        "SELECT 'it''s ; one' FROM sessions; /* the end; /* really */ */"
    )
    assert run(file=str(file)).value == {"rows": [2, 0, 8]}


def test_a_lock_that_others_hold_is_not_waited_for_longer_than_asked(sessions: str) -> None:
    with psycopg.connect(sessions) as other:
        other.execute("LOCK TABLE sessions")
        ended = run("DELETE FROM sessions", lock_timeout=0.05)
    assert ended.error is not None
    assert (ended.exit_code, ended.error.message) == (
        75,
        "statement 1: canceling statement due to lock timeout",
    )
    assert count(sessions) == 10


def test_a_cancelled_transaction_leaves_nothing(sessions: str) -> None:
    ended = cancelled_while_sleeping(sessions)
    assert (ended.result, ended.value) == (Result.CANCELLED, None)
    assert count(sessions) == 10
    assert sleepers(sessions) == 0


SLOW_COMMIT = """
    CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_sleep(60); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER slow AFTER DELETE ON sessions
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slowly();
"""


def test_a_commit_that_takes_longer_than_the_run_may_is_undone(sessions: str) -> None:
    with psycopg.connect(sessions) as connection:
        connection.execute(SLOW_COMMIT)
    ended = run_handler(sql, args={"statements": ["DELETE FROM sessions WHERE id = 1"]}, timeout=2)
    assert ended.error is not None
    assert (ended.result, ended.error.type) == (Result.TIMED_OUT, "TimedOut")
    assert (sleepers(sessions), count(sessions), ended.value) == (0, 10, None)


def test_a_cancelled_run_without_a_transaction_says_how_far_it_came(sessions: str) -> None:
    ended = cancelled_while_sleeping(sessions, transaction=False)
    assert (ended.result, ended.value) == (Result.CANCELLED, {"rows": [10]})
    assert count(sessions) == 0


CONTROL = (
    "statement 2 begins or ends a transaction: leave it out, for all statements are in one, or give"
    " transaction: false"
)
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({}, "give either `statements` or `file`"),
    "both": ({"statements": ["SELECT 1"], "file": "x.sql"}, "give either `statements` or `file`"),
    "no statement": ({"statements": [" -- canary", ";"]}, "there is no statement to run"),
    "a quotation": (
        {"statements": ["SELECT\n'canary"]},
        "a quotation that begins in line 2 does not end",
    ),
    "a comment": ({"statements": ["SELECT 1 /* canary"]}, "a comment that begins in line 1 does not end"),
    "a NUL": ({"statements": ["DELETE FROM sessions \0 WHERE id = 1"]}, "a statement has a NUL in it"),
    "a transaction": (
        {"statements": ["SELECT 1", "/* x */ commit"]},
        CONTROL,
    ),
    "no time": (
        {"statements": ["SELECT 1"], "lock_timeout": 0},
        "lock_timeout is not above 0: leave it out to wait as long as the run may take",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), REFUSED.values(), ids=REFUSED)
def test_arguments_that_make_no_sense(arguments: dict[str, Any], message: str) -> None:
    ended = run_handler(sql, args=arguments)
    assert ended.error is not None
    assert (ended.exit_code, ended.error.message) == (65, message)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    ended = run_handler(sql, args={"file": str(tmp_path / "canary.sql")})
    assert ended.error is not None
    assert ended.exit_code == 78
    assert "canary" not in ended.error.message


def test_a_variable_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    ended = run("SELECT 1")
    assert ended.error is not None
    assert ended.exit_code == 78
    assert "DATABASE_URL is not set" in ended.error.message


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("", []),
        (" ; ;; -- a;b\n ;/* ; */", []),
        ("a; b", ["a", "b"]),
        ("a;\n-- why\nb;", ["a", "-- why\nb"]),
        ("'a;''b'; c", ["'a;''b'", "c"]),
        (r"E'a\';b'; c", [r"E'a\';b'", "c"]),
        (r"'a\'; b", [r"'a\'", "b"]),
        ('"a;""b"; c', ['"a;""b"', "c"]),
        ("$$a;b$$; $x$ $$;$$ $x$; c", ["$$a;b$$", "$x$ $$;$$ $x$", "c"]),
        ("a$1$b; c$1$d", ["a$1$b", "c$1$d"]),
        ("SELECT $1; $é$;$é$", ["SELECT $1", "$é$;$é$"]),
        ("a -- no ' end\n; b", ["a -- no ' end", "b"]),
        ("a /* /* ; */ ; */ b; c", ["a /* /* ; */ ; */ b", "c"]),
        ("a DO ALSO (b; c (d;)); e", ["a DO ALSO (b; c (d;))", "e"]),
        ("a); b; (", ["a)", "b", "("]),
        ("('('; \")\"); b", ["('('; \")\")", "b"]),
    ],
)
def test_text_is_divided_at_semicolons_that_are_not_inside_of_something(
    text: str, statements: list[str]
) -> None:
    assert list(split(text)) == statements


PIECES = st.sampled_from(
    ["a", "'x;'", "'it''s'", '"n;"', "$$;$$", "$t$ ' $t$", "-- ;'\n", "/* ' ; */", r"E'\';'", "\n", "1"]
)


@given(st.lists(st.lists(PIECES, min_size=1)))
def test_dividing_finds_what_was_put_together(statements: list[list[str]]) -> None:
    blank = {"-- ;'\n", "/* ' ; */", "\n"}
    together = " ;".join(" ".join(pieces) for pieces in statements)
    expected = [" ".join(pieces).strip() for pieces in statements if not blank.issuperset(pieces)]
    assert list(split(together)) == expected


@given(st.text(alphabet="a;'\"$-/*\\\n e"))
def test_dividing_any_text_ends_and_leaves_its_statements_as_they_are(text: str) -> None:
    place = 0
    try:
        for statement in split(text):
            place = text.index(statement, place) + len(statement)
    except DataError:
        return
    assert place <= len(text)


@pytest.mark.parametrize(
    "statement",
    [
        *("BEGIN", "begin isolation level serializable", "START  TRANSACTION", "COMMIT", "end", "ABORT"),
        *("ROLLBACK", "rollback work", "-- a\nCOMMIT", "/* a */ COMMIT", "PREPARE TRANSACTION 'x'"),
    ],
)
def test_statements_about_the_transaction(statement: str) -> None:
    assert controls_transaction(statement)


@pytest.mark.parametrize(
    "statement",
    [
        *("ROLLBACK TO here", "rollback work to savepoint here", "SAVEPOINT here", "PREPARE x AS SELECT 1"),
        *("SELECT 'COMMIT'", "BEGINNING", "endless()", "START_it"),
    ],
)
def test_statements_that_are_not(statement: str) -> None:
    assert not controls_transaction(statement)
