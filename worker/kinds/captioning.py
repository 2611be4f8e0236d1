"""Captioning: a captioner describes pictures, several at a time where it can; what was said is kept as it comes."""

import asyncio
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from core.domain.caption import Scene
from core.domain.errors import BlobGone
from core.domain.item import Item
from core.kinds.captioning import Payload, Result
from worker.adapters import captioners
from worker.adapters.captioners import Captioner, CaptionerFailed, NotDescribed
from worker.task import HandedOver, StoredFileDamaged, Task
from worker.waiting import patiently, stopped

SECONDS_BETWEEN_RECORDS = 1.0
IN_VAIN = 10  # pictures in a row; after so many the captioner is taken for broken


async def work(task: Task) -> Result:
    """Describe what no attempt before has described.

    Raises:
        CaptionerFailed: The captioner does not work, or has described not a single picture.
        ProviderNotAllowed, ConsentWithdrawn, Suspended: The pictures may not be sent to it any more.
        HandedOver: The worker is leaving; the next one goes on where this one was.
        LeaseLost: The attempt is stale.
    """
    payload, captionings = Payload.model_validate(task.job.payload), task.services.captionings
    assignment = await captionings.assignment(task.job)
    if assignment.items:
        async with captioners.captioner(payload.captioner, task.settings) as captioner:
            await captioner.check()
            await Describing(task=task, captioner=captioner, total=assignment.total).through(assignment.items)
    result = await captionings.result(task.job)
    if result.failures and not result.described:
        raise CaptionerFailed(next(iter(result.failures.values())))
    return result


@dataclass(kw_only=True)
class Describing:
    """One attempt's way through the pictures: what is `said` and not recorded yet, how many in a row were in `vain`."""

    task: Task
    captioner: Captioner
    total: int
    said: list[Scene] = field(default_factory=list)
    vain: int = 0
    recorded: float = 0.0

    async def through(self, items: Iterable[Item]) -> None:
        """Describe pictures until none is left; however it ends, what was said until then is recorded.

        Raises:
            CaptionerFailed, HandedOver, LeaseLost: As above.
        """
        waiting, running = deque(items), set[asyncio.Task[Scene]]()
        left = len(waiting)
        try:
            while waiting or running:
                if self.task.stopping.is_set():
                    raise HandedOver
                while waiting and len(running) < self.captioner.concurrency:
                    running.add(asyncio.create_task(self._scene(waiting.popleft())))
                ended, running = await asyncio.wait(
                    running, timeout=SECONDS_BETWEEN_RECORDS, return_when=asyncio.FIRST_COMPLETED
                )
                left -= len(ended)
                self._hear(ended)
                if time.monotonic() - self.recorded >= SECONDS_BETWEEN_RECORDS or not left:
                    await self._record()
                    await self.task.progressed(self.total - left, self.total, doing="describing pictures")
        finally:
            await stopped(*running)
            await self._record()

    def _hear(self, ended: Iterable[asyncio.Task[Scene]]) -> None:
        """Keep what was said, then see to what went wrong.

        Raises:
            CaptionerFailed: It described none of the last pictures.
        """
        errors = [error for one in ended if (error := one.exception())]
        for scene in [one.result() for one in ended if not one.exception()]:
            self.said.append(scene)
            self.vain = self.vain + 1 if scene.failure else 0
        if errors:
            raise errors[0]
        if self.vain >= IN_VAIN:
            raise CaptionerFailed(
                f"None of the last {IN_VAIN} pictures was described. The last time: {self.said[-1].failure}"
            )

    async def _scene(self, item: Item) -> Scene:
        """What is said of one picture, or why nothing is."""
        job, path = self.task.job.id, self.task.folder / item.id
        scene = Scene(id=f"{job}:{item.id}", job=job, item=item.id)
        try:
            return scene.but(text=await self.captioner.caption(await self.task.fetch(item.artifact.sha256, path)))
        except NotDescribed as error:
            return scene.but(failure=str(error))
        except (BlobGone, StoredFileDamaged):
            return scene.but(failure="The stored picture can no longer be read. Add it again.")
        finally:
            path.unlink(missing_ok=True)

    async def _record(self) -> None:
        """Keep durably what was said since the last time."""
        self.recorded = time.monotonic()
        said, self.said = self.said, []
        if said:
            job, token = self.task.job.id, self.task.token
            await patiently(lambda: self.task.services.captionings.described(job, token, said))
