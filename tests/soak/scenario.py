"""One round: all stories side by side, the operator struck meanwhile, and the verdict on each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from scheduledjob_operator import names
from scheduledjob_operator.observed import JobSeen
from tests.bench.api import Body
from tests.soak import slots, verdicts
from tests.soak.rig import NAMESPACE, Rig
from tests.soak.stage import Actor, TooLateError
from tests.soak.stories import EVERY_MINUTE, NAMESPACES, STORIES, UNCOMPARED

SETTING_UP = timedelta(seconds=75)
"""How long before the base the ScheduledJobs are created: the operator is killed often meanwhile."""
FROZEN = (-3.0, 12.0)
"""Seconds around the base in which Kubernetes' controllers stand still; startingDeadline is over then."""
QUIET = 2.0
SETTLING = 90.0


@dataclass(kw_only=True)
class Outcome:
    """What became of a round."""

    round: int
    seconds: float
    states: dict[str, Body] = field(default_factory=dict)
    """Final states by story."""
    problems: dict[str, list[str]] = field(default_factory=dict)
    """Sentences by story; only of those with any."""
    evidence: dict[str, Body] = field(default_factory=dict)
    """The ScheduledJobs with problems, as they were."""
    late: list[str] = field(default_factory=list)
    """Stories that missed their slot, and were not judged."""
    jobs: int = 0
    writes_after_restart: int = 0

    def note(self, story: str, *sentences: str) -> None:
        if sentences:
            self.problems.setdefault(story, []).extend(sentences)


async def play(
    rig: Rig,
    *,
    number: int,
    stories: Collection[str],
    quota: int,
    reference: Mapping[str, Body] | None,
    setting_up: timedelta = SETTING_UP,
) -> Outcome:
    """Play a round. `quota`: see `Strikes`. `reference`: the final states of an undisturbed round."""
    began = time.monotonic()
    base = _next_minute(datetime.now(UTC) + setting_up)
    actors = [
        Actor(rig=rig, story=story, round=number, base=base, namespace=NAMESPACES.get(story, NAMESPACE))
        for story in stories
    ]
    outcome = Outcome(round=number, seconds=0.0)
    rig.proxy.strikes.quota = quota
    freezer = asyncio.create_task(_freeze(rig, base=base))
    ends = await asyncio.gather(*(STORIES[actor.story](actor) for actor in actors), return_exceptions=True)
    await freezer
    rig.proxy.strikes.quota = 0
    for actor, end in zip(actors, ends, strict=True):
        if isinstance(end, TooLateError):
            outcome.late.append(actor.story)
        elif isinstance(end, BaseException):
            outcome.note(actor.story, f"stuck: waiting until {actor.waits_for}: {end!r}")
    await rig.operator.until_ready()
    await until_settled(rig, actors)
    outcome.writes_after_restart = await _writes_of_a_restart(rig)
    if outcome.writes_after_restart:
        outcome.note("all", f"a restart made {outcome.writes_after_restart} writes")
    await _judge(outcome, rig=rig, actors=actors, reference=reference)
    for actor in actors:
        await actor.delete()
    outcome.seconds = time.monotonic() - began
    return outcome


def _next_minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0) + timedelta(minutes=1)


async def _freeze(rig: Rig, *, base: datetime) -> None:
    """Kubernetes' controllers stand still around the base."""
    for seconds, act in zip(FROZEN, (rig.freeze_controllers, rig.thaw_controllers), strict=True):
        moment = base + timedelta(seconds=seconds)
        await asyncio.sleep(max((moment - datetime.now(UTC)).total_seconds(), 0.0))
        act()


async def until_settled(rig: Rig, actors: Collection[Actor]) -> None:
    """Return when nothing is under way and nothing is written; after a while anyway: the verdict says why."""
    deadline = time.monotonic() + SETTLING
    writes, since = rig.proxy.writes, time.monotonic()
    while time.monotonic() < deadline:
        await asyncio.sleep(0.5)
        busy = [actor for actor in actors if await _is_busy(actor)]
        if rig.proxy.writes != writes or busy:
            writes, since = rig.proxy.writes, time.monotonic()
        elif time.monotonic() - since >= QUIET:
            return


async def _is_busy(actor: Actor) -> bool:
    status = (await actor.get()).get("status") or {}
    listed = (await actor.rig.api.send("GET", actor.cron_job)).get("status", {}).get("active")
    return bool(status.get("pending") or status.get("active") or listed)


async def _writes_of_a_restart(rig: Rig) -> int:
    before = rig.proxy.writes
    await rig.operator.stay_away(0.0)
    await rig.operator.until_ready()
    await asyncio.sleep(QUIET)
    return rig.proxy.writes - before


async def _judge(
    outcome: Outcome, *, rig: Rig, actors: Collection[Actor], reference: Mapping[str, Body] | None
) -> None:
    rig.record.check()
    for actor in actors:
        if actor.story in outcome.late:
            continue
        seen = await evidence_of(rig, actor)
        outcome.jobs += len(seen.jobs)
        outcome.note(actor.story, *verdicts.problems(seen), *slots.overlapping(seen))
        if actor.story in EVERY_MINUTE:
            outcome.note(actor.story, *slots.untold(seen))
        state = outcome.states[actor.story] = verdicts.final_state(seen)
        if reference is not None and actor.story not in UNCOMPARED:
            outcome.note(actor.story, *verdicts.differences(state, reference[actor.story]))
        if actor.story in outcome.problems:
            outcome.evidence[actor.story] = {
                "scheduledJob": seen.scheduled_job,
                "jobs": [[job.name, job.uid, str(job.created), str(job.end)] for job in seen.jobs],
            }


async def evidence_of(rig: Rig, actor: Actor) -> verdicts.Evidence:
    jobs = [
        JobSeen.from_body(body)
        for body in rig.record.jobs.values()
        if body["metadata"]["namespace"] == actor.namespace
        and (body["metadata"].get("labels") or {}).get(names.LABEL_NAME) == actor.name
    ]
    uids = {job.uid for job in jobs}
    executions = {
        uid: execution for uid, execution in rig.node.executions.items() if execution.job_uid in uids
    }
    return verdicts.Evidence(
        scheduled_job=await actor.get(),
        cron_job=await rig.api.send("GET", actor.cron_job),
        jobs=jobs,
        executions=executions,
        base=actor.base,
    )
