"""A worker as a process of its own that keeps checkpoints as often as the settings say."""

import asyncio
import os
import signal
from typing import Any

from config.settings import Settings
from core.domain.fleet import Worker
from core.kinds import discovered
from core.ports.clock import Clock, RandomIds, SystemClock
from loraguild.composition import opened
from worker.loop import Floor, work

MIB = 2**20


async def main(*, clock: Clock | None = None, **facts: Any) -> None:
    """Work until SIGTERM, by another clock and on a floor with further facts if need be."""
    settings, stop, now = Settings(), asyncio.Event(), (clock or SystemClock()).now()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    name, kinds = RandomIds().new(), tuple(discovered())
    worker = Worker(id=name, host="here", pid=os.getpid(), device="cpu", kinds=kinds, started_at=now, seen_at=now)
    async with opened(settings, clock=clock) as house:
        floor = Floor(
            services=house.services,
            blobs=house.blobs,
            worker=worker,
            settings=settings,
            folder=settings.data_folder / "work",
            memory=settings.worker_memory_mb * MIB,
            checkpoint_seconds=settings.checkpoint_seconds,
            **facts,
        )
        await work(floor, stop=stop)


if __name__ == "__main__":
    asyncio.run(main())
