"""Two operators and the Lease between them, each with its own way to the API server."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from tests.bench.api import ApiError
from tests.soak.link import Link
from tests.soak.operator_process import OperatorProcess
from tests.soak.rig import NAMESPACE, Rig

IDENTITIES = ("one", "two")
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/scheduledjob-operator"
PATIENCE = 60.0


class Replica:
    """One of the two."""

    def __init__(self, rig: Rig, *, identity: str, env: Mapping[str, str], seed: int) -> None:
        self.identity = identity
        self.link = Link(server=rig.plane.server, tls=rig.tls, seed=seed)
        self.operator = OperatorProcess(
            processes=rig.plane.processes,
            folder=rig.folder,
            seed=seed,
            name=f"operator-{identity}",
            env={
                "SCHEDULEDJOB_OPERATOR_LEASE_NAMESPACE": NAMESPACE,
                "SCHEDULEDJOB_OPERATOR_IDENTITY": identity,
                **env,
            },
        )

    async def start(self) -> None:
        await self.link.start()
        self.operator.prepare(port=self.link.port)
        self.operator.start()


class Replicas:
    """Both. `env`: what each has beside the settings of the election."""

    def __init__(self, rig: Rig, *, seed: int, env: Sequence[Mapping[str, str]] = ({}, {})) -> None:
        self._rig = rig
        self.both = [
            Replica(rig, identity=identity, env=own, seed=seed + number)
            for number, (identity, own) in enumerate(zip(IDENTITIES, env, strict=True))
        ]

    async def start(self) -> None:
        """Return when both are ready, and one leads."""
        for replica in self.both:
            await replica.start()
        await self.until_ready()
        await self.leader()

    async def stop(self) -> None:
        for replica in self.both:
            await replica.operator.stop()
            await replica.link.stop()

    async def until_ready(self) -> None:
        for replica in self.both:
            await replica.operator.until_ready()

    @property
    def writes(self) -> int:
        """How many writes the API server has done, the Lease aside."""
        return sum(write.is_work for replica in self.both for write in replica.link.writes)

    async def leader(self) -> Replica:
        """Who has the Lease, once somebody has it."""
        async with asyncio.timeout(PATIENCE):
            while True:
                holder = await self._holder()
                for replica in self.both:
                    if replica.identity == holder:
                        return replica
                await asyncio.sleep(0.1)

    def other(self, replica: Replica) -> Replica:
        return self.both[1 - self.both.index(replica)]

    async def until_at_work(self, since: Mapping[str, float]) -> float:
        """When one of these replicas did its first work after its moment, by the monotonic clock."""
        async with asyncio.timeout(PATIENCE):
            while True:
                times = [
                    replica.link.first_work(since=since[replica.identity])
                    for replica in self.both
                    if replica.identity in since
                ]
                if found := [moment for moment in times if moment is not None]:
                    return min(found)
                await asyncio.sleep(0.05)

    async def _holder(self) -> str:
        try:
            lease = await self._rig.api.send("GET", LEASE)
        except ApiError:
            return ""  # nobody has made it yet
        return lease["spec"].get("holderIdentity") or ""
