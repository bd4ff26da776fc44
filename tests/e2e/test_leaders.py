"""Two replicas whose leader is killed or told to end, on a control plane of their own.

A short form of `python -m tests.soak --leaders`, which goes on for minutes.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tests.cluster.binaries import CONTROL_PLANE, build
from tests.cluster.progress import ClusterError
from tests.soak.leaders import ASKED, KILLED, LIMITS, PARTS, RETURNED, play_leaders
from tests.soak.rig import Rig
from tests.soak.strikes import Strikes
from tests.soak.trial import Part, Trial, takeovers_by_kind

EVERY_MINUTE = Part(period=60, spec={"schedule": "* * * * *", "catchUp": {"policy": "All"}})
"""Fired by the leader and by Kubernetes, whoever is first."""
BETWEEN = (3.0, 6.0)
"""Seconds from a takeover to the next end of a leader."""
LONGEST = 75.0


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    """What became of it when the leader ended in each way once."""
    try:
        build(*CONTROL_PLANE)
    except ClusterError as error:
        if os.environ.get("CI", "").lower() in {"true", "1"}:
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))
    return asyncio.run(_play(tmp_path_factory.mktemp("leaders")))


async def _play(folder: Path) -> Trial:
    rig = await Rig.start(strikes=Strikes(seed=1), folder=folder, alone=False)
    try:
        return await play_leaders(
            rig,
            number=1,
            seconds=LONGEST,
            seed=1,
            ways=LIMITS,
            parts={**PARTS, "every-minute": EVERY_MINUTE},
            between=BETWEEN,
        )
    finally:
        await rig.stop(keep=True)


def test_every_slot_has_one_job_and_one_place_in_the_ledger_though_leaders_end(trial: Trial) -> None:
    assert trial.problems == []
    assert sum(found.slots for found in trial.tallies) >= 30


@pytest.mark.parametrize("way", [KILLED, RETURNED])
def test_a_leader_that_is_killed_is_replaced_in_less_than_twenty_seconds(trial: Trial, way: str) -> None:
    assert takeovers_by_kind(trial.takeovers)[way] < [20.0]


def test_a_leader_that_is_told_to_end_hands_over_in_less_than_five_seconds(trial: Trial) -> None:
    assert takeovers_by_kind(trial.takeovers)[ASKED] < [5.0]
