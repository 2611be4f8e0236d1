"""A base model, loaded and ready: its parts, its identity, its place. How it is loaded, its architecture knows."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from diffusers import DDPMScheduler, DiffusionPipeline
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from core.domain.offering import FewSteps
from worker.pipelines.placement import Placement

HASHED = frozenset({".json", ".jinja", ".safetensors", ".txt"})
TOKENIZERS = ("tokenizer", "tokenizer_2")
PARKED = "cpu"
ENCODERS = ("text_encoder", "text_encoder_2", "vae")


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A frozen base model of any kind; `hash` names its files' content, whatever folder they lie in.

    `architecture` is the module of `worker.architectures` that loaded it, `few_steps` what was made part of it then.
    """

    name: str
    hash: str
    architecture: str
    placement: Placement
    few_steps: FewSteps | None = None

    @property
    def title(self) -> str:
        """What others may read of its name: a folder is the operator's affair."""
        return self.name.replace(":", "/").rstrip("/").rsplit("/", 1)[-1]

    def part(self, name: str) -> Any:
        """Return a module of it by name."""
        return getattr(self, name)


@dataclass(frozen=True, kw_only=True)
class TextBase(Loaded):
    """One that answers what is said to it; its only part is its `model`."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerFast


@dataclass(frozen=True, kw_only=True)
class Base(Loaded):
    """One that draws; `lanes` is how many pictures it makes at once."""

    pipeline: DiffusionPipeline
    lanes: int
    _away: set[str] = field(default_factory=set)

    def part(self, name: str) -> Any:
        """Return a part of the pipeline."""
        return getattr(self.pipeline, name)

    @property
    def denoiser(self) -> str:
        """What the part that makes pictures of noise is called."""
        return "transformer" if hasattr(self.pipeline, "transformer") else "unet"

    @property
    def grain(self) -> int:
        """What the sides of its pictures are multiples of, in pixels: transformers take latents in squares of two."""
        return 16 if self.denoiser == "transformer" else 8

    @cached_property
    def levels(self) -> DDPMScheduler:
        """The schedule of noise levels that the base was trained with, on its device."""
        scheduler = DDPMScheduler.from_config(self.pipeline.scheduler.config)
        scheduler.alphas_cumprod = scheduler.alphas_cumprod.to(self.placement.device)
        return scheduler

    def tokens(self, captions: Sequence[str]) -> dict[str, torch.Tensor]:
        """Return the captions' token numbers by tokenizer, [captions, tokens], cut and padded to its length."""
        found = {}
        for name in TOKENIZERS:
            if tokenizer := getattr(self.pipeline, name, None):
                ids = tokenizer(
                    list(captions),
                    padding="max_length",
                    max_length=tokenizer.model_max_length,
                    truncation=True,
                    return_tensors="pt",
                ).input_ids
                found[name] = ids.to(self.placement.device)
        return found

    def encoded(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the mean and deviation of latents, [n, channels, height / 8, width / 8], of pixels in -1…1."""
        vae, place = self.pipeline.vae, self.placement
        with place.autocast():
            found = vae.encode(pixels.to(place.device, vae.dtype)).latent_dist
        shift, scale = getattr(vae.config, "shift_factor", None) or 0.0, vae.config.scaling_factor
        return (found.mean.float() - shift) * scale, found.std.float() * scale

    @contextmanager
    def parked(self, *, except_for: Collection[str]) -> Iterator[None]:
        """Keep encoders that a training has no use for off its device."""
        self._away.update(part for part in ENCODERS if part not in except_for and getattr(self.pipeline, part, None))
        try:
            self._move(PARKED)
            yield
        finally:
            self._move(self.placement.device)
            self._away.clear()

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Have them back for a while."""
        self._move(self.placement.device)
        try:
            yield
        finally:
            self._move(PARKED)

    @contextmanager
    def compiled(self, *, when: bool) -> Iterator[None]:
        """Have the denoiser compiled, if it is worth it."""
        denoiser = getattr(self.pipeline, self.denoiser)
        if when:
            torch._dynamo.config.suppress_errors = True  # noqa: SLF001 - without a C compiler it goes on as it was
            denoiser.compile()
        try:
            yield
        finally:
            denoiser._compiled_call_impl = None  # noqa: SLF001 - there is no other way back

    def _move(self, device: str) -> None:
        for part in self._away if self.placement.device != PARKED else ():
            getattr(self.pipeline, part).to(device)


def folder_hash(folder: Path, *, parts: Iterable[str]) -> str:
    """Return the sha256, in hex, of the names and contents of the parts' files, in the order of their names."""
    digest = hashlib.sha256()
    files = (path for part in parts for path in (folder / part).rglob("*") if path.suffix in HASHED)
    for path in sorted(files, key=lambda path: path.relative_to(folder).as_posix()):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        digest.update(f"{path.relative_to(folder).as_posix()} {content}\n".encode())
    return digest.hexdigest()
