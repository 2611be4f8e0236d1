"""Publication: the file of a model is written anew with what it is, verified, and gets a card and a thumbnail."""

import asyncio
from pathlib import Path

from core.domain.artifact import Artifact
from core.domain.modelcard import README, THUMBNAIL, card
from core.domain.modelspec import told
from core.kinds.publication import Result
from core.services.publications import Manuscript
from worker.adapters import weights
from worker.adapters.thumbnails import thumbnail
from worker.task import Task

SAFETENSORS = ".safetensors"


async def work(task: Task) -> Result:
    """Publish a model. Whatever is interrupted leaves it as it was: its parts are swapped at the end, all at once.

    Raises:
        BadAdapter, StoredFileDamaged: The file is not what was stored.
        LeaseLost: The attempt is stale.
    """
    draft = await task.services.publications.manuscript(task.job)
    shown = await _thumbnail(task, draft.sample) if draft.sample else None
    artifact, hashed = await _written(task, draft, shown)
    picture = await _stored(task, shown, name=THUMBNAIL, media_type="image/jpeg") if shown else None
    model = draft.model.but(artifact=artifact, weights=hashed, thumbnail=picture)
    text = card(model, draft.run, base=draft.base, pictures=draft.pictures).encode()
    return Result(
        imprint=draft.model.imprint,
        artifact=artifact,
        weights=hashed,
        card=await _stored(task, text, name=README, media_type="text/markdown"),
        thumbnail=picture,
    )


async def _written(task: Task, draft: Manuscript, shown: bytes | None) -> tuple[Artifact, str | None]:
    """The model's file with what it is, and the hash of its weights; a folder of PEFT's stays as it is."""
    model = draft.model
    if not model.file.name.endswith(SAFETENSORS):
        return model.artifact, None
    path = await task.fetch(model.artifact.sha256, task.folder / "model")
    known = (await asyncio.to_thread(weights.header, path)).metadata
    out = task.folder / model.file.name
    hashed = await asyncio.to_thread(weights.rewritten, path, out, told(known, model, thumbnail=shown))
    return await task.store(out, name=out.name, media_type=model.artifact.media_type), hashed


async def _thumbnail(task: Task, sample: Artifact) -> bytes:
    path = await task.fetch(sample.sha256, task.folder / "sample")
    return await asyncio.to_thread(thumbnail, path)


async def _stored(task: Task, content: bytes, *, name: str, media_type: str) -> Artifact:
    path: Path = task.folder / name
    await asyncio.to_thread(path.write_bytes, content)
    return await task.store(path, name=name, media_type=media_type)
