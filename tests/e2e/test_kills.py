"""The operator is killed with SIGKILL at every kind of write, on a control plane of its own.

A short round of `python -m tests.soak`, which kills it hundreds of times.
"""

from __future__ import annotations

import asyncio
import json
import os
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cluster.binaries import CONTROL_PLANE, build
from tests.cluster.progress import ClusterError
from tests.soak.__main__ import UNDISTURBED
from tests.soak.rig import Rig
from tests.soak.scenario import Outcome, play
from tests.soak.stories import EVERY_MINUTE, STORIES
from tests.soak.strikes import KILLS, Strikes


@pytest.fixture
def strikes() -> Strikes:
    """One for each kind of write: before it, before its answer, or after its answer, in turn."""
    return Strikes(seed=1, moments=KILLS, kills_left=100, once=True)


SETTING_UP = timedelta(seconds=35)
"""Enough for the few kills before the first slot."""


async def _round(folder: Path, strikes: Strikes) -> Outcome:
    rig = await Rig.start(strikes=strikes, folder=folder)
    try:
        undisturbed = json.loads(UNDISTURBED.read_text())
        stories = [story for story in STORIES if story not in EVERY_MINUTE]  # which take a minute more
        return await play(
            rig, number=1, stories=stories, quota=1, reference=undisturbed, setting_up=SETTING_UP
        )
    finally:
        await rig.stop(keep=True)


def test_an_operator_killed_at_every_kind_of_write_loses_nothing_and_doubles_nothing(
    tmp_path: Path, strikes: Strikes
) -> None:
    try:
        build(*CONTROL_PLANE)
    except ClusterError as error:
        if os.environ.get("CI", "").lower() in {"true", "1"}:
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))
    outcome = asyncio.run(_round(tmp_path, strikes))
    assert outcome.problems == {}
    assert outcome.late == []
    assert strikes.kills >= 12, strikes.done
