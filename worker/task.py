"""What a job kind is given to do its work: the job, its files, its reports, and the children that compute."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from core.domain.artifact import Artifact
from core.domain.errors import Unavailable
from core.domain.job import Job, Progress
from core.domain.run import MetricsPoint
from core.ports.blobs import Blobs
from core.services import Services
from worker.child import Child

CHUNK = 2**20
LIMIT = 8 * 2**30  # bytes of one stored result
SECONDS_BETWEEN_REPORTS = 1.0


class HandedOver(Exception):  # noqa: N818 - a past participle, as every result here
    """The work was stopped on request, and what is worth keeping is kept: the job can go on elsewhere."""


@dataclass(kw_only=True)
class Task:
    """One attempt at one job. Every report carries the attempt's token, so a stale one changes nothing."""

    job: Job
    services: Services
    blobs: Blobs
    folder: Path
    cache: Path
    studio: Child
    memory: int
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _started: tuple[float, int] | None = None
    _reported: float = 0.0
    _points: list[MetricsPoint] = field(default_factory=list)

    @property
    def token(self) -> str:
        """The attempt's fencing token."""
        return self.job.token or ""

    async def progressed(self, step: int, total: int, *, doing: str = "", points: Sequence[MetricsPoint] = ()) -> None:
        """Report how far the work is, at most once a second and always at the end.

        Raises:
            LeaseLost: The attempt is stale.
        """
        now = time.monotonic()
        self._started = self._started or (now, step)
        self._points += points
        if now - self._reported < SECONDS_BETWEEN_REPORTS and step < total:
            return
        since, first = self._started
        eta = (now - since) / (step - first) * (total - step) if step > first else None
        progress = Progress(step=step, total=total, eta=eta, doing=doing)
        self._reported = now
        with suppress(Unavailable):  # the points wait for the next report
            await self.services.jobs.report(self.job.id, self.token, progress=progress, points=self._points)
            self._points = []

    async def fetch(self, sha256: str, path: Path) -> Path:
        """Write stored bytes to a local file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with await asyncio.to_thread(path.open, "wb") as file:
            async for chunk in self.blobs.open(sha256):
                await asyncio.to_thread(file.write, chunk)
        return path

    async def store(self, path: Path, *, name: str, media_type: str) -> Artifact:
        """Store a local file durably; it is referred to only by what commits later."""
        blob = await self.blobs.put(chunks(path), name=name, limit=LIMIT)
        return Artifact(name=name, sha256=blob.id, size=blob.size, media_type=media_type)

    async def checkpointed(self, path: Path) -> None:
        """Store a checkpoint, read it back, and only then refer to it.

        Raises:
            LeaseLost: The attempt is stale.
        """
        artifact = await self.store(path, name=f"{self.job.id}-{path.name}", media_type="application/octet-stream")
        digest = hashlib.sha256()
        async for chunk in self.blobs.open(artifact.sha256):
            digest.update(chunk)
        if digest.hexdigest() == artifact.sha256:
            await self.services.jobs.checkpoint(self.job.id, self.token, artifact)


async def chunks(path: Path) -> AsyncIterator[bytes]:
    """The bytes of a local file, read off the event loop."""
    with await asyncio.to_thread(path.open, "rb") as file:
        while chunk := await asyncio.to_thread(file.read, CHUNK):
            yield chunk
