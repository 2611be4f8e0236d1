"""Pictures to latents and captions to embeddings, once: both are kept in memory for a run and on disk between runs."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np
import torch
from PIL import Image, ImageOps
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from worker.pipelines.base import Base
from worker.pipelines.tasks import BadItem, TrainingItem

Tensors = dict[str, torch.Tensor]
Describe = Callable[[torch.Tensor], torch.Tensor]  # [batch] numbers of captions → [batch, tokens, width] embeddings


@dataclass(frozen=True, kw_only=True)
class Latents:
    """The autoencoder's view of the pictures: a normal distribution each, [items, channels, height, width], fp32."""

    mean: torch.Tensor
    std: torch.Tensor


def opened(picture: Path) -> Image.Image:
    """Return a picture in RGB, upright; transparent parts become white.

    Raises:
        BadItem: The file is no readable picture.
    """
    try:
        with Image.open(picture) as file:
            image = ImageOps.exif_transpose(file).convert("RGBA")
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise BadItem(f"The picture {picture.name} cannot be read: {error}") from error
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def pixels(picture: Path, resolution: int) -> torch.Tensor:
    """Return a picture as [1, 3, resolution, resolution] in -1…1: shorter side resized, centre cropped.

    Raises:
        BadItem: The file is no readable picture.
    """
    square = ImageOps.fit(opened(picture), (resolution, resolution), method=Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(square)).permute(2, 0, 1)[None].float() / 127.5 - 1


@torch.no_grad()
def latents(base: Base, items: Sequence[TrainingItem], *, resolution: int, cache: Path | None) -> Latents:
    """Encode all pictures, or read them from the cache.

    Raises:
        BadItem: A file is no readable picture.
    """
    place, vae = base.placement, base.pipeline.vae

    def encode(picture: Path) -> Tensors:
        with place.autocast():
            found = vae.encode(pixels(picture, resolution).to(place.device, place.dtype)).latent_dist
        scale = vae.config.scaling_factor
        return {"mean": found.mean.float() * scale, "std": found.std.float() * scale}

    encoded = []
    for item in items:
        content = hashlib.sha256(item.picture.read_bytes()).hexdigest()
        key = f"{base.hash} {place} {resolution} {content}"
        encoded.append(_remembered(cache, key, partial(encode, item.picture), device=place.device))
    return Latents(**{name: torch.cat([entry[name] for entry in encoded]) for name in ("mean", "std")})


def token_ids(base: Base, captions: Sequence[str]) -> torch.Tensor:
    """Return the captions' token numbers, [captions, tokens], cut and padded to the encoder's length."""
    tokenizer = base.pipeline.tokenizer
    ids: torch.Tensor = tokenizer(
        list(captions),
        padding="max_length",
        max_length=tokenizer.model_max_length,
        truncation=True,
        return_tensors="pt",
    ).input_ids
    return ids.to(base.placement.device)


def embeddings(base: Base, captions: Sequence[str], *, cache: Path | None) -> Describe:
    """Encode all captions with the frozen text encoder, or read them from the cache; look them up by number."""

    @torch.no_grad()
    def encode(caption: str) -> Tensors:
        with base.placement.autocast():
            return {"text": base.pipeline.text_encoder(token_ids(base, [caption]))[0].float()}

    table: dict[str, torch.Tensor] = {}
    for caption in dict.fromkeys(captions):
        key = f"{base.hash} {base.placement} {caption}"
        found = _remembered(cache, key, partial(encode, caption), device=base.placement.device)
        table[caption] = found["text"]
    rows = torch.cat([table[caption] for caption in captions])
    return lambda numbers: rows[numbers]


def live_embeddings(base: Base, captions: Sequence[str]) -> Describe:
    """Encode captions anew at each call, for a text encoder that learns."""
    ids = token_ids(base, captions)
    return lambda numbers: base.pipeline.text_encoder(ids[numbers])[0]


def _remembered(cache: Path | None, key: str, compute: Callable[[], Tensors], *, device: str) -> Tensors:
    """Read an entry, or compute and write it; a damaged one is computed again."""
    if cache is None:
        return compute()
    path = cache / f"{hashlib.sha256(key.encode()).hexdigest()}.safetensors"
    try:
        return load_file(path, device=device)
    except (FileNotFoundError, SafetensorError):
        found = compute()
    cache.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=cache, suffix=".part", delete=False) as part:
        part.write(save({name: tensor.contiguous() for name, tensor in found.items()}))
    Path(part.name).replace(path)  # whole or not at all: several workers may share the folder
    return found
