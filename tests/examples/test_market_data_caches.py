"""The caches of market data: four jobs on Redis and the network's API."""

from __future__ import annotations

from tests.examples.system import System

SYSTEM = "market-data-caches"


def test_corridors(system: System) -> None:
    print(system.run("corridor-refresh"))
