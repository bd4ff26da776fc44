"""What happens to the ScheduledJobs of a round; together the operator makes every kind of write.

Each story ends in the same state however often the operator was killed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from scheduledjob_operator import names
from tests.bench.api import MERGE_PATCH
from tests.soak.rig import SWITCHED
from tests.soak.stage import Actor, condition, text

Story = Callable[[Actor], Awaitable[None]]

NOTHING_MORE = 25.0
"""Seconds after the base until which a slot that must not be started would have been."""
SOON: dict[str, Any] = {"backoff": {"initial": "1s", "factor": 1}}
FOR_EVER = {"SECONDS": "3600"}


async def backfilled(actor: Actor) -> None:
    """Ten slots of the past, three at a time."""
    await actor.create(concurrencyPolicy="Allow")
    await actor.ask("backfill", _range(actor, hours=10, parallelism=3))
    await actor.until_ended(10)


async def collected(actor: Actor) -> None:
    """As many at once as there are, and all but one of the Jobs are collected as soon as they end."""
    await actor.create(concurrencyPolicy="Allow", history={"succeededJobs": 1, "failedJobs": 1})
    await actor.ask("backfill", _range(actor, hours=8, parallelism=8))
    await actor.until_ended(8)


async def queued(actor: Actor) -> None:
    """One after the other, each with a second attempt."""
    plan = {"FAILING": "Backfill", "FAILING_ATTEMPTS": "1"}
    await actor.create(plan=plan, retry={"limit": 2, "keepAcrossSlots": True, **SOON})
    await actor.ask("backfill", _range(actor, hours=4, parallelism=1))
    await actor.until_ended(4)


async def native(actor: Actor) -> None:
    """A slot that Kubernetes' controller starts, late; two attempts fail, the third is the operator's too."""
    plan = {"FAILING": "*", "FAILING_ATTEMPTS": "2"}
    await actor.create_in_time(plan=plan, retry={"limit": 3, **SOON})
    await actor.until_ended(1)


async def missed(actor: Actor) -> None:
    """A slot that comes due while Kubernetes' controllers stand still."""
    await actor.create_in_time(startingDeadline="10s")
    await actor.until(lambda status: _count(status, "missed") == 1, "the slot is missed")


async def caught_up(actor: Actor) -> None:
    """The same, and it is started after all."""
    await actor.create_in_time(startingDeadline="10s", catchUp={"policy": "All"})
    await actor.until_ended(1)


async def disabled(actor: Actor) -> None:
    """A slot that comes due while the schedule is off; switching it on must not start it."""
    await actor.create_in_time(enabled=False)
    await actor.until_moment(2)
    await actor.change(enabled=True)
    await actor.until(lambda status: status.get("scheduler") == "CronJob", "it is in force")
    await actor.until_moment(NOTHING_MORE)


async def edited(actor: Actor) -> None:
    """A new schedule, whose latest slot has just passed: it must not be started."""
    await actor.create()
    await actor.until_moment(2)
    await actor.change(schedule=actor.at_base)
    await actor.until(lambda status: status.get("resolvedSchedule") == actor.at_base, "it is rescheduled")
    await actor.until_moment(NOTHING_MORE)


async def dead_letters(actor: Actor) -> None:
    """A run fails for good and is saved by a retry; the next one is cleared away."""
    await actor.create(plan={"FAILING": "Manual"}, retry={"limit": 1, **SOON})
    await actor.ask("run", "first")
    await actor.until(lambda status: len(status.get("deadLetters", [])) == 1, "there is a dead letter")
    await actor.ask("retry", "all")
    await actor.until(
        lambda status: not status.get("deadLetters") and _count(status, "succeeded") >= 1, "it is saved"
    )
    await actor.ask("run.2", "second")
    await actor.until(lambda status: len(status.get("deadLetters", [])) == 1, "there is another one")
    await actor.ask("clear", "all")
    await actor.until(lambda status: not status.get("deadLetters"), "it is cleared")
    await actor.ask("run.3", "third")
    await actor.until(lambda status: len(status.get("deadLetters", [])) == 1, "the last one stays")


async def cancelled(actor: Actor) -> None:
    """Runs that are called off: one that waits, by request, by their Job, one whose Job is suspended."""
    await actor.create(plan=FOR_EVER)
    await actor.ask("run", "a")
    first = await actor.until_active()
    await actor.ask("run.b", {"id": "b", "ifActive": "Queue"})
    status = await actor.until(lambda status: bool(status.get("pending")), "another one waits")
    await actor.ask("cancel.b", {"run": status["pending"][0]["id"], "requestedBy": "bob"})
    await actor.until_ended(1)
    await actor.ask("cancel.a", first["id"])
    await actor.until_ended(2)
    await actor.ask("run.c", "c")
    third = await actor.until_active(beside={first["id"]})
    await actor.change_job(
        third["jobName"], {"metadata": {"annotations": {names.ANNOTATION_CANCEL: "carol"}}}
    )
    await actor.until_ended(3)
    await actor.ask("run.d", "d")
    fourth = await actor.until_active(beside={first["id"], third["id"]})
    await actor.change_job(fourth["jobName"], {"spec": {"suspend": True}})
    await actor.ask("cancel.d", fourth["id"])
    await actor.until_ended(4)


