"""Captioning: a captioner describes each picture that the mode asks for."""

import asyncio

from core.domain.caption import CaptionMode, distinctive
from core.kinds.captioning import Payload, Result
from worker.adapters import captioners
from worker.task import HandedOver, Task


async def work(task: Task) -> Result:
    """Describe picture after picture.

    Raises:
        HandedOver: The worker is leaving; the next one begins anew.
        LeaseLost: The attempt is stale.
    """
    payload = Payload.model_validate(task.job.payload)
    captioner = captioners.captioner(payload.captioner)
    items = await task.services.datasets.items(payload.dataset)
    wanted = [item for item in items if item.caption is None or payload.mode is not CaptionMode.IGNORE]
    scenes = {}
    for number, item in enumerate(wanted, start=1):
        if task.stopping.is_set():
            raise HandedOver
        path = await task.fetch(item.artifact.sha256, task.folder / item.id)
        scenes[item.id] = await asyncio.to_thread(captioner.caption, path)
        await task.progressed(number, len(wanted), doing="describing pictures")
    left, shared = distinctive(scenes)
    return Result(scenes=left, shared=shared)
