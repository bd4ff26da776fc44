"""The termination message is valid JSON of at most 4096 bytes, whatever a handler returns or raises."""

import json
import math
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from job_runner.outcome import LIMIT, Error, Outcome, Result, termination_message
from job_runner.values import TooLarge, plain

TEXT = st.text(st.characters(exclude_categories=())) | st.text('"\\\n\x00\x7fé€😀\ud800\udc00', max_size=6000)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.binary() | st.decimals() | st.dates(),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(TEXT | st.integers() | st.none(), inner)
        | st.sets(st.integers())
    ),
    max_leaves=60,
)


def strictly(written: bytes) -> dict[str, Any]:
    """The document, which must hold nothing that other languages' parsers stumble over."""

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    document = json.loads(written.decode("utf-8"), parse_constant=refuse)
    assert isinstance(document, dict)
    json.dumps(document, ensure_ascii=False).encode("utf-8")  # no lone surrogates
    return document


@settings(max_examples=300, deadline=None)
@given(value=VALUES, kind=TEXT, message=TEXT | TEXT.map(lambda text: text * 50), failed=st.booleans())
def test_any_outcome_fits_and_is_valid(value: Any, kind: str, message: str, failed: bool) -> None:
    outcome = Outcome(
        result=Result.FAILED if failed else Result.SUCCEEDED,
        exit_code=70 if failed else 0,
        value=plain(value),
        error=Error(kind, message) if failed else None,
        duration_seconds=1.23456,
        peak_memory_bytes=2**40,
    )
    written = termination_message(outcome)
    assert len(written) <= LIMIT
    document = strictly(written)
    assert document["result"] == outcome.result
    assert document["durationSeconds"] == 1.235
    assert ("error" in document) == failed
    if "truncated" not in document:
        assert document.get("value") == outcome.value


def outcome(value: Any = None, message: str | None = None) -> dict[str, Any]:
    error = None if message is None else Error("ValueError", message)
    written = termination_message(
        Outcome(result=Result.FAILED, exit_code=70, value=plain(value), error=error)
    )
    assert len(written) <= LIMIT
    return strictly(written)


@pytest.mark.parametrize("character", ["a", "é", "€", "😀", '"', "\x00", "\n"])
def test_a_long_error_is_cut_between_characters_and_fills_the_room(character: str) -> None:
    document = outcome(message=character * 5000)
    text = document["error"]["message"]
    assert text.endswith("…")
    assert set(text[:-1]) == {character}
    assert document["truncated"] is True
    one_more = json.dumps(document | {"error": {"type": "ValueError", "message": text + character}})
    written = json.dumps(json.loads(one_more), ensure_ascii=False, separators=(",", ":"))
    assert len(written.encode()) > LIMIT


def test_the_largest_members_of_a_value_are_left_out_first() -> None:
    document = outcome({"rows": 5, "log": "x" * 4000, "note": "y" * 3000, "ok": True})
    assert document["value"] == {"rows": 5, "note": "y" * 3000, "ok": True}
    assert document["truncated"] is True


def test_a_value_that_cannot_be_cut_is_left_out_whole() -> None:
    document = outcome("x" * 5000)
    assert "value" not in document
    assert document["truncated"] is True


def test_a_long_error_leaves_half_the_room_to_the_value() -> None:
    document = outcome({"rows": "y" * 1500}, "x" * 9000)
    assert document["value"] == {"rows": "y" * 1500}
    assert len(document["error"]["message"]) > 2000


def test_a_value_of_many_members_is_cut_in_no_time() -> None:
    document = outcome({f"member {number}": number for number in range(9000)})
    assert 50 < len(document["value"]) < 9000


class Colour(Enum):
    RED = "red"


class Model(BaseModel):
    when: date
    parts: list[Decimal]


@dataclass
class Point:
    x: int
    name: str = "p"


class Unwritable:
    def __str__(self) -> str:
        raise ValueError


PLAIN = {
    "a model": (
        Model(when=date(2026, 11, 22), parts=[Decimal("1.5")]),
        {"when": "2026-11-22", "parts": ["1.5"]},
    ),
    "a dataclass": (Point(3), {"x": 3, "name": "p"}),
    "an enum": ({"c": Colour.RED}, {"c": "red"}),
    "a time": (datetime(2026, 11, 22, tzinfo=UTC), "2026-11-22T00:00:00+00:00"),
    "a decimal": (Decimal("0.10"), "0.10"),
    "a path": (PurePosixPath("/tmp/x"), "/tmp/x"),
    "a uuid": (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    "a set": ({1}, [1]),
    "not a number": ([math.nan, math.inf, -math.inf], ["nan", "inf", "-inf"]),
    "integers that other languages cannot hold": (
        [2**63 - 1, 2**63, 10**5000],
        [2**63 - 1, "9223372036854775808", "<integer of 16610 bits>"],
    ),
    "keys that are no text": ({1: "a", None: "b", (1, 2): "c"}, {"1": "a", "None": "b", "(1, 2)": "c"}),
    "a surrogate pair and a lone one": ("\ud83d\ude00 \ud800", "😀 \ufffd"),
    "something else": (Unwritable(), "<Unwritable>"),
}


@pytest.mark.parametrize(("value", "expected"), PLAIN.values(), ids=PLAIN)
def test_what_json_has_no_notation_for_is_written_as(value: Any, expected: Any) -> None:
    assert plain(value) == expected


def test_a_value_that_holds_itself_comes_to_an_end() -> None:
    value: list[Any] = []
    value.append(value)
    assert "..." in json.dumps(plain(value))
    value.append(value)
    with pytest.raises(TooLarge):
        plain(value)
