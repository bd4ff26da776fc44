"""Arguments arrive at the handler as they were written, whatever the kubelet makes of dollars."""

import json
from typing import Any

import pytest
from hypothesis import given

from tests.unit.cron_jobs import container_of, desired, env_of, minimal
from tests.unit.strategies import json_objects

Body = dict[str, Any]


def expanded(text: str) -> str:
    """What the kubelet makes of a variable's value, when no other variable is known to it.

    Source: Kubernetes' third_party/forked/golang/expansion/expand.go.
    """
    data, result, checkpoint, cursor = text.encode(), b"", 0, 0
    while cursor < len(data):
        if data[cursor : cursor + 1] == b"$" and cursor + 1 < len(data):
            result += data[checkpoint:cursor]
            following = data[cursor + 1 : cursor + 2]
            closer = data.find(b")", cursor + 2) if following == b"(" else -1
            if following == b"$":
                read, advance = b"$", 1
            elif closer >= 0:  # an unknown variable stays as it is written
                read, advance = data[cursor : closer + 1], closer - cursor
            else:  # upstream takes the byte for a character
                read, advance = b"$" + chr(following[0]).encode(), 1
            result += read
            cursor += advance
            checkpoint = cursor + 1
        cursor += 1
    return (result + data[checkpoint:]).decode(errors="replace")


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("plain", "plain"),
        ("$$", "$"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$$(A)"),
        ("$", "$"),
        ("a$b", "a$b"),
        ("$(A", "$(A"),
        ("$(A)", "$(A)"),
        ("$é", "$Ã\ufffd"),
    ],
)
def test_the_kubelet_is_imitated(text: str, result: str) -> None:
    assert expanded(text) == result


@given(json_objects)
def test_arguments_arrive_as_they_were_written(args: Body) -> None:
    text = env_of(minimal(args=args))["SCHEDULEDJOB_ARGS"]["value"]
    assert json.loads(expanded(text)) == args


@pytest.mark.parametrize(
    "text", ["$(PATH)", "$$(PATH)", "costs $$5", "$", "$$$", "a$", "$é", "$(", "$(open", "\\$(X)", "$(A)$(B)"]
)
def test_dollars_in_arguments_are_not_expanded(text: str) -> None:
    value = env_of(minimal(args={"text": text}))["SCHEDULEDJOB_ARGS"]["value"]
    assert "$(" not in value.replace("$$", ""), "a variable's value would take its place"
    assert json.loads(expanded(value)) == {"text": text}


def test_a_handler_without_arguments_gets_an_empty_object() -> None:
    assert env_of(minimal())["SCHEDULEDJOB_ARGS"]["value"] == "{}"
    assert container_of(minimal())["args"] == ["run", "hello"]
    assert "command" not in container_of(minimal())


def test_a_command_gets_no_arguments_variable_and_no_runner() -> None:
    body = desired({"schedule": "@daily", "command": ["sh", "-c", "echo $(HOME)"]})
    assert "SCHEDULEDJOB_ARGS" not in env_of(body)
    assert container_of(body)["command"] == ["sh", "-c", "echo $(HOME)"]
    assert "args" not in container_of(body)
