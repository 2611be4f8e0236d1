"""Runs: what a worker needs to know of a training, and what it tells of it on the way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.domain.job import Job
from core.domain.offering import Offering, configured
from core.domain.run import Epoch, MetricsPoint, Run
from core.domain.snapshot import Snapshot
from core.domain.value import Value
from core.kinds import training
from core.ports.clock import Clock
from core.ports.store import Repositories, Store


class Assignment(Value):
    """Everything a worker needs to execute a run."""

    run: Run
    snapshot: Snapshot
    offering: Offering
    payload: training.Payload


@dataclass(frozen=True, kw_only=True)
class Runs:
    """Trainings as they are done. `offerings` are those of the configuration, by id."""

    store: Store
    clock: Clock
    offerings: Mapping[str, Offering]

    async def assignment(self, job: Job) -> Assignment:
        """What a worker needs to execute a training job.

        Raises:
            OfferingClosed: The offering is gone from the configuration.
        """
        payload = training.Payload.model_validate(job.payload)
        run = await self.store.runs.get(payload.run)
        snapshot = await self.store.snapshots.get(run.snapshot)
        offering = configured(self.offerings, run.offering)
        return Assignment(run=run, snapshot=snapshot, offering=offering, payload=payload)

    async def find(self, job: str) -> Run | None:
        """The run of a job, where it is a training."""
        return await self.store.runs.find(job)

    async def chart(self, job: str, *, after: int = 0) -> Sequence[MetricsPoint]:
        """The metrics points of a training after a step."""
        return await self.store.runs.chart(job, after=after)

    async def passed(self, job: str, token: str, epoch: Epoch, *, run: str) -> None:
        """Record an epoch with its artifact and samples, fenced by the attempt's token.

        Raises:
            LeaseLost: The report is of a stale attempt; nothing is changed.
        """

        async def work(tx: Repositories) -> None:
            now = self.clock.now()
            current = (await tx.jobs.get(job)).fenced(token)
            found = await tx.runs.get(run)
            await tx.references.refer(*epoch.files)
            if replaced := found.epoch_at(epoch.step):
                await tx.references.forget(*replaced.files)
            await tx.runs.save(found.with_epoch(epoch))
            await tx.jobs.save(current.reported(now=now))

        await self.store.transact(work)
