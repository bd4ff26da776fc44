"""The values of requests: what is read from them, and what is said to those that cannot be granted."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduledjob_operator.request_texts import (
    KINDS,
    MAX_DEPTH,
    MOST_OVERRIDE_BYTES,
    BackfillRequest,
    CancelRequest,
    ClearRequest,
    Overrides,
    RefusedError,
    RetryRequest,
    RunRequest,
    read,
)
from tests.unit.strategies import json_objects, texts

CANARY = "hunter2-canary"
FULL_RUN = {
    "id": "7",
    "requestedBy": "alice",
    "args": {"batch": 100},
    "env": {"MODE": "full"},
    "slot": "2026-11-22T13:00:00+01:00",
    "ifActive": "Queue",
}
RANGE = {"from": "2026-11-22T06:00:00Z", "to": "2026-11-22T08:00:00Z"}


def complaint(annotation: str, value: Any) -> str:
    """What is said to a value that is refused."""
    with pytest.raises(RefusedError) as caught:
        read(annotation, value if isinstance(value, str) else json.dumps(value))
    return str(caught.value)


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        ("run", "now", RunRequest()),
        ("run.alice-1", " 2026-11-22 \n", RunRequest()),
        ("run", "{}", RunRequest()),
        ("run", '\n {"id": "2"}\n', RunRequest(id="2")),
        ("retry", "all", RetryRequest(run="all")),
        ("retry.x", '{"run": "sync-1", "id": "2"}', RetryRequest(run="sync-1", id="2")),
        ("clear", "sync-1", ClearRequest(run="sync-1")),
        ("cancel", '{"run": "sync-1", "requestedBy": "bob"}', None),
    ],
)
def test_bare_text_and_objects_are_read(annotation: str, value: str, expected: Any) -> None:
    request = read(annotation, value)
    if expected is None:
        assert isinstance(request, CancelRequest)
        assert (request.run, request.requested_by) == ("sync-1", "bob")
    else:
        assert request == expected


def test_a_run_says_all_that_it_may() -> None:
    request = read("run", json.dumps(FULL_RUN))
    assert isinstance(request, RunRequest)
    assert (request.id, request.requested_by, request.if_active) == ("7", "alice", "Queue")
    assert request.slot == datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert request.overrides == Overrides(args={"batch": 100}, env={"MODE": "full"})


def test_a_backfill_says_all_that_it_may() -> None:
    request = read("backfill", json.dumps({**RANGE, "parallelism": 20, "requestedBy": "alice", "id": "1"}))
    assert isinstance(request, BackfillRequest)
    assert (request.start.hour, request.end.hour, request.parallelism) == (6, 8, 20)
    assert read("backfill", json.dumps(RANGE)).model_dump()["parallelism"] == 1


RUN = "write a word that was not used before"
TIME = "must be a time with its zone such as 2026-12-24T08:00:00Z"


@pytest.mark.parametrize(
    ("annotation", "value", "sentence"),
    [
        ("run", "", f"the value is empty: {RUN}"),
        ("cancel", "  ", "the value is empty: write the id of a run that is active or pending"),
        ("run", "{not json", f"this is not JSON: {RUN}"),
        ("run", '{"args": {"x": NaN}}', "this is not JSON"),
        ("run", '{"args": {"x": 1e999}}', "this is not JSON"),
        ("run", '{"args": {"x": "\\ud800"}}', "this is not JSON"),
        ("run", '{"id": "2"} trailing', "this is not JSON"),
        ("run", '{"args": ' * 3000, "this is not JSON"),
        ("run", {"args": {"x": nested(MAX_DEPTH)}}, "nested more than 32 levels deep"),
        (
            "run",
            {"arguments": {}},
            "there is no field arguments: a run request has id, requestedBy, args, env",
        ),
        ("run", {"requested_by": "x"}, "there is no field requested_by"),
        ("run", {"parallelism": 2}, "there is no field parallelism"),
        ("run", {"x" * 100: 1}, f"there is no field {'x' * 62}…: "),
        ("run", {"id": 7}, "id must be text of 1 to 253 characters"),
        ("run", {"id": ""}, "id must be text"),
        ("run", {"requestedBy": "x" * 254}, "requestedBy must be text of 1 to 253 characters"),
        ("run", {"args": [1]}, 'args must be a JSON object such as {"batch": 100}'),
        ("run", {"env": {"A": 1}}, 'env must be a JSON object of texts such as {"MODE": "full"}'),
        ("run", {"env": [{"name": "A", "value": "b"}]}, "env must be a JSON object of texts"),
        ("run", {"env": {"": "b"}}, "a variable in env needs a name"),
        ("run", {"env": {"A=B": "b"}}, "without '='"),
        ("run", {"env": {"A\n": "b"}}, "a variable in env needs a name"),
        ("run", {"env": {"SCHEDULEDJOB_SLOT": "b"}}, "env must not set SCHEDULEDJOB_SLOT"),
        ("run", {"slot": "yesterday"}, f"slot {TIME}"),
        ("run", {"slot": "2026-11-22T12:00:00"}, f"slot {TIME}"),
        ("run", {"slot": 1795348800}, f"slot {TIME}"),
        ("run", {"slot": "0001-01-01T00:00:00+10:00"}, f"slot {TIME}"),
        ("run", {"slot": "1969-12-31T23:59:59Z"}, f"slot {TIME}"),
        ("run", {"ifActive": "queue"}, "ifActive must be Refuse or Queue"),
        ("backfill", "2026-11-22", "a backfill is a JSON object: write an object such as"),
        ("backfill", {"from": RANGE["from"]}, "to is missing: write an object such as"),
        ("backfill", {**RANGE, "from": "soon"}, f"from {TIME}"),
        ("backfill", {**RANGE, "to": None}, f"to {TIME}"),
        ("backfill", {**RANGE, "parallelism": 0}, "parallelism must be a whole number from 1 to 20"),
        ("backfill", {**RANGE, "parallelism": 21}, "parallelism must be"),
        ("backfill", {**RANGE, "parallelism": "2"}, "parallelism must be"),
        ("backfill", {**RANGE, "parallelism": True}, "parallelism must be"),
        ("backfill", {**RANGE, "args": {}}, "there is no field args: a backfill request has"),
        ("backfill", {**RANGE, "start": 1}, "requestedBy, from, to, parallelism"),
        ("retry", "{}", "run is missing: write the id of a dead letter, all, or an object"),
        ("retry", "Not an id!", "that is not the id of a run: write the id of a dead letter"),
        ("clear", {"run": ["a"]}, "run must be the id of a run"),
        ("cancel", {"run": "a/b"}, "that is not the id of a run: write the id of a run that is active"),
        ("cancel", {"run": "a", "args": {}}, "there is no field args: a cancel request has id"),
    ],
)
def test_what_is_said_to_a_bad_value(annotation: str, value: Any, sentence: str) -> None:
    assert sentence in complaint(annotation, value)


@pytest.mark.parametrize("over", [0, 1])
def test_arguments_and_variables_may_have_so_many_bytes_together(over: int) -> None:
    frame = len('{"args":{"x":""},"env":{"A":""}}')
    half = (MOST_OVERRIDE_BYTES - frame) // 2
    value = {
        "args": {"x": "ä" * (half // 2)},
        "env": {"A": "b" * (MOST_OVERRIDE_BYTES - frame - half + over)},
    }
    if over:
        assert "args and env may have 4,096 bytes together, these have 4,097" in complaint("run", value)
    else:
        request = read("run", json.dumps(value))
        assert isinstance(request, RunRequest)
        assert request.overrides.size == MOST_OVERRIDE_BYTES


@pytest.mark.parametrize(
    "value",
    [
        f'{{"args": {{"password": "{CANARY}"',
        {"args": CANARY},
        {"args": {"password": CANARY}, "x": CANARY},
        {"args": {"password": CANARY * 400}},
        {"args": {"password": nested(40), "x": CANARY}},
        {"env": CANARY},
        {"env": {"PASSWORD": [CANARY]}},
        {"env": {"SCHEDULEDJOB_X": CANARY}},
        {"env": {"A=B": CANARY}},
        {"args": {"password": CANARY}, "slot": CANARY},
        {"args": {"password": CANARY}, "ifActive": CANARY},
        {"id": [CANARY]},
    ],
)
def test_no_value_is_repeated(value: Any) -> None:
    for annotation in ("run", "backfill", "retry", "clear", "cancel"):
        assert CANARY not in complaint(annotation, value)


def test_arguments_and_variables_do_not_show_in_a_printed_request() -> None:
    request = read("run", json.dumps({"args": {"a": CANARY}, "env": {"B": CANARY}}))
    assert isinstance(request, RunRequest)
    assert request.overrides.env == {"B": CANARY}
    assert CANARY not in repr(request) + str(request) + repr(request.overrides)


# What a run has of its own


@given(args=st.none() | json_objects, env=st.none() | st.dictionaries(texts, texts, max_size=3))
def test_overrides_are_read_back(args: dict[str, Any] | None, env: dict[str, str] | None) -> None:
    overrides = Overrides(args=args, env=env)
    assert Overrides.from_json(json.loads(json.dumps(overrides.to_json()))) == overrides
    assert overrides.given == (args is not None or bool(env))


@pytest.mark.parametrize("given", [{}, {"args": [1], "env": {"A": 1}}, {"env": "x", "other": 1}])
def test_what_was_not_written_by_us_overrides_nothing(given: dict[str, Any]) -> None:
    assert Overrides.from_json(given) == Overrides()


values = st.text(max_size=30) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*FULL_RUN, *RANGE]), inner),
    max_leaves=6,
).map(json.dumps)


@given(kind=st.sampled_from(sorted(KINDS)), value=values)
def test_any_value_is_read_or_refused_in_a_sentence(kind: str, value: str) -> None:
    try:
        outcome: Any = read(kind, value)
    except RefusedError as refused:
        outcome = str(refused)
    if isinstance(outcome, str):
        assert 0 < len(outcome) <= 1024
    else:
        assert type(outcome).__name__.lower() == f"{kind}request"
