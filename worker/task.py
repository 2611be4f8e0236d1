"""What a job kind is given to do its work: the job, its files, its reports, and the children that compute."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from config.settings import Settings
from core.domain.artifact import Artifact
from core.domain.errors import Unavailable
from core.domain.job import Job, Progress
from core.domain.run import MetricsPoint
from core.ports.blobs import Blobs
from core.services import Services
from worker.batch import Batch
from worker.channel import TaskFailed
from worker.child import Child
from worker.metrics import Metrics
from worker.presence import Presence

CHUNK = 2**20
LIMIT = 8 * 2**30  # bytes of one stored result
SECONDS_BETWEEN_REPORTS = 1.0

log = structlog.get_logger()


class HandedOver(Exception):  # noqa: N818 - a past participle, as every result here
    """The work was stopped on request, and what is worth keeping is kept: the job can go on elsewhere."""


class StoredFileDamaged(TaskFailed):
    """The stored bytes are not those of their name."""

    code = "stored_file_damaged"


@dataclass(kw_only=True)
class Task:
    """One attempt at one job. Every report carries the attempt's token, so a stale one changes nothing.

    `batch` holds the attempts that draw together, `memory` is what looking into untrusted files may take, in bytes;
    `presence` is what the worker says of itself, `stopping` is set when it has to leave. `pace` is how many steps a
    second were done so far.
    """

    job: Job
    services: Services
    blobs: Blobs
    settings: Settings
    folder: Path
    cache: Path
    studio: Child
    batch: Batch
    memory: int
    checkpoint_seconds: float
    presence: Presence
    metrics: Metrics
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    pace: float | None = None
    _started: tuple[float, int] | None = None
    _reported: float = 0.0
    _progress: Progress | None = None
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
        if self._progress and self._progress.doing != doing:
            self._started = self.pace = None  # steps of another kind take another time
        self._started = self._started or (now, step)
        since, first = self._started
        self.pace = (step - first) / (now - since) if step > first and now > since else self.pace
        eta = (total - step) / self.pace if self.pace else None
        self._progress = Progress(step=step, total=total, eta=eta, doing=doing)
        self._points += points
        if now - self._reported >= SECONDS_BETWEEN_REPORTS or step >= total:
            self._reported = now
            with suppress(Unavailable):  # the points wait for the next report
                await self.reported()

    async def reported(self) -> None:
        """Report what has waited for the next report.

        Raises:
            LeaseLost: The attempt is stale.
        """
        await self.services.jobs.report(self.job.id, self.token, progress=self._progress, points=self._points)
        self._points = []

    async def fetch(self, sha256: str, path: Path) -> Path:
        """Write stored bytes to a local file.

        Raises:
            BlobGone: There are none of this name.
            StoredFileDamaged: They are not what was stored.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        with await asyncio.to_thread(path.open, "wb") as file:
            async for chunk in intact(self.blobs.open(sha256), sha256):
                await asyncio.to_thread(file.write, chunk)
        return path

    async def shared(self, sha256: str) -> Path:
        """Write stored bytes to a local file once for all attempts of the batch.

        Raises:
            BlobGone, StoredFileDamaged: As `fetch`.
        """
        path = self.batch.folder / f"{sha256}.safetensors"
        async with self.batch.turn:
            if not path.exists():
                (await self.fetch(sha256, self.folder / path.name)).replace(path)
        return path

    async def store(self, path: Path, *, name: str, media_type: str) -> Artifact:
        """Store a local file durably; it is referred to only by what commits later."""
        blob = await self.blobs.put(chunks(path), name=name, limit=LIMIT)
        return Artifact(name=name, sha256=blob.id, size=blob.size, media_type=media_type)

    async def checkpointed(self, path: Path) -> None:
        """Store a checkpoint, read it back, and only then refer to it; one that reads badly is left for the next.

        What was measured until then is reported first, so that a resumed run has no gap in its chart.

        Raises:
            LeaseLost: The attempt is stale.
        """
        artifact = await self.store(path, name=f"{self.job.id}-{path.name}", media_type="application/octet-stream")
        try:
            async for _ in intact(self.blobs.open(artifact.sha256), artifact.sha256):
                pass
        except StoredFileDamaged as error:
            log.warning("checkpoint.damaged", why=error.words)
        else:
            await self.reported()
            await self.services.jobs.checkpoint(self.job.id, self.token, artifact)


async def intact(stream: AsyncIterator[bytes], sha256: str) -> AsyncIterator[bytes]:
    """The stream as it is.

    Raises:
        StoredFileDamaged: At its end, when it was not what its name says.
    """
    digest = hashlib.sha256()
    async for chunk in stream:
        digest.update(chunk)
        yield chunk
    if digest.hexdigest() != sha256:
        raise StoredFileDamaged(f"The stored file {sha256[:12]} is damaged. Add it again.")


async def chunks(path: Path) -> AsyncIterator[bytes]:
    """The bytes of a local file, read off the event loop."""
    with await asyncio.to_thread(path.open, "rb") as file:
        while chunk := await asyncio.to_thread(file.read, CHUNK):
            yield chunk
