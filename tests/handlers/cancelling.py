"""Runs a handler and cancels it, as a SIGTERM would, as soon as something has happened."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from job_runner.registry import REGISTRY
from job_runner.supervision import Cause
from job_runner.testing import Outcome, run_handler
from tests.waiting import wait_until


def cancelled_when(
    happened: Callable[[], object],
    handler: Callable[..., Any],
    *,
    args: Mapping[str, Any] | None = None,
    then: Callable[[], object] = lambda: None,
) -> Outcome:
    """handler: takes the Context as its parameter `context`. then: is called once the run is cancelled."""
    watching: list[threading.Thread] = []

    @functools.wraps(handler)
    def watched(**arguments: Any) -> Any:
        def watch() -> None:
            wait_until(happened)
            arguments["context"].supervisor.cancel(Cause.SIGTERM)
            then()

        watching.append(threading.Thread(target=watch))
        watching[0].start()
        return handler(**arguments)

    with pytest.MonkeyPatch.context() as registry:
        registry.setattr(REGISTRY, "_handlers", {**REGISTRY._handlers})
        if known := REGISTRY.found_in(handler):
            REGISTRY._handlers[known.name] = replace(known, function=watched)
        ended = run_handler(watched, args=args, timeout=60)
    for thread in watching:
        thread.join()
    return ended