async def replaced(actor: Actor) -> None:
    """A run that is asked for takes the place of the one before it, with variables of its own."""
    await actor.create(plan={**FOR_EVER, "MODE": "usual"}, concurrencyPolicy="Replace")
    await actor.ask("run", "a")
    await actor.until_active()
    await actor.ask("run.b", {"env": {"SECONDS": "0.3", "MODE": "special"}})
    await actor.until_ended(2)


async def paused(actor: Actor) -> None:
    """Two failures hold the schedule back; the run that is tried a minute later sets it free."""
    limits = {"consecutiveFailures": 2, "coolDown": "1m"}
    await actor.create(plan={"FAILING": "Manual"}, pauseAfter=limits)
    await actor.ask("run", "first")
    await actor.until_ended(1)
    await actor.ask("run.2", "second")
    await actor.until(lambda status: condition(status, "Paused") == "True", "it is paused")
    await actor.until(lambda status: condition(status, "Paused") == "False", "it is resumed")


async def switched(actor: Actor) -> None:
    """The master switch of its namespace: what is asked for meanwhile is refused."""
    await actor.create()
    await _switch(actor, "soak")
    await actor.until(lambda status: condition(status, "Paused") == "True", "the switch is seen")
    await actor.ask("run", "first")
    await actor.until(lambda status: bool(status.get("requests")), "the request is answered")
    await _switch(actor, None)
    await actor.until(lambda status: condition(status, "Paused") == "False", "it is resumed")
    await actor.ask("run.2", "second")
    await actor.until_ended(1)


async def crowded(actor: Actor) -> None:
    """A slot every minute, and between them a backfill and second attempts: never two at a time."""
    plan = {"SECONDS": "2", "FAILING": "Schedule,Backfill", "FAILING_ATTEMPTS": "1"}
    retry = {"limit": 1, "keepAcrossSlots": True, "backoff": {"initial": "2s"}}
    await actor.create(schedule="* * * * *", plan=plan, retry=retry)
    end = actor.base - timedelta(hours=1)
    start = end - timedelta(minutes=5)
    await actor.ask("backfill", {"id": "x", "from": text(start), "to": text(end)})
    await actor.until_moment(75)
    await actor.change(enabled=False)
    await actor.until(lambda status: status.get("scheduler") == "None", "it is disabled")
    await actor.until(lambda status: not status.get("pending"), "nothing waits")


async def drifted(actor: Actor) -> None:
    """Somebody changes the CronJob by hand; it is put back."""
    await actor.create()
    await actor.change_cron_job(schedule="0 0 31 12 *", suspend=True)

    await actor.until_cron_job(schedule=actor.between, suspend=False)
    await actor.ask("run", "first")
    await actor.until_ended(1)


async def _switch(actor: Actor, reason: str | None) -> None:
    patch = {"metadata": {"annotations": {names.ANNOTATION_SUSPEND: reason}}}
    path = f"/api/v1/namespaces/{actor.namespace}"
    await actor.rig.api.send("PATCH", path, patch, content_type=MERGE_PATCH)


def _range(actor: Actor, *, hours: int, parallelism: int) -> dict[str, Any]:
    """A backfill of so many hourly slots."""
    end = actor.base - timedelta(minutes=30)
    start = end - timedelta(hours=hours - 1)
    return {"id": "x", "from": text(start), "to": text(end), "parallelism": parallelism}


def _count(status: dict[str, Any], name: str) -> int:
    return int((status.get("counts") or {}).get(name, 0))


STORIES: dict[str, Story] = {
    "backfilled": backfilled,
    "collected": collected,
    "queued": queued,
    "native": native,
    "missed": missed,
    "caught-up": caught_up,
    "disabled": disabled,
    "edited": edited,
    "dead-letters": dead_letters,
    "cancelled": cancelled,
    "replaced": replaced,
    "paused": paused,
    "switched": switched,
    "drifted": drifted,
    "crowded": crowded,
}
UNCOMPARED = frozenset({"collected", "crowded"})
"""Where the end depends on chance: which Jobs are collected before they are seen, which slots overlap."""
EVERY_MINUTE = frozenset({"crowded"})
"""Where there is a slot every minute."""
NAMESPACES = {"switched": SWITCHED}
"""Where a story does not play in the usual namespace."""
