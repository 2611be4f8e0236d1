"""A base model, loaded and ready: its pipeline, its identity, its place. How it is loaded, its architecture knows."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from diffusers import DDPMScheduler, DiffusionPipeline

from worker.pipelines.placement import Placement

HASHED = frozenset({".json", ".safetensors", ".txt"})


@dataclass(frozen=True, kw_only=True)
class Base:
    """A frozen base model; `hash` names its files' content, whatever folder they lie in.

    `architecture` is the module of `worker.architectures` that loaded it, `lanes` how many pictures it makes at once.
    """

    name: str
    hash: str
    architecture: str
    pipeline: DiffusionPipeline
    placement: Placement
    lanes: int

    @property
    def title(self) -> str:
        """What others may read of its name: a folder is the operator's affair."""
        return self.name.replace(":", "/").rstrip("/").rsplit("/", 1)[-1]

    def noise_scheduler(self) -> DDPMScheduler:
        """Return the schedule of noise levels that the base was trained with."""
        scheduler: DDPMScheduler = DDPMScheduler.from_config(self.pipeline.scheduler.config)
        return scheduler


def folder_hash(folder: Path, *, parts: Iterable[str]) -> str:
    """Return the sha256, in hex, of the names and contents of the parts' files, in the order of their names."""
    digest = hashlib.sha256()
    files = (path for part in parts for path in (folder / part).rglob("*") if path.suffix in HASHED)
    for path in sorted(files, key=lambda path: path.relative_to(folder).as_posix()):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        digest.update(f"{path.relative_to(folder).as_posix()} {content}\n".encode())
    return digest.hexdigest()
