"""A ScheduledJob that is asked for things by its annotations."""

import json
from typing import Any

from tests.unit.world import World

CANARY = "hunter2-canary"
OVERRIDES = {"args": {"token": CANARY}, "env": {"MODE": CANARY}}


def world_with(**fields: Any) -> World:
    """One in sync, every five minutes, at 12:00:30."""
    world = World()
    world.create({"schedule": "*/5 * * * *", "handler": "sync", **fields})
    world.settle()
    return world


def ask(world: World, **requests: Any) -> None:
    """Requests by annotations; what is no text is written as JSON."""
    values = {
        name: value if value is None or isinstance(value, str) else json.dumps(value)
        for name, value in requests.items()
    }
    world.annotate(**values)
    world.settle()


def answers(world: World) -> list[tuple[str, str]]:
    return [(entry["annotation"], entry["outcome"]) for entry in world.status["requests"]]


def variables(world: World, name: str) -> dict[str, str]:
    """Values of the variables of a Job's container."""
    (container,) = world.job(name)["spec"]["template"]["spec"]["containers"]
    return {entry["name"]: entry["value"] for entry in container["env"] if "value" in entry}
